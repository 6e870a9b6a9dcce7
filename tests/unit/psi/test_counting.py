"""Counts: two sessions joined in memory with the real engine, turns, and what may be told of the number."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from unit.psi.conftest import End, count, drawn, token

from trisect.errors import VerificationError
from trisect.psi import messages
from trisect.psi.counting import CountingAnswerer, CountingAsker, RepeatingAnswerer, RepeatingAsker
from trisect.psi.ecdh import EcdhClient, EcdhServer
from trisect.psi.halves import Compute, Finished, Operation, Send, Tally
from trisect.psi.messages import BEGIN, Message, Tag
from trisect.psi.noise import discrete_laplace, may_be_told, told
from trisect.psi.points import POINT_BYTES

NUMBERS = st.sets(st.integers(0, 60), min_size=1, max_size=45)


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=NUMBERS, offered=NUMBERS)
@pytest.mark.usefixtures("small_blocks")
def test_a_count_is_the_size_of_the_intersection(asked: set[int], offered: set[int]) -> None:
    found, asker, answerer = count([token(at) for at in asked], [token(at) for at in offered])
    assert found == answerer.tallied == len(asked & offered)
    assert asker.finished == Finished(count=found)
    for end in (asker, answerer):
        for send in end.said:
            messages.check_declared(send.plaintext, send.elements)


@pytest.mark.usefixtures("small_blocks")
def test_the_answerer_sees_evaluations_in_no_order_that_tells_anything() -> None:
    _, asker, _ = count([token(at) for at in range(40)], [token(at) for at in range(20, 70)])
    evaluated = b"".join(send.plaintext[5:] for send in asker.said if send.plaintext[0] == Tag.RESPONSE)
    points = [evaluated[at : at + POINT_BYTES] for at in range(0, len(evaluated), POINT_BYTES)]
    assert len(points) > 16
    assert points == sorted(points)


def test_an_element_that_is_asked_for_in_two_blocks_is_refused() -> None:
    engine = EcdhServer(b"".join(token(at) for at in range(8)))
    blinded = EcdhClient(b"".join(token(at) for at in range(8))).request(0, 8)
    engine.evaluate(blinded, 8)
    engine.evaluate(blinded, 8)
    with pytest.raises(VerificationError):
        engine.sorted_evaluations(0, 16)


def elements(size: int) -> bytes:
    return bytes(size * POINT_BYTES)


def of(tag: Tag, *sizes: int) -> list[bytes]:
    return [Message(tag, block, elements(size)).encode() for block, size in enumerate(sizes)]


ASKERS_GOOD = [*of(Tag.REQUEST, 8, 8, 4), messages.result(3)]
ANSWERERS_GOOD = [BEGIN, *of(Tag.SETUP, 8, 4), *of(Tag.RESPONSE, 8, 8, 4)]
EVERYTHING = [
    *{*ASKERS_GOOD, *ANSWERERS_GOOD},
    *(b"", BEGIN[:-1], BEGIN + b"\0", b"\x06\0\0\0\0", messages.result(3)[:-1], messages.result(3) + b"\0"),
    Message(Tag.RESULT, 1, messages.result(3)[5:]).encode(),
    *of(Tag.REQUEST, 7),
    *of(Tag.SETUP, 9),
    *of(Tag.RESPONSE, 4),
    Message(Tag.REQUEST, 3, elements(8)).encode(),
    Message(Tag.SETUP, 2, elements(4)).encode(),
]


def nothing(work: Compute) -> tuple[bytes, list[int]]:
    """Stand in for the engine where only turns matter; one probe is found in every block."""
    given = {Operation.REQUEST, Operation.SORTED_SETUP, Operation.SORTED_EVALUATIONS}
    return elements(work.count) if work.operation in given else b"", [work.first]


def asker() -> End:
    """An asker with 12 items for 20."""
    end = End(CountingAsker(12, 20), nothing)
    end.act(end.session.start())
    return end


def answerer() -> End:
    """An answerer with 20 items, three of them surely common, for 12."""
    return End(CountingAnswerer(20, 12, 3), nothing)


def fed(end: End, said: list[bytes]) -> End:
    for message in said:
        end.act(end.session.received(message))
    return end


@pytest.mark.usefixtures("small_blocks")
def test_the_honest_sequences_are_taken() -> None:
    assert fed(asker(), ASKERS_GOOD).finished == Finished(count=3)
    assert fed(answerer(), ANSWERERS_GOOD).finished == Finished()


@pytest.mark.parametrize("done", range(len(ASKERS_GOOD)))
@pytest.mark.usefixtures("small_blocks")
def test_an_asker_takes_the_one_message_that_is_due(done: int) -> None:
    for message in EVERYTHING:
        if message != ASKERS_GOOD[done]:
            end = fed(asker(), ASKERS_GOOD[:done])
            with pytest.raises(VerificationError):
                end.session.received(message)


@pytest.mark.parametrize("done", range(len(ANSWERERS_GOOD)))
@pytest.mark.usefixtures("small_blocks")
def test_an_answerer_takes_the_one_message_that_is_due(done: int) -> None:
    for message in EVERYTHING:
        if message != ANSWERERS_GOOD[done]:
            end = fed(answerer(), ANSWERERS_GOOD[:done])
            with pytest.raises(VerificationError):
                end.session.received(message)


@pytest.mark.usefixtures("small_blocks")
def test_an_engine_that_loses_a_probe_is_noticed() -> None:
    end = End(CountingAnswerer(20, 12, 4), nothing)
    with pytest.raises(VerificationError, match="surely present"):
        fed(end, ANSWERERS_GOOD)
    assert end.finished is None


@pytest.mark.usefixtures("small_blocks")
def test_nothing_is_told_before_the_tally_comes_back() -> None:
    session = CountingAnswerer(20, 12, 3)
    actions = []
    for message in ANSWERERS_GOOD:
        for work in session.received(message):
            assert isinstance(work, Compute)
            actions = session.computed(work, *nothing(work))
    assert actions == [Tally(0)]
    assert session.told(10) == [Send(messages.result(10), 0, last=True), Finished()]


def test_a_repeated_count_is_two_messages() -> None:
    asks, answers = RepeatingAsker(), RepeatingAnswerer(70)
    assert asks.start() == [Send(BEGIN, 0, last=True)]
    assert answers.start() == []
    assert answers.received(BEGIN) == [Send(messages.result(70), 0, last=True), Finished()]
    assert asks.received(messages.result(70)) == [Finished(count=70)]
    for message in set(EVERYTHING) - {BEGIN}:
        with pytest.raises(VerificationError):
            answers.received(message)
    for message in set(EVERYTHING) - {messages.result(3)}:
        with pytest.raises(VerificationError):
            asks.received(message)


@pytest.mark.parametrize("epsilon", [0.1, 0.5, 1.0, 2.5])
def test_noise_has_the_probabilities_that_its_epsilon_says(epsilon: float) -> None:
    draws = 4_000
    bits = iter(np.random.default_rng(7).bytes(4_000_000))
    found = Counter(
        discrete_laplace(epsilon, lambda size: bytes(next(bits) for _ in range(size))) for _ in range(draws)
    )
    for value in (-2, -1, 0, 1, 2):
        q = math.exp(-epsilon)
        expected = (1 - q) / (1 + q) * q ** abs(value)
        deviation = math.sqrt(expected * (1 - expected) / draws)
        assert abs(found[value] / draws - expected) < 5 * deviation


def test_a_number_that_no_count_yields_is_noticed() -> None:
    draw = drawn("may be told")
    for epsilon in (0.1, 1.0):
        assert all(may_be_told(told(40, 10, epsilon, draw), 40, 10, epsilon) for _ in range(100))
    for number in (41, 2**63, 2**64 - 4):
        assert not may_be_told(number, 40, 10, 1.0)


def test_what_is_told_is_a_multiple_of_the_unit_and_never_negative() -> None:
    draw = drawn("told")
    answers = {told(57, 10, 1.0, draw) for _ in range(200)}
    assert answers > {60}
    assert all(answer % 10 == 0 for answer in answers)
    assert {told(0, 1, 0.5, draw) for _ in range(200)} >= {0, 1, 2}
    assert min(told(0, 100, 0.01, draw) for _ in range(200)) == 0
