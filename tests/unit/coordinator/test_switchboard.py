"""The relay without its wire: calls, links, and who joins which exchange."""

from __future__ import annotations

import asyncio
import itertools

import pytest
from unit.coordinator.ends import (
    EXCHANGE,
    ID,
    OFFER,
    SIZES,
    SOON,
    End,
    Recorded,
    answering,
    board,
    frame,
    offered,
    permit,
    request,
    until,
)

from coordinator import switchboard as module
from coordinator.links import LINK_QUEUE
from coordinator.switchboard import FEW_ELEMENTS, Switchboard
from trisect.errors import (
    ConflictError,
    DeniedError,
    ExhaustedError,
    TimedOutError,
    TrisectError,
    UnreachableError,
)
from trisect.psi.items import client_size, server_size
from trisect.rpc.status import detail
from trisect.wire.v1 import relay_pb2 as pb


async def test_a_call_reaches_the_other_node_and_its_answer_comes_back() -> None:
    recorder = Recorded()
    switchboard = board(recorder=recorder)
    call = await offered(switchboard)
    assert getattr(call, "from") == "telco"
    assert (call.method, call.exchange_id, call.body) == (OFFER, EXCHANGE, b"offer")
    assert recorder.data == [b"offer", b"reply"]


async def test_an_offline_peer_is_named_at_once() -> None:
    switchboard = board()
    with pytest.raises(UnreachableError, match="bank") as caught:
        await switchboard.call("telco", request())
    assert "bank" in caught.value.hint
    assert switchboard.running == 0


async def test_frames_pass_both_ways_in_order() -> None:
    recorder = Recorded()
    switchboard = board(recorder=recorder)
    await offered(switchboard)
    asker, answerer = End(switchboard, "telco"), End(switchboard, "bank")
    asker.send(*(frame(number) for number in range(30)), None)
    answerer.send(*(frame(number) for number in range(100, 150)), None)
    got = await asyncio.wait_for(asyncio.gather(asker.all(), answerer.all()), SOON)
    assert got == [list(range(100, 150)), list(range(30))]
    assert switchboard.running == 0
    assert sorted(recorder.data[2:]) == sorted(
        b"sealed %d" % number for number in [*range(30), *range(100, 150)]
    )


async def test_an_end_that_has_finished_sending_still_receives() -> None:
    switchboard = board()
    await offered(switchboard)
    asker, answerer = End(switchboard, "telco"), End(switchboard, "bank")
    asker.send(None)
    receiving, other = asker.start(), answerer.start()
    answerer.send(frame(1), frame(2), None)
    assert await asyncio.wait_for(receiving, SOON) == [1, 2]
    assert await asyncio.wait_for(other, SOON) == []


async def test_a_refused_offer_leaves_no_exchange() -> None:
    switchboard = board()
    await offered(switchboard, accepted=False)
    assert switchboard.running == 0
    for party in ("telco", "bank"):
        with pytest.raises(DeniedError, match="no such exchange"):
            await End(switchboard, party).next()


async def test_an_answerer_may_join_before_its_acceptance_has_arrived() -> None:
    switchboard = board()
    link = switchboard.attach("bank")
    calling = asyncio.create_task(switchboard.call("telco", request()))
    message = await link.down.get()
    assert message is not None
    permit(switchboard, message.call, "bank")
    answerer = End(switchboard, "bank")
    early = answerer.start()
    await until(lambda: switchboard.running)
    switchboard.answer(link, pb.CallAnswer(call_id=message.call.call_id, accepted=True))
    await calling
    asker = End(switchboard, "telco")
    asker.send(frame(1), None)
    answerer.send(None)
    assert await asyncio.wait_for(asker.all(), SOON) == []
    assert await asyncio.wait_for(early, SOON) == [1]


async def test_an_answerer_that_joined_and_then_refuses_is_let_go() -> None:
    switchboard = board()
    link = switchboard.attach("bank")
    calling = asyncio.create_task(switchboard.call("telco", request()))
    message = await link.down.get()
    assert message is not None
    permit(switchboard, message.call, "bank")
    early = End(switchboard, "bank").start()
    await asyncio.sleep(0)
    switchboard.answer(link, pb.CallAnswer(call_id=message.call.call_id, accepted=False))
    await calling
    with pytest.raises(UnreachableError):
        await asyncio.wait_for(early, SOON)
    assert switchboard.running == 0


