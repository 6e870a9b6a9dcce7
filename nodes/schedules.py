"""Work that repeats: the node imports a file or runs a match by itself when its time has come.

A run that fails is tried again at its next time; its result is kept in a sentence. Files are read by the
node's own user.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections.abc import AsyncIterator
from pathlib import Path

from nodes.exchanges.asking import Asking
from nodes.exchanges.book import Book, error_of
from nodes.services.collections import CollectionsService
from nodes.services.matching import question
from nodes.underway import Underway
from trisect.clock import Clock, Randomness, from_text, to_text
from trisect.errors import BadInputError, TrisectError
from trisect.indicators.readers.opening import ReaderName, read_batches
from trisect.store.exchanges import ExchangeState
from trisect.store.schedules import Schedule, Schedules
from trisect.waiting import set_within
from trisect.wire.convert import batch_to_wire
from trisect.wire.v1 import collections_pb2, schedules_pb2

_log = logging.getLogger(__name__)
SHORTEST_S = 10
LONGEST_WAIT_S = 60.0


class Scheduler:
    """Runs what is due, one piece of work at a time."""

    def __init__(
        self,
        store: Schedules,
        asking: Asking,
        book: Book,
        collections: CollectionsService,
        underway: Underway,
        *,
        clock: Clock,
        randomness: Randomness,
    ) -> None:
        self._store = store
        self._asking = asking
        self._book = book
        self._collections = collections
        self._underway = underway
        self._clock = clock
        self._randomness = randomness
        self._changed = asyncio.Event()

    async def add(self, request: schedules_pb2.AddScheduleRequest) -> Schedule:
        """Record work to repeat; it runs for the first time at once.

        Raises:
            BadInputError: too often, nothing to do, or arguments that could never work.
        """
        if request.every_s < SHORTEST_S:
            raise BadInputError(
                f"a schedule repeats at most every {SHORTEST_S} s", hint="repeat it less often"
            )
        match request.WhichOneof("work"):
            case "match":
                question(request.match)
            case "import":
                self._check_import(getattr(request, "import"))
            case _:
                raise BadInputError("a schedule needs a match or an import", hint="name one of the two")
        schedule = Schedule(
            id=self._randomness(4).hex(),
            every_s=request.every_s,
            next_at=to_text(self._clock()),
            work=request.SerializeToString(),
            last_result="",
        )
        await asyncio.to_thread(self._store.add, schedule)
        self._changed.set()
        return schedule

    async def remove(self, schedule_id: str) -> None:
        """Forget a schedule; a run under way goes on."""
        await asyncio.to_thread(self._store.remove, schedule_id)

    async def run(self) -> None:
        """Run due work until cancelled."""
        while True:
            self._changed.clear()
            wait_s = LONGEST_WAIT_S
            for schedule in await asyncio.to_thread(self._store.list):
                left = (from_text(schedule.next_at) - self._clock()).total_seconds()
                if left <= 0 and not self._underway.stopping:
                    with self._underway.one():
                        await self._run_once(schedule)
                    left = schedule.every_s
                wait_s = min(wait_s, left)
            await set_within(self._changed, max(wait_s, 0.1))

    async def _run_once(self, schedule: Schedule) -> None:
        request = schedules_pb2.AddScheduleRequest.FromString(schedule.work)
        try:
            if request.WhichOneof("work") == "match":
                result = await self._match(request)
            else:
                result = await self._import(getattr(request, "import"))
        except TrisectError as error:
            result = f"failed: {error.message}"
            _log.warning("scheduled work failed", extra={"schedule": schedule.id, "code": error.code})
        next_at = self._clock() + dt.timedelta(seconds=schedule.every_s)
        await asyncio.to_thread(self._store.ran, schedule.id, next_at=to_text(next_at), result=result)

    async def _match(self, request: schedules_pb2.AddScheduleRequest) -> str:
        exchange_id = await self._asking.start(question(request.match))
        ended = await self._book.outcome(exchange_id)
        if ended.state is not ExchangeState.COMPLETE:
            error = error_of(ended)
            return f"failed: exchange {exchange_id}: {error.message if error else ended.state.value}"
        return f"exchange {exchange_id}: {ended.matched} hits"

    async def _import(self, work: schedules_pb2.ScheduledImport) -> str:
        last = None
        async for reply in self._collections.import_steps(work.begin, self._read(work)):
            last = reply
        if last is None:
            return "nothing was imported"
        progress = last.progress
        return f"{progress.rows} rows: {progress.accepted} new, {progress.duplicates} known, {progress.rejected} rejected"

    async def _read(self, work: schedules_pb2.ScheduledImport) -> AsyncIterator[collections_pb2.RawBatch]:
        path = Path(work.path)
        reader = ReaderName(work.reader) if work.reader else None
        try:
            stream = await asyncio.to_thread(path.open, "rb")
        except OSError as error:
            raise BadInputError(
                f"cannot read the file of a schedule: {error.strerror}",
                hint="check that the node's user may read it",
            ) from error
        with stream:
            batches = read_batches(
                stream, name=path.name, reader=reader, mapping=dict(work.mapping), clock=self._clock
            )
            while (batch := await asyncio.to_thread(next, batches, None)) is not None:
                yield batch_to_wire(batch)

    def _check_import(self, work: schedules_pb2.ScheduledImport) -> None:
        if not Path(work.path).is_absolute():
            raise BadInputError(
                "a scheduled import needs the absolute path of its file",
                hint="write it from the root on, as /srv/lists/numbers.csv",
            )
        if work.reader and work.reader not in set(ReaderName):
            raise BadInputError("there is no such reader", hint=f"readers: {', '.join(ReaderName)}")
        self._collections.check_begin(work.begin)
