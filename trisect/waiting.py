"""Waiting: for an event no longer than so many seconds, and for work that ends whoever waits.

Not `asyncio.wait_for`, which the linter forbids: before Python 3.12 it swallows a cancellation that comes in the
moment in which what it waits for comes, and a task that goes on after its cancellation keeps its daemon from ending.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
_whole: set[asyncio.Task[Any]] = set()


async def set_within(event: asyncio.Event, seconds: float | None) -> bool:
    """Wait until an event is set; gives whether it is, which it may not be after so many seconds."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return event.is_set()
    return True


async def whole(work: Coroutine[Any, Any, T]) -> T:
    """Do to its end what must not stop half-way, also where whoever waits for it is cancelled meanwhile."""
    task = asyncio.create_task(work)
    _whole.add(task)
    task.add_done_callback(_ended)
    return await asyncio.shield(task)


def _ended(task: asyncio.Task[Any]) -> None:
    _whole.discard(task)
    if not task.cancelled():
        task.exception()  # whoever waited has it, or has gone
