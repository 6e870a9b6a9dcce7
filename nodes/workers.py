"""Worker processes for exchanges: one each, disposable, forked from a nursery so that none waits for the engine to load.

Cancelling an exchange kills its worker, since the engine's calls cannot be cancelled.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from typing import TypeVar, TypeVarTuple

import numpy as np
from prometheus_client import Counter

from nodes.psi_worker import COMMAND, GROW, GROW_ADD, GROW_END, LOAD_CLIENT, LOAD_SERVER, OK, REPLY, WORKER
from trisect.errors import TrisectError, VerificationError
from trisect.psi.halves import Compute, Half, Operation
from trisect.record.snapshots import SnapshotTree
from trisect.record.tree import HASH_BYTES

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
_log = logging.getLogger(__name__)
PIPE_LIMIT = 4 * 1024 * 1024
PIPE_CHUNK = 1024 * 1024
MAX_REPLY_BYTES = PIPE_LIMIT
ANSWER_S = 30.0
"""How long a nursery may take to answer, the loading of the engine included; it is replaced then."""
STARTED = Counter("trisect_psi_workers", "Worker processes started.")
LOST = Counter("trisect_psi_workers_lost", "Worker processes that died in the middle of their work.")


class WorkerLostError(TrisectError):
    """The exchange's worker process died; nothing of its work is used."""

    code = "TRI-WORKER"


class Worker:
    """One worker process.

    Args:
        pid: its process id.
        commands: the way to it.
        replies: the way back.

    Attributes:
        pid: its process id.
    """

    def __init__(self, pid: int, commands: asyncio.StreamWriter, replies: asyncio.StreamReader) -> None:
        self.pid = pid
        self._commands = commands
        self._replies = replies

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
        return bytes(body), []

    async def grow(self, name: bytes, tokens: bytes, secret: bytes, size: int) -> SnapshotTree:
        """Have it make the tree of a snapshot, as `trisect.record.snapshots.grow` does."""
        await self._call(GROW, 0, size, name + secret)
        for at in range(0, len(tokens), PIPE_CHUNK):
            await self._call(GROW_ADD, 0, 0, tokens[at : at + PIPE_CHUNK])
        made = await self._call(GROW_END, 0, 0, b"", most=(size + 1) * HASH_BYTES)
        root = bytes(made[:HASH_BYTES])
        del made[:HASH_BYTES]
        return SnapshotTree(name, root, made)

    def close(self) -> None:
        """Close the way to it, which it notices when it has done what it does."""
        self._commands.transport.abort()

    async def _call(
        self,
        operation: int,
        first: int,
        count: int,
        body: bytes | memoryview,
        *,
        most: int = MAX_REPLY_BYTES,
    ) -> bytearray:
        try:
            await _write(self._commands, COMMAND.pack(operation, first, count, len(body)))
            for at in range(0, len(body), PIPE_CHUNK):
                await _write(self._commands, body[at : at + PIPE_CHUNK])
            status, length = REPLY.unpack(await self._replies.readexactly(REPLY.size))
            result, left = bytearray(), min(length, most)
            while piece := min(PIPE_CHUNK, left - len(result)):
                result += await self._replies.readexactly(piece)
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


