"""Settling what a loss left open: unconfirmed exchanges and missing receipts; suspended peers' exchanges.

An answerer asks the asker what became of an exchange; an asker hands its receipt over again. Both go on until
the peer has answered, ever more seldom; no peer's silence holds up what is due to another.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field

from nodes.exchanges.asking import Asking
from nodes.exchanges.confirming import Confirming
from nodes.exchanges.means import Means
from trisect.errors import DeniedError, TrisectError
from trisect.store.exchanges import Exchange, ExchangeState
from trisect.trust.keys import PartyName
from trisect.trust.statements import Standing

_log = logging.getLogger(__name__)
EVERY_S = 1.0
LONGEST_PAUSE_S = 15.0
AT_ONCE = 16


@dataclass(slots=True)
class _Attempts:
    """When an exchange is tried again, in the loop's time."""

    due: float = 0.0
    pause_s: float = EVERY_S


@dataclass(slots=True)
class Recovery:
    """Settles the node's open exchanges."""

    means: Means
    asking: Asking
    confirming: Confirming
    _attempts: dict[str, _Attempts] = field(default_factory=dict)

    async def run(self) -> None:
        """Settle while the link is up, until cancelled."""
        while True:
            await self.means.book.write_ends()
            if self.means.link.connected:
                await self.settle()
            await asyncio.sleep(EVERY_S)

    async def settle(self) -> None:
        """Try once to settle everything that is open and due."""
        unsettled = await asyncio.to_thread(self.means.book.store.unsettled)
        self._attempts = {exchange.id: self._attempts.get(exchange.id, _Attempts()) for exchange in unsettled}
        now = asyncio.get_running_loop().time()
        due = [one for one in unsettled if self._attempts[one.id].due <= now and not self._runs(one)]
        for at in range(0, len(due), AT_ONCE):
            await asyncio.gather(*(self._try(exchange) for exchange in due[at : at + AT_ONCE]))

    async def drop_suspended(self) -> None:
        """End running exchanges with a party that is no longer active, or of this party once it is not."""
        while True:
            members = self.means.members
            parties = members.membership.parties
            for exchange in await asyncio.to_thread(self.means.book.store.open):
                if not self._runs(exchange):
                    continue
                for name in (exchange.peer, members.name):
                    party = parties.get(PartyName(name))
                    if party is not None and party.standing is not Standing.ACTIVE:
                        error = DeniedError(
                            f"party {name} was {party.standing.value} while the exchange ran",
                            hint="match again when the party is reinstated",
                        )
                        await self.means.book.cancel(exchange.id, error)
                        break
            await asyncio.sleep(EVERY_S)

    def _runs(self, exchange: Exchange) -> bool:
        return self.means.book.progress(exchange.id) is not None

    async def _try(self, exchange: Exchange) -> None:
        attempts = self._attempts[exchange.id]
        try:
            party = self.means.members.membership.party(exchange.peer)
            party.require_active()
            if exchange.state is ExchangeState.UNCONFIRMED:
                await self.confirming.inquire(exchange)
            else:
                await self.asking.confirm(exchange.id, party)
        except TrisectError as error:
            if not attempts.due:
                _log.info(
                    "a peer has not settled an exchange; it is asked again",
                    extra={"exchange_id": exchange.id, "peer": exchange.peer, "code": error.code},
                )
            attempts.due = asyncio.get_running_loop().time() + attempts.pause_s
            attempts.pause_s = min(LONGEST_PAUSE_S, 2 * attempts.pause_s)
