"""What one party, or two that collude, can take of the relay: a share, and not for ever."""

from __future__ import annotations

import asyncio

import pytest
from unit.coordinator.ends import SOON, End, answering, board, frame, offered, request, until

from coordinator.config import Relay
from coordinator.switchboard import Switchboard
from nodes.exchanges.terms import ENCRYPTED_S
from trisect.errors import ExhaustedError, TimedOutError
from trisect.psi.bands import LARGEST_SET, band
from trisect.psi.items import server_size


async def opened(switchboard: Switchboard, number: int, asker: str, answerer: str) -> str:
    """Open an exchange between two nodes; gives its id."""
    link = switchboard.attach(answerer)
    exchange = number.to_bytes(16, "big")
    calling = switchboard.call(asker, request(answerer, exchange=exchange))
    await asyncio.gather(answering(switchboard, link), calling)
    return exchange.hex()


async def test_two_that_collude_leave_places_for_others() -> None:
    switchboard = board(most=3)
    pairs = [("mallory", "trudy"), ("trudy", "mallory")]
    for number in range(6):
        await opened(switchboard, number, *pairs[number % 2])
    for asker, answerer in pairs:
        link = switchboard.attach(answerer)
        with pytest.raises(ExhaustedError, match=f"3 exchanges open that {asker} asked for"):
            await switchboard.call(asker, request(answerer, exchange=b"more" * 4))
        assert link.down.empty()
    await opened(switchboard, 7, "telco", "bank")
    await opened(switchboard, 8, "telco", "trudy")
    assert switchboard.running == 8


async def test_a_party_that_is_asked_much_may_still_ask() -> None:
    switchboard = board(most=1)
    for number, asker in enumerate(("mallory", "trudy", "proxy")):
        await opened(switchboard, number, asker, "bank")
    await opened(switchboard, 9, "bank", "telco")


async def test_an_ended_exchange_frees_its_place() -> None:
    switchboard = board(most=1)
    for number in range(3):
        exchange_id = await opened(switchboard, number, "telco", "bank")
        ends = End(switchboard, "telco", exchange_id), End(switchboard, "bank", exchange_id)
        for end in ends:
            end.send(None)
        await asyncio.wait_for(asyncio.gather(*(end.all() for end in ends)), SOON)


async def test_an_end_that_lingers_takes_a_place_of_its_own_party_only() -> None:
    """It has all to read and does not, while the other end and the exchange are gone."""
    switchboard = board(most=1)
    first = await opened(switchboard, 1, "telco", "mallory")
    lingering, honest = End(switchboard, "mallory", first), End(switchboard, "telco", first)
    honest.send(frame(1), None)
    lingering.send(None)
    done = honest.start()
    await lingering.next()
    await asyncio.wait_for(done, SOON)
    assert switchboard.running == 0
    second = await opened(switchboard, 2, "telco", "mallory")
    with pytest.raises(ExhaustedError, match="that mallory is in"):
        await End(switchboard, "mallory", second).next()
    switchboard.drop("mallory")
    third = await opened(switchboard, 3, "telco", "bank")
    ends = End(switchboard, "telco", third), End(switchboard, "bank", third)
    for end in ends:
        end.send(None)
    await asyncio.wait_for(asyncio.gather(*(end.all() for end in ends)), SOON)
    await lingering.replies.aclose()  # type: ignore[attr-defined]
    fourth = await opened(switchboard, 4, "bank", "mallory")
    joining = End(switchboard, "mallory", fourth).start()
    await asyncio.sleep(0)
    assert not joining.done()
    joining.cancel()


async def test_an_exchange_over_which_nothing_passes_is_ended_for_both() -> None:
    switchboard = board(idle_s=0.05)
    await offered(switchboard)
    ends = [End(switchboard, party).start() for party in ("telco", "bank")]
    for end in ends:
        with pytest.raises(TimedOutError, match="no frame"):
            await asyncio.wait_for(end, SOON)
    assert switchboard.running == 0


async def test_silence_counts_from_the_last_frame_on() -> None:
    switchboard = board(idle_s=1_000)
    await offered(switchboard)
    asker, answerer = End(switchboard, "telco"), End(switchboard, "bank")
    sending, receiving = asker.start(), answerer.start()
    (found,) = switchboard._exchanges.values()
    found.moved_at -= 2_000
    asker.send(frame(1))
    await until(lambda: passed_lately(found.moved_at))
    switchboard._end_idle(found)
    assert switchboard.running == 1
    found.moved_at -= 2_000
    switchboard._end_idle(found)
    for end in (sending, receiving):
        with pytest.raises(TimedOutError):
            await asyncio.wait_for(end, SOON)


async def test_silence_is_looked_for_again_after_a_frame() -> None:
    """The first look finds a frame that passed lately, and only a later one finds silence."""
    switchboard = board(idle_s=0.2)
    await offered(switchboard)
    asker, answerer = End(switchboard, "telco"), End(switchboard, "bank")
    sending, receiving = asker.start(), answerer.start()
    (found,) = switchboard._exchanges.values()
    found.moved_at += 0.1
    for end in (sending, receiving):
        with pytest.raises(TimedOutError, match="no frame"):
            await asyncio.wait_for(end, SOON)


def passed_lately(moved_at: float) -> bool:
    return moved_at > asyncio.get_running_loop().time() - 1_000


def test_the_relay_waits_longer_than_a_node_for_the_largest_sets() -> None:
    largest = band(LARGEST_SET)
    assert Relay().idle_timeout_s > server_size(largest, largest) * ENCRYPTED_S + 60
