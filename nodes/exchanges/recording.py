"""Has this node's receipts entered in the public record, and looks whether they are: the record is the evidence.

What is lost with a coordinator that was restored from a backup is handed in again. A receipt of an exchange that the
asker has not confirmed goes in after an hour, so that everybody sees who owes one.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from dataclasses import dataclass, field

from nodes.exchanges.means import Means
from trisect.clock import from_text, to_text
from trisect.errors import ConflictError, TrisectError, VerificationError
from trisect.record import entries
from trisect.rules.offers import LATEST_RECEIPT, RECEIPT_RULE
from trisect.rules.permit import Permit
from trisect.store.exchanges import Exchange, InRecord

_log = logging.getLogger(__name__)
EVERY_S = 1.0
AGAIN_S = 30.0
"""How long a receipt that was handed in is waited for before it is handed in again."""
UNCONFIRMED = dt.timedelta(hours=1)
AT_ONCE = 100


@dataclass(slots=True)
class Recording:
    """Keeps the record complete for one node."""

    means: Means
    _due: dict[str, float] = field(default_factory=dict)
    """When the receipt of an exchange is handed in next, in the loop's time."""

    async def run(self) -> None:
        """Look while the link is up, until cancelled."""
        while True:
            if self.means.link.connected:
                await self.look()
            await asyncio.sleep(EVERY_S)

    async def look(self) -> None:
        """Look once for every receipt that is not seen in the record yet; hands in those that are due."""
        before = to_text(self.means.clock() - UNCONFIRMED)
        waiting = await asyncio.to_thread(self.means.book.store.unrecorded, before)
        self._due = {one.id: self._due.get(one.id, 0.0) for one in waiting}
        now = asyncio.get_running_loop().time()
        for exchange in sorted(waiting, key=lambda one: self._due[one.id])[:AT_ONCE]:
            await self._look(exchange, now)

    async def _look(self, exchange: Exchange, now: float) -> None:
        receipt = exchange.own_receipt or b""
        try:
            entry = entries.of_document(receipt)
            last = from_text(Permit.peek(exchange.permit or b"").expires) + LATEST_RECEIPT
        except VerificationError as error:  # of an older form
            await self._give_up(exchange, error.message)
            return
        try:
            if entry in await self.means.witness.of_exchange(exchange.id):
                await self._settle(exchange, InRecord.YES)
            elif self._due[exchange.id] <= now:
                self._due[exchange.id] = now + AGAIN_S
                if self.means.clock() > last:
                    await self._give_up(exchange, "nobody has taken it for so long that it is too late")
                    return
                await self.means.link.enter_receipt(receipt)
                self.means.witness.promised.expect(receipt)
        except TrisectError as error:
            if isinstance(error, ConflictError) or error.rule == RECEIPT_RULE:
                await self._give_up(exchange, error.message)
                return
            _log.info(
                "the receipt of an exchange is handed in again later",
                extra={"exchange_id": exchange.id, "reason": error.message},
            )

    async def _give_up(self, exchange: Exchange, reason: str) -> None:
        _log.warning(
            "the record does not take the receipt of an exchange",
            extra={"exchange_id": exchange.id, "peer": exchange.peer, "reason": reason},
        )
        await self._settle(exchange, InRecord.NEVER)

    async def _settle(self, exchange: Exchange, recorded: InRecord) -> None:
        await asyncio.to_thread(self.means.book.store.set_recorded, exchange.id, recorded)
