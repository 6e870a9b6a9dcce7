"""What both sides of an exchange work with at one node."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from nodes.exchanges.book import Book
from nodes.link import Link
from nodes.members import Members
from nodes.peppers import Peppers
from nodes.workers import Worker, Workers
from trisect.clock import Clock, Randomness
from trisect.errors import DeniedError, ExhaustedError
from trisect.store.collections import Collections
from trisect.store.exchanges import Side


@dataclass(frozen=True, slots=True)
class Limits:
    """This party's own limits on its sets and its load."""

    min_set: int
    max_set: int
    max_exchanges: int

    def check_set(self, size: int, whose: str) -> None:
        """Refuse a set that is too small or too large; raises DeniedError."""
        if size < self.min_set:
            raise DeniedError(
                f"{whose} has fewer entries than the minimum of {self.min_set}",
                hint="small sets let one learn about single entries; add entries first",
                rule="min-set",
            )
        if size > self.max_set:
            raise DeniedError(f"{whose} has more entries than the maximum of {self.max_set}", rule="max-set")

    def check_load(self, running: int) -> None:
        """Refuse one more exchange where too many run; raises ExhaustedError."""
        if running >= self.max_exchanges:
            raise ExhaustedError(
                f"{running} exchanges run at this node, the most it is configured for",
                hint="wait until one has ended, or raise limits.max_exchanges",
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
