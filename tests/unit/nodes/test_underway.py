"""What a stop waits for, and for how long."""

from __future__ import annotations

import asyncio

import pytest

from nodes.exchanges.slots import Slots
from nodes.underway import Underway
from trisect.errors import UnreachableError
from trisect.store.exchanges import Side

SOON = 10.0
LONG = 600.0


async def test_with_nothing_under_way_a_stop_waits_for_nothing() -> None:
    underway = Underway()
    with underway.one():
        pass
    await asyncio.wait_for(underway.ended(LONG), SOON)


async def test_it_waits_for_all_and_lets_nothing_begin() -> None:
    underway = Underway()
    slots = Slots(4, underway)
    asked, answered = slots.take(Side.ASKER, "bank"), slots.take(Side.ANSWERER, "bank")
    ending = asyncio.create_task(underway.ended(LONG))
    await asyncio.sleep(0)
    with pytest.raises(UnreachableError, match="being stopped"):
        slots.take(Side.ASKER, "proxy")
    asked.close()
    for _ in range(10):
        await asyncio.sleep(0)
    assert not ending.done()
    answered.close()
    await asyncio.wait_for(ending, SOON)


async def test_it_waits_no_longer_than_it_may(caplog: pytest.LogCaptureFixture) -> None:
    underway = Underway()
    with underway.one():
        await asyncio.wait_for(underway.ended(0.0), SOON)
    assert "the node stops in the middle of work" in caplog.messages


def test_failed_work_counts_no_longer() -> None:
    underway = Underway()
    with pytest.raises(RuntimeError), underway.one():
        raise RuntimeError
    asyncio.run(asyncio.wait_for(underway.ended(LONG), SOON))
