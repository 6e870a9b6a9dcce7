"""A task that is told to end ends, whatever comes in the same moment."""

from __future__ import annotations

import asyncio

import pytest

from trisect import daemon
from trisect.waiting import set_within

SOON = 20.0


async def test_a_cancellation_counts_in_the_moment_of_the_event() -> None:
    """Before Python 3.12 `asyncio.wait_for` gives the result instead, and its caller goes on."""
    event = asyncio.Event()
    waiting = asyncio.create_task(set_within(event, SOON))
    await asyncio.sleep(0)
    event.set()
    assert waiting.cancel()
    await asyncio.wait({waiting}, timeout=SOON)
    assert waiting.cancelled()


async def test_it_tells_whether_the_event_came() -> None:
    event = asyncio.Event()
    assert not await set_within(event, 0.01)
    event.set()
    assert await set_within(event, None)


async def test_a_swallowed_cancellation_does_not_keep_a_daemon_from_ending(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(daemon, "CANCEL_AGAIN_S", 0.05)
    tasks = daemon.Tasks()
    swallowed = []

    async def deaf_once() -> None:
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if swallowed:
                    raise
                swallowed.append(True)

    tasks.start(deaf_once(), "deaf once")
    await asyncio.sleep(0)
    async with asyncio.timeout(SOON):
        await tasks.stop()
    assert swallowed
    assert [record.__dict__["tasks"] for record in caplog.records] == ["deaf once"]
    assert not tasks.failed.done()
