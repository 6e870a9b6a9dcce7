"""Hits go when the terms of their permit end, unless a legal hold keeps them; entries and consents in their time."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from prometheus_client import Counter

from nodes.peppers import Peppers
from trisect.clock import Clock, days, to_text
from trisect.store.consents import Consents
from trisect.store.presence import Lapsing
from trisect.store.retention import Retention
from trisect.store.snapshots import Snapshots

_log = logging.getLogger(__name__)
EVERY_S = 60.0
DELETED = Counter(
    "trisect_hits_expired_exchanges", "Exchanges whose hits were deleted at the end of their retention."
)


@dataclass(frozen=True, slots=True)
class Expiry:
    """Deletes hits, entries, consents and snapshots of one node in time."""

    retention: Retention
    lapsing: Lapsing
    consents: Consents
    snapshots: Snapshots
    peppers: Peppers
    clock: Clock

    async def run(self) -> None:
        """Delete what is due, again and again, until cancelled."""
        while True:
            await self.expire()
            await asyncio.sleep(EVERY_S)

    async def expire(self) -> None:
        """Delete what is due now."""
        for exchange_id in await asyncio.to_thread(self.retention.expire, to_text(self.clock())):
            DELETED.inc()
            _log.info("hits were deleted at the end of their retention", extra={"exchange_id": exchange_id})
        if snapshots := await asyncio.to_thread(self.snapshots.expire, to_text(self.clock())):
            _log.info("snapshots are kept no more", extra={"snapshots": snapshots})
        async with self.peppers.held():  # what a roll has in its hands could not be told to have left
            ended = await asyncio.to_thread(self.consents.expire, self.clock())
        if ended:
            _log.info("consents were deleted that have ended", extra={"consents": ended})
        gone = await asyncio.to_thread(self.lapsing.expire, days(self.clock()))
        for collection, count in gone.items():
            _log.info(
                "entries were deleted at the end of their retention",
                extra={"collection": collection, "entries": count},
            )