@pytest.mark.parametrize("method", [pb.PEER_METHOD_RECEIPT, pb.PEER_METHOD_INQUIRE])
async def test_other_calls_open_no_exchange(method: pb.PeerMethod) -> None:
    switchboard = board()
    link = switchboard.attach("bank")
    await asyncio.gather(answering(switchboard, link), switchboard.call("telco", request(method=method)))
    assert switchboard.running == 0


async def test_a_third_party_cannot_join() -> None:
    switchboard = board()
    await offered(switchboard)
    with pytest.raises(DeniedError, match="between other parties"):
        await End(switchboard, "proxy").next()
    assert switchboard.running == 1


async def test_nobody_joins_twice() -> None:
    switchboard = board()
    await offered(switchboard)
    first = End(switchboard, "telco").start()
    await asyncio.sleep(0)
    with pytest.raises(DeniedError, match="joined before"):
        await End(switchboard, "telco").next()
    answerer = End(switchboard, "bank")
    answerer.send(frame(1), None)
    with pytest.raises(TrisectError):
        await asyncio.wait_for(asyncio.gather(first, self_ended(answerer, switchboard)), SOON)


async def self_ended(end: End, switchboard: Switchboard) -> None:
    """Have one end's party dropped once it has joined."""
    joining = end.start()
    await asyncio.sleep(0)
    switchboard.drop("bank")
    await joining


async def test_an_id_that_is_open_is_not_opened_again_by_anybody() -> None:
    switchboard = board()
    await offered(switchboard)
    link = switchboard.attach("proxy")
    for asker in ("telco", "bank", "government"):
        with pytest.raises(ConflictError, match="already"):
            await switchboard.call(asker, request("proxy"))
    assert switchboard.running == 1
    assert link.down.empty(), "the node that was asked hears nothing of it"
    assert link.waiting == {}, "nothing waits for an answer that will not come"


async def test_there_are_not_endlessly_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_OPEN_EXCHANGES", 1)
    switchboard = board()
    await offered(switchboard)
    with pytest.raises(ExhaustedError, match="too many"):
        await switchboard.call("proxy", request(exchange=b"f" * 16))


async def test_an_exchange_that_nobody_joins_is_forgotten() -> None:
    switchboard = board(pair_s=0.01, idle_s=1_000)
    await offered(switchboard)
    await until(lambda: not switchboard.running)
    with pytest.raises(DeniedError):
        await End(switchboard, "telco").next()


async def test_a_call_without_an_answer_times_out_and_leaves_nothing() -> None:
    switchboard = board(call_s=0.01)
    link = switchboard.attach("bank")
    with pytest.raises(TimedOutError, match="bank"):
        await switchboard.call("telco", request())
    assert (switchboard.running, link.waiting) == (0, {})
    message = await link.down.get()
    assert message is not None
    switchboard.answer(link, pb.CallAnswer(call_id=message.call.call_id, accepted=True))
    assert switchboard.running == 0, "an answer that comes too late opens nothing"


async def test_an_answer_to_somebody_elses_call_is_dropped() -> None:
    switchboard = board(call_s=0.05)
    switchboard.attach("bank")
    rogue = switchboard.attach("proxy")
    calling = asyncio.create_task(switchboard.call("telco", request()))
    await asyncio.sleep(0)
    switchboard.answer(rogue, pb.CallAnswer(call_id=1, body=b"forged", accepted=True))
    with pytest.raises(TimedOutError):
        await calling


async def test_a_node_that_could_not_answer_says_why() -> None:
    switchboard = board()
    link = switchboard.attach("bank")
    calling = asyncio.create_task(switchboard.call("telco", request()))
    message = await link.down.get()
    assert message is not None
    error = detail(ConflictError("it still runs here"))
    switchboard.answer(link, pb.CallAnswer(call_id=message.call.call_id, error=error))
    with pytest.raises(ConflictError, match="still runs"):
        await calling
    assert switchboard.running == 0


@pytest.mark.parametrize("how", ["detached", "replaced"])
async def test_a_link_that_goes_fails_what_waits_for_it(how: str) -> None:
    switchboard = board()
    link = switchboard.attach("bank")
    calling = asyncio.create_task(switchboard.call("telco", request()))
    await until(lambda: link.waiting)
    newer = switchboard.attach("bank") if how == "replaced" else None
    switchboard.detach(link)
    with pytest.raises(UnreachableError, match="bank"):
        await asyncio.wait_for(calling, SOON)
    assert switchboard.running == 0
    assert switchboard.attached("bank") is (newer is not None)
    assert await link.down.get() is None


