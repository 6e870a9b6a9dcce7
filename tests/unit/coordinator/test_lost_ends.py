"""Ends that go away, never come, or do not read: the other end is told, and nothing stays open."""

from __future__ import annotations

import asyncio

import pytest
from unit.coordinator.ends import (
    SOON,
    End,
    board,
    frame,
    offered,
)

from coordinator.ends import FRAME_QUEUE
from trisect.errors import TrisectError, UnreachableError


@pytest.mark.parametrize("how", ["cancelled", "error", "closed"])
async def test_an_end_that_is_lost_ends_the_other(how: str) -> None:
    switchboard = board()
    await offered(switchboard)
    asker, answerer = End(switchboard, "telco"), End(switchboard, "bank")
    waiting = asker.start()
    answerer.send(frame(1))
    asker.send(frame(1))
    await answerer.next()
    if how == "cancelled":
        going = answerer.start()
        await asyncio.sleep(0)
        going.cancel()
        with pytest.raises(asyncio.CancelledError):
            await going
    elif how == "closed":
        await answerer.replies.aclose()  # type: ignore[attr-defined]
    else:
        answerer.send(ConnectionError("the transport broke"))
        with pytest.raises(UnreachableError):
            await answerer.next()
    with pytest.raises(UnreachableError, match="bank"):
        await asyncio.wait_for(waiting, SOON)
    assert switchboard.running == 0


async def test_a_peer_that_never_joins_is_named() -> None:
    switchboard = board(pair_s=0.01)
    await offered(switchboard)
    with pytest.raises(UnreachableError, match="bank"):
        await End(switchboard, "telco").next()
    assert switchboard.running == 0


async def test_a_peer_that_does_not_read_holds_a_bounded_number_of_frames() -> None:
    switchboard = board()
    await offered(switchboard)
    asker, answerer = End(switchboard, "telco"), End(switchboard, "bank")
    asker.send(*(frame(number) for number in range(100)), None)
    answerer.send(frame(0))
    await asyncio.wait_for(asyncio.gather(asker.next(), answerer.next()), SOON)
    for _ in range(500):
        await asyncio.sleep(0)
    assert asker.taken <= FRAME_QUEUE + 3
    switchboard.drop("telco")
    for end in (asker, answerer):
        with pytest.raises(UnreachableError):
            await asyncio.wait_for(end.all(), SOON)


async def test_a_peer_that_never_reads_ends_the_exchange_for_both() -> None:
    """A write that takes too long must not leave the writer waiting and the exchange open."""
    switchboard = board(write_s=0.05)
    await offered(switchboard)
    asker, answerer = End(switchboard, "telco"), End(switchboard, "bank")
    waiting = asker.start()
    asker.send(*(frame(number) for number in range(3 * FRAME_QUEUE)))
    await answerer.next()  # joined, and then it reads no more
    with pytest.raises(TrisectError):
        await asyncio.wait_for(waiting, SOON)
    with pytest.raises(TrisectError):
        await asyncio.wait_for(answerer.all(), SOON)
    assert switchboard.running == 0


async def test_a_peer_that_has_sent_all_and_never_reads_is_named() -> None:
    switchboard = board(write_s=0.05)
    await offered(switchboard)
    asker, answerer = End(switchboard, "telco"), End(switchboard, "bank")
    waiting = asker.start()
    asker.send(*(frame(number) for number in range(3 * FRAME_QUEUE)))
    answerer.send(None)
    await answerer.next()
    with pytest.raises(TrisectError, match="bank"):
        await asyncio.wait_for(waiting, SOON)
    assert switchboard.running == 0
    await answerer.replies.aclose()  # type: ignore[attr-defined]


@pytest.mark.parametrize("party", ["telco", "bank"])
async def test_a_suspended_party_is_dropped_from_all_its_exchanges(party: str) -> None:
    switchboard = board()
    await offered(switchboard)
    both = [End(switchboard, name).start() for name in ("telco", "bank")]
    await asyncio.sleep(0)
    switchboard.drop("proxy")
    assert switchboard.running == 1
    switchboard.drop(party)
    for task in both:
        with pytest.raises(UnreachableError):
            await asyncio.wait_for(task, SOON)
    assert switchboard.running == 0