class Nursery:
    """The process that workers are forked from; another takes its place when it has died. Called from one thread."""

    def __init__(self) -> None:
        self._running: tuple[subprocess.Popen[bytes], socket.socket] | None = None
        self._numbers = itertools.count(1)

    def start(self) -> None:
        """Start it, unless it runs."""
        self._start()

    def fork(self) -> tuple[int, int, socket.socket]:
        """Give a new worker's number, its process id, and the node's end of the socket to it.

        Raises:
            WorkerLostError: there is no worker, from a second nursery neither.
        """
        try:
            return self._fork()
        except OSError as error:
            self._end(error)
        try:
            return self._fork()
        except OSError as error:
            self._end(error)
            raise _none() from error

    def kill(self, number: int) -> None:
        """Kill a worker and wait until it is gone; where its nursery is gone, it ends with its socket."""
        if self._running is None:
            return
        try:
            self._ask(number, [])
        except OSError as error:
            self._end(error)

    def close(self) -> None:
        """End it; workers end with their exchanges."""
        self._end()

    def _start(self) -> socket.socket:
        if self._running is None:
            ours, theirs = socket.socketpair()
            ours.settimeout(ANSWER_S)
            with theirs:
                process = subprocess.Popen(
                    [sys.executable, "-m", "nodes.psi_worker"],
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},  # a thread would not be in the fork
                )
            self._running = process, ours
        return self._running[1]

    def _fork(self) -> tuple[int, int, socket.socket]:
        number = next(self._numbers)
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                pid = self._ask(number, [theirs.fileno()])
            if not pid:
                raise _none()
        except (OSError, WorkerLostError):
            ours.close()
            raise
        return number, pid, ours

    def _ask(self, number: int, files: list[int]) -> int:
        asking = self._start()
        socket.send_fds(asking, [WORKER.pack(number)], files)
        answer = asking.recv(WORKER.size)
        if len(answer) != WORKER.size:
            raise ConnectionResetError
        found: int = WORKER.unpack(answer)[0]
        return found

    def _end(self, why: OSError | None = None) -> None:
        if self._running is not None:
            process, asking = self._running
            asking.close()
            process.kill()
            code = process.wait()
            if why is not None:
                _log.warning(
                    "the process that PSI workers are forked from is replaced",
                    extra={"cause": type(why).__name__, "exit_code": code},
                )
        self._running = None


class Workers:
    """All worker processes of a node."""

    def __init__(self, limit: int) -> None:
        self.limit(limit)
        self._nursery = Nursery()
        self._thread = ThreadPoolExecutor(1, "psi workers")  # whose waiting holds up nothing else
        self._closed = False
        self._growing = asyncio.Semaphore(1)  # of its own: an exchange that has a worker waits for its tree

    def limit(self, count: int) -> None:
        """Let so many be lent at one time; those that are lent already do not count."""
        self._slots = asyncio.Semaphore(count)

    async def warm(self) -> None:
        """Have the engine loaded, so that the first worker need not wait for it; that one tells of a failure."""
        with suppress(OSError):
            await self._do(self._nursery.start)

    async def grow(self, name: bytes, tokens: bytes, secret: bytes, size: int) -> SnapshotTree:
        """Have a worker make the tree of a snapshot, one at a time; see `Worker.grow`."""
        async with self._growing, self._lent() as worker:
            return await worker.grow(name, tokens, secret, size)

    @asynccontextmanager
    async def take(self) -> AsyncIterator[Worker]:
        """Lend a fresh worker, which ends with the block; waits while too many run."""
        async with self._slots, self._lent() as worker:
            yield worker

    @asynccontextmanager
    async def _lent(self) -> AsyncIterator[Worker]:
        number, pid, ours = await self._do(self._nursery.fork)
        STARTED.inc()
        replies, commands = await asyncio.open_unix_connection(sock=ours, limit=PIPE_LIMIT)
        worker = Worker(pid, commands, replies)
        try:
            yield worker
        finally:
            worker.close()
            if not self._closed:
                await asyncio.shield(self._do(self._nursery.kill, number))

    async def close(self) -> None:
        """End the nursery for good; workers that are lent end with their blocks."""
        if not self._closed:
            closing = self._do(self._nursery.close)
            self._closed = True
            self._thread.shutdown(wait=False)
            await closing

    def _do(self, work: Callable[[*Ts], T], *arguments: *Ts) -> asyncio.Future[T]:
        if self._closed:
            raise _none()
        return asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)


def _none() -> WorkerLostError:
    return WorkerLostError(
        "no PSI worker process could be started",
        hint="a lack of memory or of process ids, or a broken installation, can do this: see `trisect doctor`; the "
        "exchange can be started anew",
    )


async def _write(commands: asyncio.StreamWriter, data: bytes | memoryview) -> None:
    """Write to a worker's pipe; raises ConnectionError where it is gone, which uvloop alone calls a RuntimeError."""
    if commands.is_closing():
        raise BrokenPipeError
    commands.write(data)
    await commands.drain()
