"""The heartbeat tells when the event loop was blocked, and forgets it after a while."""

from __future__ import annotations

import asyncio
import threading

import pytest

from trisect import beat


async def test_a_blocked_loop_is_told_and_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beat, "LAG_WINDOW_S", 0.5)
    found = beat.Beat()
    running = asyncio.create_task(found.run())
    async with asyncio.timeout(10):
        await asyncio.sleep(2 * beat.HEARTBEAT_S)
        threading.Event().wait(0.3)  # blocks this loop, as a long computation would
        while found.worst_s < 0.2:  # until the late beat has been written down
            await asyncio.sleep(0)
        while found.worst_s > 0.2:  # until its windows are over
            await asyncio.sleep(beat.HEARTBEAT_S)
    running.cancel()
