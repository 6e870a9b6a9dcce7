"""Two sessions joined in memory with the real engine: a match is a set intersection, and turns are kept."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from unit.psi.conftest import End, Perform, match, token

from trisect.errors import VerificationError
from trisect.psi.halves import Compute, Finished, Operation, Send
from trisect.psi.items import client_size
from trisect.psi.messages import Message, Tag
from trisect.psi.points import POINT_BYTES
from trisect.psi.sessions import AnswererSession, AskerSession, Session

NUMBERS = st.sets(st.integers(0, 60), min_size=1, max_size=45)


def check(asked: list[int], offered: list[int]) -> tuple[End, End]:
    matched, _, asker, answerer = match([token(at) for at in asked], [token(at) for at in offered])
    assert [asked[at] for at in matched] == [at for at in asked if at in set(offered)]
    return asker, answerer


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=NUMBERS, offered=NUMBERS)
@pytest.mark.usefixtures("small_blocks")
def test_a_match_is_the_set_intersection(asked: set[int], offered: set[int]) -> None:
    check(list(asked), list(offered))


@pytest.mark.parametrize("size", [1, 6, 12, 16, 17, 24])
@pytest.mark.usefixtures("small_blocks")
def test_full_and_empty_overlap_at_the_borders_of_blocks(size: int) -> None:
    check(list(range(size)), list(range(size)))
    check(list(range(size)), list(range(100, 100 + size)))
    check(list(range(size)), list(range(size - 1, size + 40)))


@pytest.mark.usefixtures("small_blocks")
def test_many_blocks_go_through_groups_of_several() -> None:
    check(list(range(400)), list(range(0, 900, 3)))


def test_real_blocks_just_above_one() -> None:
    """7,936 items and their probes make two blocks of the real size; the group logic sees both."""
    asker, answerer = check(list(range(7_930)), list(range(7_920, 7_960)))
    assert [send.elements for send in asker.said] == [0, 7_936, client_size(7_936) - 7_936]
    assert [send.last for send in asker.said] == [False, False, True]
    assert [send.last for send in answerer.said] == [False, False, True]


@pytest.mark.usefixtures("small_blocks")
def test_declared_elements_are_those_inside() -> None:
    for end in check(list(range(30)), list(range(20, 60))):
        for send in end.said:
            assert len(send.plaintext) == 5 + POINT_BYTES * send.elements
        assert [send.last for send in end.said] == [False] * (len(end.said) - 1) + [True]


def nothing(work: Compute) -> tuple[bytes, list[int]]:
    """Stand in for the engine where only turns matter."""
    if work.operation in {Operation.REQUEST, Operation.RESPOND, Operation.SORTED_SETUP}:
        return bytes(work.count * POINT_BYTES), []
    return b"", []


def elements(count: int) -> bytes:
    return bytes(count * POINT_BYTES)


def setup(block: int, count: int = 8) -> bytes:
    return Message(Tag.SETUP, block, elements(count)).encode()


def response(block: int, count: int = 8) -> bytes:
    return Message(Tag.RESPONSE, block, elements(count)).encode()


def request(block: int, count: int = 8) -> bytes:
    return Message(Tag.REQUEST, block, elements(count)).encode()


BEGIN = Message(Tag.BEGIN, 0, b"").encode()


def asker(perform: Perform = nothing) -> End:
    """An asker of 20 items against 12."""
    end = End(AskerSession(20, 12), perform)
    end.act(end.session.start())
    return end


def answerer(perform: Perform = nothing) -> End:
    """An answerer with 12 items for 20."""
    return End(AnswererSession(12, 20), perform)


ASKERS_GOOD = [setup(0), setup(1, 4), response(0), response(1), response(2, 4)]
ANSWERERS_GOOD = [BEGIN, request(0), request(1), request(2, 4)]


def fed(end: End, messages: list[bytes]) -> End:
    for message in messages:
        end.act(end.session.received(message))
    return end


@pytest.mark.usefixtures("small_blocks")
def test_the_honest_sequences_are_taken() -> None:
    assert fed(asker(), ASKERS_GOOD).finished == Finished()
    assert fed(answerer(), ANSWERERS_GOOD).finished == Finished()


def never(end: Session) -> list[bytes]:
    """Every message that no state takes at all, and every one of a wrong size."""
    wrong = [
        b"",
        b"\x09\0\0\0\0",
        setup(0, 7),
        setup(0, 9),
        setup(0, 0),
        setup(0)[:-1],
        setup(0) + b"\0",
        setup(2, 4),
        setup(2**32 - 1),
        response(3),
        response(0, 4),
        request(0, 9),
        request(0, 7),
        request(3),
        request(2, 8),
        Message(Tag.BEGIN, 1, b"").encode(),
        Message(Tag.BEGIN, 0, elements(1)).encode(),
    ]
    both = [BEGIN, request(0), request(1), request(2, 4)]
    return wrong + (both if isinstance(end, AskerSession) else ASKERS_GOOD)


@pytest.mark.parametrize("done", range(len(ASKERS_GOOD) + 1))
@pytest.mark.usefixtures("small_blocks")
def test_an_asker_takes_the_one_message_that_is_due(done: int) -> None:
    due = ASKERS_GOOD[done : done + 1]
    for message in [*ASKERS_GOOD, *never(AskerSession(20, 12))]:
        if message in due:
            continue
        end = fed(asker(), ASKERS_GOOD[:done])
        with pytest.raises(VerificationError):
            end.session.received(message)


@pytest.mark.parametrize("done", range(len(ANSWERERS_GOOD) + 1))
@pytest.mark.usefixtures("small_blocks")
def test_an_answerer_takes_the_one_message_that_is_due(done: int) -> None:
    due = ANSWERERS_GOOD[done : done + 1]
    for message in [*ANSWERERS_GOOD, *never(AnswererSession(12, 20))]:
        if message in due:
            continue
        end = fed(answerer(), ANSWERERS_GOOD[:done])
        with pytest.raises(VerificationError):
            end.session.received(message)


@pytest.mark.usefixtures("small_blocks")
def test_an_answerer_computes_nothing_before_the_asker_begins() -> None:
    works: list[Compute] = []

    def watched(work: Compute) -> tuple[bytes, list[int]]:
        works.append(work)
        return nothing(work)

    end = answerer(watched)
    assert end.act(end.session.start()) == []
    with pytest.raises(VerificationError):
        end.session.received(request(0))
    assert works == []
    end.act(end.session.received(BEGIN))
    assert [(work.operation, work.first, work.count) for work in works] == [
        (Operation.SETUP, 0, 8),
        (Operation.SETUP, 8, 4),
        (Operation.SORTED_SETUP, 0, 8),
        (Operation.SORTED_SETUP, 8, 4),
    ]


@pytest.mark.usefixtures("small_blocks")
def test_never_more_elements_are_evaluated_than_were_declared() -> None:
    end = fed(answerer(), ANSWERERS_GOOD)
    evaluated = sum(send.elements for send in end.said if send.plaintext[0] == Tag.RESPONSE)
    assert evaluated == 20
    for block in range(4):
        for count in (1, 4, 8):
            with pytest.raises(VerificationError):
                end.session.received(request(block, count))


@pytest.mark.usefixtures("small_blocks")
def test_an_asker_finishes_only_when_all_is_intersected() -> None:
    end = fed(asker(), ASKERS_GOOD[:-1])
    assert end.finished is None
    end.act(end.session.received(ASKERS_GOOD[-1]))
    assert end.finished is not None
    assert isinstance(end.said[0], Send)
