"""What both sides of an exchange work with at one node."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from nodes.exchanges.book import Book
from nodes.exchanges.slots import Slots
from nodes.link import Link
from nodes.members import Members
from nodes.peppers import Peppers
from nodes.workers import Worker, Workers
from trisect.clock import Clock, Randomness
from trisect.errors import DeniedError
from trisect.psi.bands import band
from trisect.store.collections import Collections
from trisect.store.exchanges import Side


@dataclass(frozen=True, slots=True)
class Limits:
    """This party's own limits on the sets of both ends."""

    min_set: int
    max_set: int

    def check_set(self, size: int, whose: str) -> None:
        """Refuse a set that is too small or too large; raises DeniedError."""
        if size < self.min_set:
            raise DeniedError(
                f"{whose} has fewer entries than the minimum of {self.min_set}",
                hint="small sets let one learn about single entries; add entries first",
                rule="min-set",
            )
        if size > self.max_set:
            raise self._too_large(whose)

    def check_padded(self, size: int, whose: str) -> None:
        """Refuse a declared size beyond what the largest allowed set pads to; raises DeniedError."""
        if size > band(self.max_set):
            raise self._too_large(whose)

    def _too_large(self, whose: str) -> DeniedError:
        return DeniedError(
            f"{whose} has more entries than this party's maximum of {self.max_set}",
            hint="limits.max_set in the node's configuration sets it",
            rule="max-set",
        )


@dataclass(frozen=True, slots=True)
class Means:
    """The parts of a node that exchanges use."""

    book: Book
    collections: Collections
    link: Link
    members: Members
    peppers: Peppers
    workers: Workers
    limits: Limits
    slots: Slots
    clock: Clock
    randomness: Randomness
    idle_s: float
    write_s: float

    @asynccontextmanager
    async def staffed(self, side: Side, items: Callable[[], bytes]) -> AsyncIterator[Worker]:
        """Lend a worker that has been given the items of one end; they are arranged in a thread."""
        async with self.workers.take() as worker:
            await worker.load(side, await asyncio.to_thread(items))
            yield worker