async def test_a_link_in_place_of_another_drops_neither_answers_nor_exchanges() -> None:
    """As when a node moves its link to a connection with a renewed certificate."""
    switchboard = board()
    former = switchboard.attach("bank")
    calling = asyncio.create_task(switchboard.call("telco", request()))
    message = await asyncio.wait_for(former.down.get(), SOON)
    assert message is not None
    permit(switchboard, message.call, "bank")
    newer = switchboard.attach("bank")
    assert former.down.empty(), "a call is not answered yet"
    switchboard.notify(pb.LinkDown(statements_changed=pb.StatementsChanged(newest_statement=1)))
    assert (former.down.qsize(), newer.down.qsize()) == (0, 1)
    answer = pb.CallAnswer(call_id=message.call.call_id, body=b"reply", accepted=True)
    switchboard.answer(former, answer)
    assert await asyncio.wait_for(calling, SOON) == b"reply"
    assert await asyncio.wait_for(former.down.get(), SOON) is None
    switchboard.detach(former)
    assert switchboard.attached("bank")
    asker, answerer = End(switchboard, "telco"), End(switchboard, "bank")
    asker.send(frame(1), None)
    answerer.send(None)
    assert await asyncio.wait_for(asyncio.gather(asker.all(), answerer.all()), SOON) == [[], [1]]


async def test_a_former_link_without_calls_ends_at_once() -> None:
    switchboard = board()
    former = switchboard.attach("bank")
    switchboard.attach("bank")
    assert await asyncio.wait_for(former.down.get(), SOON) is None


async def test_a_node_that_does_not_read_loses_its_link_and_holds_nobody_up() -> None:
    switchboard = board()
    slow, quick = switchboard.attach("slow"), switchboard.attach("quick")
    for number in range(LINK_QUEUE + 1):
        switchboard.notify(pb.LinkDown(statements_changed=pb.StatementsChanged(newest_statement=number)))
        if number < LINK_QUEUE:
            assert (await quick.down.get()) is not None
    assert slow.down.qsize() == 1
    assert await slow.down.get() is None


async def test_no_frame_passes_without_a_permit() -> None:
    switchboard = board()
    await offered(switchboard, permitted=False)
    for party in ("telco", "bank"):
        with pytest.raises(DeniedError, match="no permit"):
            await End(switchboard, party).next()


async def test_a_permit_is_for_an_offer_that_waits_and_used_once() -> None:
    switchboard = board()
    for asker, answerer in (("telco", "bank"), ("bank", "telco")):
        with pytest.raises(DeniedError, match="no such offer"):
            switchboard.judged(ID, asker, answerer)
    await offered(switchboard, permitted=False)
    for asker, answerer in (("bank", "telco"), ("telco", "proxy"), ("proxy", "bank")):
        with pytest.raises(DeniedError, match="no such offer"):
            switchboard.judged(ID, asker, answerer)
    switchboard.judged(ID, "telco", "bank")
    with pytest.raises(DeniedError, match="has had its permit"):
        switchboard.judged(ID, "telco", "bank")
    with pytest.raises(DeniedError, match="no permit"):
        await End(switchboard, "telco").next()


async def test_a_permit_that_comes_too_late_changes_nothing() -> None:
    board().permit(ID, 1)


@pytest.mark.parametrize(("more", "passes"), [(0, True), (1, False)])
async def test_no_end_declares_more_elements_than_its_permit_has(more: int, *, passes: bool) -> None:
    switchboard = board()
    await offered(switchboard)
    ends = End(switchboard, "telco"), End(switchboard, "bank")
    running = [end.start() for end in ends]
    most = SIZES + SIZES // 64 + FEW_ELEMENTS
    ends[0].send(frame(most - 5), frame(5 + more), None)
    ends[1].send(None)
    done = await asyncio.gather(*running, return_exceptions=True)
    if passes:
        assert done == [[], [most - 5, 5]]
    else:
        for error in done:
            assert isinstance(error, DeniedError)
            assert "telco has declared more elements" in error.message


def test_what_the_engine_evaluates_is_within_that() -> None:
    for asked, answered in itertools.product((64, 7_936, 8_192, 1_000_448, 20_000_000), repeat=2):
        sizes = asked + answered
        most = max(client_size(asked), server_size(answered, asked) + client_size(asked))
        assert most <= sizes + sizes // 64 + FEW_ELEMENTS
