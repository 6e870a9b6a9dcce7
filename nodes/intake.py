"""Imports at a node: batches of raw rows in, committed rows out, in order and resumable.

Rows are made canonical in worker processes while the batch before is being committed, so that both cores
work. A pepper rotation waits until the import has ended, and the other way round.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import aclosing
from dataclasses import dataclass
from operator import itemgetter

from prometheus_client import Counter

from nodes.converters import Converters
from nodes.peppers import Peppers
from nodes.underway import Underway
from nodes.untreated import Converted, Spelling
from trisect.clock import Clock, Randomness, days, to_text
from trisect.errors import BadInputError, StaleError, TimedOutError, TrisectError
from trisect.indicators.tokens import Pepper
from trisect.store.collections import Collection, Collections
from trisect.store.intake import Imports, Progress, RejectRow, StoredEntry
from trisect.wire.v1 import collections_pb2

_log = logging.getLogger(__name__)
ROWS = Counter("trisect_import_rows", "Imported rows by outcome.", ["outcome"])
STALLED_S = 120.0
IN_FLIGHT = 4
COMMIT_ROWS = 65_536
"""A transaction's worth: tokens are random, so each one touches most pages of the list's tree."""


class ImportWorkerLostError(TrisectError):
    """A worker process of an import died; what was committed stays."""

    code = "TRI-IMPORT-WORKER"


@dataclass(frozen=True, slots=True)
class Target:
    """Where an import goes and how it ends."""

    collection: str
    spelling: Spelling
    source: str
    legal_basis: str
    retention_days: int
    fingerprint: bytes
    replace: bool
    allow_large_drop: bool


@dataclass(frozen=True, slots=True)
class Step:
    """What is reported after a batch: progress, what it rejected, and at the end what `replace` retracted."""

    progress: Progress
    rejects: Sequence[RejectRow]
    finished: bool = False
    retracted: int = 0
    version: int = 0


class Intake:
    """The import desk of one node."""

    def __init__(
        self,
        collections: Collections,
        imports: Imports,
        peppers: Peppers,
        *,
        workers: int,
        underway: Underway,
        clock: Clock,
        randomness: Randomness,
    ) -> None:
        self._collections = collections
        self._imports = imports
        self._peppers = peppers
        self._underway = underway
        self._converters = Converters(workers)
        self._clock = clock
        self._randomness = randomness

    async def create(self, name: str, *, source: str, legal_basis: str, retention_days: int) -> Collection:
        """Make a collection, or find the one of that name."""
        return await asyncio.to_thread(
            self._collections.create,
            name,
            public_id=self._randomness(16).hex(),
            source=source,
            legal_basis=legal_basis,
            retention_days=retention_days,
            created_at=to_text(self._clock()),
        )

    async def run(
        self, target: Target, batches: AsyncIterator[collections_pb2.RawBatch]
    ) -> AsyncIterator[Step]:
        """Import batches; the first step tells how many of them need not be sent again.

        Raises:
            DeniedError: not admitted yet, or `replace` would drop too much.
            StaleError: a pepper rotation runs.
            BadInputError: a batch is malformed.
            UnreachableError: the node stops.
        """
        self._peppers.require_ready()
        with self._underway.one(), self._converters.used():
            async with aclosing(self._run(target, batches)) as steps:
                async for step in steps:
                    yield step

    async def _run(
        self, target: Target, batches: AsyncIterator[collections_pb2.RawBatch]
    ) -> AsyncGenerator[Step, None]:
        async with self._peppers.held():
            self._peppers.require_ready()
            # A new pepper may come meanwhile; its roll waits for this import, which goes on under the old one.
            chain, epoch = tuple(self._peppers.chain), self._peppers.epoch
            collection = await self.create(
                target.collection,
                source=target.source,
                legal_basis=target.legal_basis,
                retention_days=target.retention_days,
            )
            progress = await asyncio.to_thread(
                self._imports.begin, collection.id, target.fingerprint, replace=target.replace
            )
            earlier = await asyncio.to_thread(self._imports.rejects, progress.id)
            yield Step(progress, earlier)
            async for some in _together(self._converted(target.spelling, chain, batches)):
                before = progress
                progress, rejects = await asyncio.to_thread(self._add, progress, some, epoch)
                for outcome in ("accepted", "duplicates", "rejected"):
                    ROWS.labels(outcome).inc(getattr(progress, outcome) - getattr(before, outcome))
                yield Step(progress, rejects)
            retracted, version = await asyncio.to_thread(
                self._imports.finish,
                progress,
                allow_large_drop=target.allow_large_drop,
            )
            _log.info(
                "an import has ended",
                extra={"collection": target.collection, "rows": progress.rows, "rejected": progress.rejected},
            )
            yield Step(progress, (), finished=True, retracted=retracted, version=version)

    async def add_one(
        self,
        name: str,
        row: StoredEntry,
        *,
        epoch: int,
        source: str,
        legal_basis: str,
        retention_days: int,
    ) -> None:
        """Add a single entry whose token is of that epoch, making the collection where there is none.

        Raises:
            StaleError: the pepper was rotated meanwhile.
        """
        async with self._peppers.held():
            if epoch != self._peppers.epoch:
                raise StaleError("the pepper was rotated meanwhile", hint="repeat the command")
            collection = await self.create(
                name, source=source, legal_basis=legal_basis, retention_days=retention_days
            )
            await asyncio.to_thread(self._imports.relist, collection.id, row[0])
            progress = await asyncio.to_thread(self._imports.begin, collection.id, b"")
            progress = await asyncio.to_thread(
                self._imports.add, progress, [row], [], epoch=epoch, day=days(self._clock())
            )
            await asyncio.to_thread(self._imports.finish, progress)

    async def close(self) -> None:
        """End the worker processes."""
        await self._converters.close()

    def _add(
        self, progress: Progress, some: Sequence[Converted], epoch: int
    ) -> tuple[Progress, Sequence[RejectRow]]:
        """Commit some batches in one transaction."""
        taken = sorted((row for rows, _ in some for row in rows), key=itemgetter(0))
        rejects = [row for _, rows in some for row in rows]
        return self._imports.add(
            progress, taken, rejects, epoch=epoch, day=days(self._clock()), batches=len(some)
        ), rejects

    async def _converted(
        self,
        spelling: Spelling,
        chain: tuple[Pepper, ...],
        batches: AsyncIterator[collections_pb2.RawBatch],
    ) -> AsyncIterator[Converted]:
        """Convert batches ahead, a few at a time, and give them in order."""
        waiting: deque[asyncio.Future[Converted]] = deque()
        seen = 0
        try:
            async for batch in _in_time(batches):
                seen += len(batch.where)
                waiting.append(self._converters.convert(seen, batch.SerializeToString(), spelling, chain))
                if len(waiting) >= IN_FLIGHT:
                    yield await waiting.popleft()
            while waiting:
                yield await waiting.popleft()
        except BrokenProcessPool as error:
            self._converters.forget()
            raise ImportWorkerLostError(
                "a worker process of the import died; what was committed stays",
                hint="repeat the import: it goes on where it stopped",
            ) from error
        finally:
            for future in waiting:
                future.cancel()


async def _together(converted: AsyncIterator[Converted]) -> AsyncIterator[list[Converted]]:
    """Collect batches to a transaction's worth."""
    some, rows = list[Converted](), 0
    async for batch in converted:
        some.append(batch)
        rows += len(batch[0]) + len(batch[1])
        if rows >= COMMIT_ROWS:
            yield some
            some, rows = [], 0
    if some:
        yield some


async def _in_time(
    batches: AsyncIterator[collections_pb2.RawBatch],
) -> AsyncIterator[collections_pb2.RawBatch]:
    while True:
        try:
            async with asyncio.timeout(STALLED_S):
                batch = await anext(batches, None)
        except TimeoutError as error:
            raise TimedOutError("the importing command fell silent") from error
        if batch is None:
            return
        if not batch.where and not batch.unreadable:
            raise BadInputError(
                "an import sent an empty batch", hint="bring both ends to the same version of Trisect"
            )
        yield batch
