"""Frames of consents: one size for all, forged, cut and misdirected ones refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from support.consents import consent_id, granted, revoked

from trisect.clock import system_randomness
from trisect.errors import VerificationError
from trisect.rules.consent_frames import SEAL, Effect, Event, Frame, Reply, Revoked
from trisect.trust import documents
from trisect.trust.keys import IdentityKey, PartyName, SealingKey

PROXY, PARTY = IdentityKey(bytes(32)), IdentityKey(bytes([1]) * 32)
TO = SealingKey.generate(system_randomness)
AID, BANK = PartyName("aid"), PartyName("bank")
FRAME = Frame("c", AID, BANK, 0, 5, 0, (granted(1), revoked(1, 3)))
REPLY = Reply("c", AID, BANK, 3, (Effect(3, (("a", 4), ("b", 1)), "2026-11-01T00:00:00Z"),))


def opened(frame: bytes, **changes: Any) -> Frame:
    to = {"consortium": "c", "proxy": AID, "party": BANK, "key": PROXY.public} | changes
    return Frame.open(frame, TO, to["consortium"], to["proxy"], to["party"], to["key"])


def read(reply: bytes, **changes: Any) -> Reply:
    to = {"consortium": "c", "proxy": AID, "party": BANK, "key": PARTY.public} | changes
    return Reply.open(reply, TO, to["consortium"], to["proxy"], to["party"], to["key"])


def test_frames_and_replies_read_back() -> None:
    assert opened(FRAME.seal(PROXY, TO.public)) == FRAME
    assert read(REPLY.seal(PARTY, TO.public)) == REPLY


@pytest.mark.parametrize("events", [(), FRAME.events, tuple(granted(at) for at in range(1, 60))], ids=len)
def test_all_have_one_size(events: tuple[Event, ...]) -> None:
    frame = replace(FRAME, events=events, upto=100)
    assert len(frame.seal(PROXY, TO.public)) == SEAL.sealed_bytes
    effects = tuple(Effect(at, (("a" * 22, 7),) * 3, "2026-11-01T00:00:00Z") for at in range(1, len(events)))
    assert len(replace(REPLY, effects=effects).seal(PARTY, TO.public)) == SEAL.sealed_bytes


@pytest.mark.parametrize(
    "changes",
    [{"consortium": "d"}, {"proxy": BANK}, {"party": AID}, {"key": PARTY.public}],
    ids=lambda changes: next(iter(changes)),
)
def test_a_frame_for_another_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(VerificationError):
        opened(FRAME.seal(PROXY, TO.public), **changes)
    swapped = changes if "key" not in changes else {"key": PROXY.public}
    with pytest.raises(VerificationError):
        read(REPLY.seal(PARTY, TO.public), **swapped)


def test_a_frame_is_no_reply() -> None:
    with pytest.raises(VerificationError):
        read(FRAME.seal(PROXY, TO.public), key=PROXY.public)


@pytest.mark.parametrize("cut", [0, 1, SEAL.sealed_bytes // 2, SEAL.sealed_bytes - 1])
def test_a_frame_that_was_cut_or_changed_is_refused(cut: int) -> None:
    sealed = FRAME.seal(PROXY, TO.public)
    with pytest.raises(VerificationError):
        opened(sealed[:cut])
    with pytest.raises(VerificationError):
        opened(sealed[:cut] + bytes([sealed[cut] ^ 1]) + sealed[cut + 1 :])


@pytest.mark.parametrize(
    "changes",
    [
        {"after": 1},
        {"after": -1},
        {"upto": 2},
        {"events": [revoked(1, 3).to_body(), granted(1).to_body()]},
        {"events": [revoked(1, 3).to_body() | {"token": "ab"}]},
        {"events": [granted(1, voluntariness=-1).to_body()]},
        {"events": [granted(1).to_body() | {"kinds": ["a soul"]}]},
        {"events": [granted(1).to_body() | {"expires": "soon"}]},
        {"events": [{"sequence": 1, "revoked": "00"}]},
        {"events": 3},
    ],
    ids=str,
)
def test_a_proxy_that_says_what_cannot_be_is_refused(
    changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    body = FRAME.to_body() | changes
    monkeypatch.setattr(Frame, "to_body", lambda _self: body)
    sealed = FRAME.seal(PROXY, TO.public)
    with pytest.raises(VerificationError):
        opened(sealed)


def test_a_frame_takes_what_it_carries_and_no_more() -> None:
    events: list[Event] = [granted(at, sequence=2 * at) for at in range(1, 400)]
    empty = Frame("c", AID, BANK, 0, 0, 0)
    first = empty.filled(events, 1_000, PROXY)
    assert 50 < len(first.events) < 399
    assert first.upto == first.events[-1].sequence
    assert len(first.seal(PROXY, TO.public)) == SEAL.sealed_bytes
    with pytest.raises(VerificationError, match="more than it carries"):
        replace(first, events=tuple(events[: len(first.events) + 1]), upto=1_000).seal(PROXY, TO.public)
    few = empty.filled(events[:3], 1_000, PROXY)
    assert (len(few.events), few.upto) == (3, 1_000)
    assert empty.filled([], 7, PROXY).upto == 7


def test_a_reply_leaves_out_what_has_no_room_and_says_so() -> None:
    effects = tuple(
        Effect(at, tuple((f"{number:022}", at) for number in range(60)), "2026-11-01T00:00:00Z")
        for at in range(1, 100)
    )
    found = read(Reply("c", AID, BANK, 99, effects).seal(PARTY, TO.public))
    assert 0 < len(found.effects) < 99
    assert found.cursor == found.effects[-1].sequence


def test_a_revocation_carries_nothing_but_its_id() -> None:
    assert revoked(1, 3).to_body() == {"sequence": 3, "revoked": consent_id(1).hex()}


def test_a_document_of_another_kind_is_no_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    sign = documents.sign
    monkeypatch.setattr(documents, "sign", lambda _kind, body, keys: sign("notice.v1", body, keys))
    sealed = FRAME.seal(PROXY, TO.public)
    monkeypatch.undo()
    with pytest.raises(VerificationError):
        opened(sealed)


@pytest.mark.parametrize(
    "withdrawn",
    [
        (revoked(1, 5),),  # not after what the frame reaches
        (revoked(1, 7), revoked(2, 6)),
        (revoked(1, 7), revoked(2, 7)),
    ],
)
def test_what_goes_ahead_comes_after_and_in_order(withdrawn: tuple[Revoked, ...]) -> None:
    ahead = replace(FRAME, withdrawn=(revoked(1, 6), revoked(2, 9)))
    assert opened(ahead.seal(PROXY, TO.public)) == ahead
    with pytest.raises(VerificationError, match="not in order"):
        opened(replace(FRAME, withdrawn=withdrawn).seal(PROXY, TO.public))


def test_nothing_is_granted_ahead() -> None:
    grants: Any = (granted(9),)
    with pytest.raises(VerificationError, match="not sound"):
        opened(replace(FRAME, withdrawn=grants).seal(PROXY, TO.public))
