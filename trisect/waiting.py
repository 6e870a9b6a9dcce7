"""Waiting for an event no longer than so many seconds.

Not `asyncio.wait_for`, which the linter forbids: before Python 3.12 it swallows a cancellation that comes in the
moment in which what it waits for comes, and a task that goes on after its cancellation keeps its daemon from ending.
"""

from __future__ import annotations

import asyncio


async def set_within(event: asyncio.Event, seconds: float | None) -> bool:
    """Wait until an event is set; gives whether it is, which it may not be after so many seconds."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return event.is_set()
    return True
