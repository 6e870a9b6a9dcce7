"""Worker processes for exchanges: one each, disposable, with a warm spare so that none waits for a start.

Cancelling an exchange kills its worker, since the engine's calls cannot be cancelled.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import numpy as np
from prometheus_client import Counter

from nodes.psi_worker import COMMAND, LOAD_CLIENT, LOAD_SERVER, OK, REPLY
from trisect.errors import TrisectError, VerificationError
from trisect.psi.halves import Compute, Half, Operation

_log = logging.getLogger(__name__)
PIPE_LIMIT = 4 * 1024 * 1024
PIPE_CHUNK = 1024 * 1024
MAX_REPLY_BYTES = PIPE_LIMIT
STARTED = Counter("trisect_psi_workers", "Worker processes started.")
LOST = Counter("trisect_psi_workers_lost", "Worker processes that died in the middle of their work.")


class WorkerLostError(TrisectError):
    """The exchange's worker process died; nothing of its work is used."""

    code = "TRI-WORKER"


class Worker:
    """One worker process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.returncode is None

    async def load(self, half: Half, items: bytes | memoryview) -> None:
        """Give it the items of one exchange, 32 bytes each."""
        await self._call(LOAD_CLIENT if half is Half.CLIENT else LOAD_SERVER, 0, 0, items)

    async def compute(self, work: Compute) -> tuple[bytes, list[int]]:
        """Have it compute; gives elements, or matched indices for an intersection.

        Raises:
            VerificationError: the peer's elements are malformed.
            WorkerLostError: the process died.
        """
        body = await self._call(work.operation, work.first, work.count, work.elements)
        if work.operation is Operation.INTERSECT:
            return b"", np.frombuffer(body, ">u4").astype(np.int64).tolist()
        return body, []

    async def end(self) -> None:
        """Kill it and wait until it is gone."""
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()

    async def _call(self, operation: int, first: int, count: int, body: bytes | memoryview) -> bytes:
        commands, replies = self._process.stdin, self._process.stdout
        assert commands is not None  # noqa: S101  (started with pipes)
        assert replies is not None  # noqa: S101
        try:
            await _write(commands, COMMAND.pack(operation, first, count, len(body)))
            for at in range(0, len(body), PIPE_CHUNK):
                await _write(commands, body[at : at + PIPE_CHUNK])
            status, length = REPLY.unpack(await replies.readexactly(REPLY.size))
            result = await replies.readexactly(min(length, MAX_REPLY_BYTES))
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            LOST.inc()
            raise WorkerLostError(
                "the PSI worker process died",
                hint="a peer's malformed elements or a lack of memory can do this; the exchange has failed, "
                "nothing of it is used, and it can be started anew",
            ) from error
        if status != OK:
            raise VerificationError(result.decode(errors="replace"))
        return result


class Workers:
    """All worker processes of a node."""

    def __init__(self, limit: int) -> None:
        self.limit(limit)
        self._spare: asyncio.Task[Worker] | None = None
        self._closed = False

    def limit(self, count: int) -> None:
        """Let so many be lent at one time; those that are lent already do not count."""
        self._slots = asyncio.Semaphore(count)

    def warm(self) -> None:
        """Start the spare, unless there is one."""
        if self._spare is None and not self._closed:
            self._spare = asyncio.create_task(_start(), name="start a spare worker")

    @asynccontextmanager
    async def take(self) -> AsyncIterator[Worker]:
        """Lend a fresh worker, which ends with the block; waits while too many run."""
        async with self._slots:
            worker = await self._next()
            try:
                yield worker
            finally:
                await asyncio.shield(worker.end())
                self.warm()

    async def close(self) -> None:
        """End the spare."""
        self._closed = True
        if self._spare is not None:
            with suppress(OSError):
                await (await self._spare).end()

    async def _next(self) -> Worker:
        spare, self._spare = self._spare, None
        if spare is not None:
            worker = await spare
            if worker.alive:
                return worker
        return await _start()


async def _write(commands: asyncio.StreamWriter, data: bytes | memoryview) -> None:
    """Write to a worker's pipe; raises ConnectionError where it is gone, which uvloop alone calls a RuntimeError."""
    if commands.is_closing():
        raise BrokenPipeError
    commands.write(data)
    await commands.drain()


async def _start() -> Worker:
    STARTED.inc()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "nodes.psi_worker",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        limit=PIPE_LIMIT,
    )
    return Worker(process)
