"""Runs an iterator in a thread, a few items ahead of the loop that takes them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Generic, Self, TypeVar

T = TypeVar("T")


class Ahead(Generic[T]):
    """An asynchronous iterator over what a slow, blocking one gives.

    The thread is a daemon: a read of a terminal or a pipe that never ends does not keep Ctrl-C from ending the
    command.

    Args:
        items: the iterator; only the thread touches it.
        depth: how many items may wait.
    """

    def __init__(self, items: Iterator[T], depth: int) -> None:
        self._items = items
        self._slots = threading.Semaphore(depth)
        self._loop = asyncio.get_running_loop()
        self._ready: asyncio.Queue[tuple[T] | BaseException | None] = asyncio.Queue()
        threading.Thread(target=self._work, name="ahead", daemon=True).start()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        found = await self._ready.get()
        if found is None:
            raise StopAsyncIteration
        if isinstance(found, BaseException):
            raise found
        self._slots.release()
        return found[0]

    def _work(self) -> None:
        try:
            for item in self._items:
                self._slots.acquire()
                self._hand_over((item,))
        except Exception as error:  # noqa: BLE001  (raised again where the items are taken)
            self._hand_over(error)
        else:
            self._hand_over(None)

    def _hand_over(self, what: tuple[T] | BaseException | None) -> None:
        with suppress(RuntimeError):  # the loop has ended, and nobody waits any more
            self._loop.call_soon_threadsafe(self._ready.put_nowait, what)
