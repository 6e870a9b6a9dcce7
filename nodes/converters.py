"""Processes that turn raw rows into entries: started by a large import, ended when none has come for a while.

They hold raw values, so they end with their node, also with one that was killed.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import multiprocessing.connection
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager

from nodes.untreated import Converted, Spelling, convert
from trisect.indicators.tokens import Pepper

SMALL_ROWS = 2_000
"""Up to so many rows a thread is faster than starting processes."""
IDLE_S = 30.0


class Converters:
    """The converting processes of one node.

    Args:
        count: how many; 0 for one a processor.
    """

    def __init__(self, count: int) -> None:
        self._count = count or os.cpu_count() or 1
        self._thread = ThreadPoolExecutor(1, "small import")
        self._processes: Executor | None = None
        self._users = 0
        self._rest: asyncio.TimerHandle | None = None

    @contextmanager
    def used(self) -> Iterator[None]:
        """Keep the processes until the block ends, and for a while after."""
        self._users += 1
        if self._rest is not None:
            self._rest.cancel()
        try:
            yield
        finally:
            self._users -= 1
            if not self._users:
                self._rest = asyncio.get_running_loop().call_later(IDLE_S, self.forget)

    def convert(
        self, seen: int, data: bytes, spelling: Spelling, chain: Sequence[Pepper]
    ) -> asyncio.Future[Converted]:
        """Begin to convert a serialised batch; `seen` rows of its import have come, its own among them."""
        executor: Executor = self._thread
        if seen > SMALL_ROWS:
            if self._processes is None:
                spawn = multiprocessing.get_context("spawn")
                self._processes = ProcessPoolExecutor(
                    self._count, mp_context=spawn, initializer=_end_with_node
                )
            executor = self._processes
        return asyncio.get_running_loop().run_in_executor(executor, convert, data, spelling, chain)

    def forget(self) -> None:
        """Let the processes go, when none is needed or one has died; the next large import starts others."""
        former, self._processes = self._processes, None
        if former is not None:
            former.shutdown(wait=False)

    async def close(self) -> None:
        """End everything."""
        if self._rest is not None:
            self._rest.cancel()
        for executor in (self._processes, self._thread):
            if executor is not None:
                await asyncio.to_thread(executor.shutdown, cancel_futures=True)


def _end_with_node() -> None:
    """In a worker: end when the node has; nothing else tells a worker that waits for work."""
    node = multiprocessing.parent_process()
    assert node is not None  # noqa: S101  (a worker has one)

    def wait() -> None:
        multiprocessing.connection.wait([node.sentinel])
        os._exit(1)

    threading.Thread(target=wait, name="wait for the node's end", daemon=True).start()
