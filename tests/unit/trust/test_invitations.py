"""An invitation is one line; damaged or contradicting itself it is refused before anything is done with it."""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trisect.errors import BadInputError
from trisect.trust import certificates
from trisect.trust.certificates import Caller, Principal
from trisect.trust.invitations import MAX_CHARACTERS, Invitation
from trisect.trust.keys import fingerprint

NOW = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
AUTHORITY = certificates.new_authority("anti-fraud", NOW)
KEY = certificates.new_tls_key()
LEAF = certificates.issue(
    AUTHORITY,
    certificates.signing_request(KEY),
    Principal("anti-fraud", Caller.INVITATION, "ab" * 16),
    now=NOW,
    life=dt.timedelta(days=1),
)
INVITATION = Invitation(
    consortium="anti-fraud",
    coordinator="relay.example:7443",
    party="telco",
    role="provider",
    expires_at="2026-11-02T00:00:00Z",
    authority=AUTHORITY.certificate.decode(),
    authority_fingerprint=certificates.authority_fingerprint(AUTHORITY.certificate),
    founder_fingerprint=fingerprint(b"founder"),
    certificate=LEAF.decode(),
    key=KEY.decode(),
)
PREFIX = "trisect-invitation-1:"


def packed(fields: object) -> str:
    return PREFIX + base64.urlsafe_b64encode(json.dumps(fields).encode()).decode()


def changed(**fields: Any) -> str:
    return packed(dataclasses.asdict(INVITATION) | fields)


def test_an_invitation_is_one_line_and_reads_back() -> None:
    text = INVITATION.to_text()
    assert text.split() == [text]
    assert Invitation.from_text(text) == INVITATION
    assert INVITATION.identity.key == KEY
    assert INVITATION.founder == fingerprint(b"founder")
    assert Invitation.from_text(changed(founder_fingerprint="")).founder is None


def test_it_survives_being_wrapped_and_indented() -> None:
    text = INVITATION.to_text()
    wrapped = "\r\n ".join(text[at : at + 60] for at in range(0, len(text), 60))
    assert Invitation.from_text(f"\n {wrapped}\n\n") == INVITATION


def test_its_key_is_in_no_repr() -> None:
    assert KEY.decode()[60:100] not in repr(INVITATION)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        PREFIX,
        PREFIX + "!",
        PREFIX + "ä",
        INVITATION.to_text().removeprefix(PREFIX),
        INVITATION.to_text().replace("-1:", "-2:"),
        INVITATION.to_text()[:-100],
        INVITATION.to_text() + "A" * MAX_CHARACTERS,
        packed([]),
        packed("text"),
        packed(None),
        packed({}),
        PREFIX + base64.urlsafe_b64encode(b"[" * 12_000).decode(),
        PREFIX + base64.urlsafe_b64encode(b"\xff\xff").decode(),
        changed(extra="field"),
        packed({key: value for key, value in dataclasses.asdict(INVITATION).items() if key != "role"}),
    ],
    ids=range(17),
)
def test_what_is_none_or_damaged_is_refused(text: str) -> None:
    with pytest.raises(BadInputError):
        Invitation.from_text(text)


@pytest.mark.parametrize(
    "fields",
    [
        {"authority": certificates.new_authority("anti-fraud", NOW).certificate.decode()},
        {"authority_fingerprint": fingerprint(b"another")},
        {"authority_fingerprint": ""},
        {"authority": ""},
        {"authority": "\ud800"},
        {"authority": INVITATION.authority[:200]},
        {"party": None},
        {"party": 7},
        {"key": ["list"]},
    ],
    ids=range(9),
)
def test_parts_that_contradict_each_other_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(BadInputError):
        Invitation.from_text(changed(**fields))


@settings(deadline=None, max_examples=150)
@given(st.integers(0, len(INVITATION.to_text()) - 1), st.characters(codec="ascii"))
def test_a_slip_of_one_letter_never_breaks_the_reader(at: int, letter: str) -> None:
    text = INVITATION.to_text()
    try:
        found = Invitation.from_text(text[:at] + letter + text[at + 1 :])
    except BadInputError:
        return
    assert found.authority_fingerprint == certificates.authority_fingerprint(found.authority.encode())
