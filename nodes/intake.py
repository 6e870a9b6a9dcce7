"""Imports at a node: batches of raw rows in, committed rows out, in order and resumable.

Rows are made canonical in worker processes while the batch before is being committed, so that both cores
work. A pepper rotation waits until the import has ended, and the other way round.
"""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
from collections import deque
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, TypeAlias

from prometheus_client import Counter

from nodes.peppers import Peppers
from nodes.untreated import Spelling, convert
from trisect.clock import Clock, Randomness, to_text
from trisect.errors import BadInputError, StaleError, TimedOutError, TrisectError
from trisect.indicators.tokens import Pepper
from trisect.store.collections import Collection, Collections
from trisect.store.intake import Imports, Progress, RejectRow, StoredEntry
from trisect.wire.v1 import collections_pb2

Converted: TypeAlias = tuple[list[StoredEntry], list[RejectRow]]

_log = logging.getLogger(__name__)
ROWS = Counter("trisect_import_rows", "Imported rows by outcome.", ["outcome"])
STALLED_S = 120.0
IN_FLIGHT = 4
SMALL_ROWS = 2_000
"""Up to so many rows a thread is faster than starting worker processes."""
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
        clock: Clock,
        randomness: Randomness,
    ) -> None:
        self._collections = collections
        self._imports = imports
        self._peppers = peppers
        self._count = workers or max(1, (os.cpu_count() or 1))
        self._clock = clock
        self._randomness = randomness
        self._processes: Executor | None = None
        self._thread = ThreadPoolExecutor(1, "small import")

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
        """
        self._peppers.require_ready()
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
            async for count, taken, rejects in _together(self._converted(target.spelling, chain, batches)):
                before = progress
                progress = await asyncio.to_thread(
                    self._imports.add, progress, taken, rejects, epoch=epoch, batches=count
                )
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
            progress = await asyncio.to_thread(self._imports.begin, collection.id, b"")
            progress = await asyncio.to_thread(self._imports.add, progress, [row], [], epoch=epoch)
            await asyncio.to_thread(self._imports.finish, progress)

    async def close(self) -> None:
        """End the worker processes."""
        for executor in (self._processes, self._thread):
            if executor is not None:
                await asyncio.to_thread(executor.shutdown, cancel_futures=True)

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
                waiting.append(self._submit(seen, batch.SerializeToString(), spelling, chain))
                if len(waiting) >= IN_FLIGHT:
                    yield await waiting.popleft()
            while waiting:
                yield await waiting.popleft()
        except BrokenProcessPool as error:
            self._processes = None
            raise ImportWorkerLostError(
                "a worker process of the import died; what was committed stays",
                hint="repeat the import: it goes on where it stopped",
            ) from error
        finally:
            for future in waiting:
                future.cancel()

    def _submit(
        self, seen: int, data: bytes, spelling: Spelling, chain: tuple[Pepper, ...]
    ) -> asyncio.Future[Any]:
        executor: Executor = self._thread
        if seen > SMALL_ROWS:
            if self._processes is None:
                self._processes = ProcessPoolExecutor(
                    self._count, mp_context=multiprocessing.get_context("spawn")
                )
            executor = self._processes
        return asyncio.get_running_loop().run_in_executor(executor, convert, data, spelling, chain)


async def _together(
    converted: AsyncIterator[Converted],
) -> AsyncIterator[tuple[int, list[StoredEntry], list[RejectRow]]]:
    """Join batches to a transaction's worth; gives how many were joined, and their rows sorted by token."""
    count, taken, rejects = 0, list[StoredEntry](), list[RejectRow]()
    async for entries, refused in converted:
        count, taken, rejects = count + 1, taken + entries, rejects + refused
        if len(taken) + len(rejects) >= COMMIT_ROWS:
            yield count, sorted(taken, key=itemgetter(0)), rejects
            count, taken, rejects = 0, [], []
    if count:
        yield count, sorted(taken, key=itemgetter(0)), rejects


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
            raise BadInputError("an import sent an empty batch")
        yield batch
