"""Settling what a loss left open: unconfirmed exchanges and missing receipts; suspended peers' exchanges.

An answerer asks the asker what became of an exchange; an asker hands its receipt over again. Both go on until
the peer has answered.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from nodes.exchanges.answering import Answering
from nodes.exchanges.asking import Asking
from nodes.exchanges.means import Means
from trisect.errors import DeniedError, TrisectError
from trisect.store.exchanges import ExchangeState
from trisect.trust.keys import PartyName
from trisect.trust.statements import Standing

_log = logging.getLogger(__name__)
EVERY_S = 1.0


@dataclass(slots=True)
class Recovery:
    """Settles the node's open exchanges."""

    means: Means
    asking: Asking
    answering: Answering

    async def run(self) -> None:
        """Settle every few seconds while the link is up, until cancelled."""
        while True:
            await self.drop_suspended()
            if self.means.link.connected:
                await self.settle()
            await asyncio.sleep(EVERY_S)

    async def settle(self) -> None:
        """Try once to settle everything that is open."""
        for exchange in await asyncio.to_thread(self.means.book.store.open):
            unconfirmed = exchange.state is ExchangeState.UNCONFIRMED
            if unconfirmed and self.means.book.progress(exchange.id) is None:
                try:
                    await self.answering.inquire(exchange)
                except TrisectError as error:
                    _log.info("a peer has not settled yet", extra={"peer": exchange.peer, "code": error.code})
        for party in list(self.means.members.membership.parties.values()):
            for exchange in await asyncio.to_thread(self.means.book.store.unreceipted, party.name):
                if self.means.book.progress(exchange.id) is None:
                    await self.asking.confirm(exchange.id, party)

    async def drop_suspended(self) -> None:
        """End running exchanges with a party that is no longer active, or of this party once it is not."""
        members = self.means.members
        parties = members.membership.parties
        for exchange in await asyncio.to_thread(self.means.book.store.open):
            if self.means.book.progress(exchange.id) is None:
                continue
            for name in (exchange.peer, members.name):
                party = parties.get(PartyName(name))
                if party is not None and party.standing is not Standing.ACTIVE:
                    error = DeniedError(f"party {name} was {party.standing.value} while the exchange ran")
                    await self.means.book.cancel(exchange.id, error)
                    break
