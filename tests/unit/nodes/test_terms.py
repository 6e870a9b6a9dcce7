"""What an end allows its peer: sizes, silence and time that a hostile one cannot stretch."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from support.rulebooks import offer, permit

from nodes.exchanges.means import Limits
from nodes.exchanges.terms import Terms
from trisect.clock import system_clock
from trisect.errors import DeniedError, VerificationError
from trisect.psi.bands import band
from trisect.rules.offers import NO_SNAPSHOT, Accept
from trisect.store.exchanges import Side


def terms(asked: int, answered: int) -> Terms:
    leave = permit(offer(asked_padded=band(asked)), answered_padded=band(answered))
    accept = Accept(b"e", b"", b"", band(answered), "", b"", "")
    return Terms(offer(asked_padded=band(asked)), b"", accept, b"", leave)


def test_an_answerer_waits_little_longer_for_a_large_question() -> None:
    """An asker sends each block as it has it; one that declares millions must not hold a place for hours."""
    assert terms(2_000_000, 100).idle_s(Side.ANSWERER, 60) < 120
    assert terms(2_000_000, 100).idle_s(Side.ASKER, 60) < 70


def test_an_asker_waits_while_the_answerer_encrypts_its_whole_set() -> None:
    assert terms(100, 1_000_000).idle_s(Side.ASKER, 60) > 300


def test_the_whole_is_bounded_and_longer_than_any_silence() -> None:
    for sizes in ((100, 100), (1_000_000, 100), (100, 1_000_000)):
        found = terms(*sizes)
        assert found.total_s(60) > max(found.idle_s(side, 60) for side in Side)


@pytest.mark.parametrize(("size", "allowed"), [(1_000, True), (1_024, True), (1_025, False), (10**7, False)])
def test_a_declared_size_may_be_the_padding_of_the_largest_set(size: int, allowed: bool) -> None:
    limits = Limits(min_set=10, max_set=1_000)
    assert band(1_000) == 1_024
    if allowed:
        limits.check_padded(size, "the set offered")
    else:
        with pytest.raises(DeniedError) as caught:
            limits.check_padded(size, "the set offered")
        assert caught.value.rule == "local-max-set"


@pytest.mark.parametrize(("repeats", "shown", "sound"), [
    (0, b"c" * 32, True), (0, NO_SNAPSHOT, False), (1, NO_SNAPSHOT, True), (1, b"c" * 32, False),
])  # fmt: skip
def test_a_peer_commits_to_the_list_that_it_took_and_to_none_that_it_did_not(
    repeats: int, shown: bytes, *, sound: bool
) -> None:
    found = terms(100, 100)
    found = replace(found, permit=replace(found.permit, repeats=repeats))
    end: Any = SimpleNamespace(frames=1, transcript=bytes(32))
    own = NO_SNAPSHOT if repeats else b"o" * 32
    if not sound:
        with pytest.raises(VerificationError, match="does not commit"):
            found.receipt(Side.ASKER, end, end, (own, shown), system_clock)
        return
    made = found.receipt(Side.ASKER, end, end, (own, shown), system_clock)
    assert (made.asked_snapshot, made.answered_snapshot) == (own, shown)
    made = found.receipt(Side.ANSWERER, end, end, (own, shown), system_clock)
    assert (made.asked_snapshot, made.answered_snapshot) == (shown, own)
