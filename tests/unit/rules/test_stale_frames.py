"""Frames of stale hits: one size for all; forged, cut, misdirected and overfull ones refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from trisect.clock import system_randomness
from trisect.errors import VerificationError
from trisect.rules.stale_frames import MOST, SEAL, Answer, Answers, Notice, Notices
from trisect.trust import documents
from trisect.trust.equal_seals import context
from trisect.trust.keys import IdentityKey, PartyName, SealingKey

ANSWERER, ASKER = IdentityKey(bytes(32)), IdentityKey(bytes([1]) * 32)
TO, OTHER = SealingKey.generate(system_randomness), SealingKey.generate(system_randomness)
CONSORTIUM, BANK, TELCO = "anti-fraud", PartyName("bank"), PartyName("telco")
NOTICE = Notice(b"e" * 16, b"o" * 32, 3, "2026-11-27T12:00:00Z")
FRAME = Notices(CONSORTIUM, BANK, TELCO, "ab" * 16, (NOTICE,))
REPLY = Answers(CONSORTIUM, TELCO, BANK, "ab" * 16, (Answer(b"e" * 16, b"o" * 32, 3, ""),))


def opened(frame: bytes, receiver: PartyName = TELCO, sealing: SealingKey = TO) -> Notices:
    return Notices.open(frame, sealing, CONSORTIUM, BANK, receiver, ANSWERER.public)


def test_frames_and_answers_come_back_as_they_were() -> None:
    assert opened(FRAME.seal(ANSWERER, TO.public)) == FRAME
    sealed = REPLY.seal(ASKER, TO.public)
    assert Answers.open(sealed, TO, CONSORTIUM, TELCO, BANK, ASKER.public) == REPLY


def test_all_have_one_size_whatever_they_hold() -> None:
    largest = replace(NOTICE, exchange=b"\xff" * 16, offer_hash=b"\xff" * 32, count=2**53 - 1)
    for items in ((), (NOTICE,), (largest,) * MOST):
        assert len(replace(FRAME, items=items).seal(ANSWERER, TO.public)) == SEAL.sealed_bytes
    answer = Answer(b"\xff" * 16, b"\xff" * 32, 2**53 - 1, "2026-11-27T12:00:00Z")
    assert len(replace(REPLY, items=(answer,) * MOST).seal(ASKER, TO.public)) == SEAL.sealed_bytes


def test_a_receiver_cannot_pass_a_frame_on_to_another() -> None:
    """Seals name no sender: whoever opens one can seal what was signed to somebody else."""
    signed = documents.sign(FRAME.KIND, FRAME.to_body(), [ANSWERER])
    proxy = PartyName("proxy")
    passed_on = SEAL.seal(signed, OTHER.public, context(FRAME.KIND, CONSORTIUM, BANK, proxy))
    with pytest.raises(VerificationError, match="another party"):
        opened(passed_on, proxy, OTHER)


def test_a_frame_of_another_key_or_to_another_is_refused() -> None:
    for frame in (FRAME.seal(ASKER, TO.public), FRAME.seal(ANSWERER, OTHER.public)):
        with pytest.raises(VerificationError):
            opened(frame)


@pytest.mark.parametrize("cut", [0, 1, SEAL.sealed_bytes // 2, SEAL.sealed_bytes - 1])
def test_a_frame_cut_short_or_changed_is_refused(cut: int) -> None:
    frame = FRAME.seal(ANSWERER, TO.public)
    for changed in (frame[:cut], frame[:cut] + bytes([frame[cut] ^ 1]) + frame[cut + 1 :]):
        with pytest.raises(VerificationError):
            opened(changed)


def body(**changes: Any) -> bytes:
    signed = documents.sign(FRAME.KIND, FRAME.to_body() | changes, [ANSWERER])
    return SEAL.seal(signed, TO.public, context(FRAME.KIND, CONSORTIUM, BANK, TELCO))


@pytest.mark.parametrize("dropped_at", ["\u0000", "now", " "])
def test_an_answer_says_a_time_or_none(dropped_at: str) -> None:
    """It goes into the database as it stands, and PostgreSQL takes no text with a zero in it."""
    answer = replace(REPLY, items=(replace(REPLY.items[0], dropped_at=dropped_at),))
    with pytest.raises(VerificationError):
        Answers.open(answer.seal(ASKER, TO.public), TO, CONSORTIUM, TELCO, BANK, ASKER.public)


@pytest.mark.parametrize(
    "changes",
    [
        {"items": [NOTICE.to_body() | {"count": 0}]},
        {"items": [NOTICE.to_body() | {"count": "3"}]},
        {"items": [NOTICE.to_body() | {"more": 1}]},
        {"items": [NOTICE.to_body(), "e1"]},
        {"items": "e1"},
        {"nonce": 1},
        {"nonce": "AB" * 16},
        {"nonce": "ab" * 15},
        {"items": [NOTICE.to_body() | {"since": "\u0000"}]},
        {"items": [NOTICE.to_body() | {"since": ""}]},
        {"items": [NOTICE.to_body() | {"exchange": "AAAA"}]},
        {"items": [NOTICE.to_body() | {"offer_hash": ""}]},
        {"more": 1},
        {"consortium": "another"},
        {"items": [NOTICE.to_body() | {"exchange": "", "offer_hash": "", "since": ""}] * (MOST + 1)},
    ],
)
def test_what_is_not_sound_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(VerificationError):
        opened(body(**changes))
    assert opened(body()) == FRAME
