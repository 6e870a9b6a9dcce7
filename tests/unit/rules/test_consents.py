"""Consents: records that say one thing in one way, and how freely somebody has consented."""

from __future__ import annotations

import contextlib
import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from trisect.clock import to_text
from trisect.errors import BadInputError, VerificationError
from trisect.indicators.kinds import Kind
from trisect.rules.consents import (
    LONGEST,
    Consent,
    EpochCommitment,
    Language,
    Pressure,
    commitment,
    voluntariness,
    withdrawal,
    words,
)
from trisect.rules.vocabulary import Purpose
from trisect.trust.keys import IdentityKey, PartyName
from trisect.trust.pseudonyms import Pseudonyms

BEGINS = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
KEY, OTHER = IdentityKey(bytes(32)), IdentityKey(bytes([1]) * 32)
CONSENT = Consent(
    consortium="c",
    proxy=PartyName("aid"),
    id=bytes(16),
    subject="pseudonym",
    purposes=(Purpose.CALL_SCREENING, Purpose.SCAM_PREVENTION),
    kinds=(Kind.EMAIL, Kind.PHONE),
    parties=(PartyName("bank"), PartyName("telco")),
    notice=bytes(32),
    language=Language.CHINESE,
    method="a form",
    pressures=(),
    given=to_text(BEGINS),
    expires=to_text(BEGINS + dt.timedelta(days=90)),
)


def leaves(body: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """List the ways to everything in a body that is no object and no list."""
    inner = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else None
    if inner is None:
        return [path]
    return [found for name, value in inner for found in leaves(value, (*path, name))]


def test_a_record_reads_back_as_it_was_written() -> None:
    assert Consent.verify(CONSENT.sign(KEY), OTHER.public, KEY.public) == CONSENT


def test_a_record_that_another_has_signed_is_none() -> None:
    with pytest.raises(VerificationError):
        Consent.verify(CONSENT.sign(KEY), OTHER.public)


@pytest.mark.parametrize("path", leaves(CONSENT.to_body()), ids=str)
def test_a_record_says_nothing_else_anywhere(path: tuple[Any, ...]) -> None:
    """Whatever is changed is either refused or another consent, never the same one in other words."""
    body: Any = CONSENT.to_body()
    place = body
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = f"{place[path[-1]]} " if isinstance(place[path[-1]], str) else 1_000
    with contextlib.suppress(VerificationError):
        assert Consent.from_body(body) != CONSENT


@pytest.mark.parametrize("section", CONSENT.to_body())
def test_a_record_has_every_section(section: str) -> None:
    body = CONSENT.to_body()
    del body[section]
    with pytest.raises(VerificationError):
        Consent.from_body(body)
    with pytest.raises(VerificationError):
        Consent.from_body(CONSENT.to_body() | {"more": 1})


@pytest.mark.parametrize(
    "changes",
    [
        {"purposes": ()},
        {"kinds": ()},
        {"parties": ()},
        {"parties": (PartyName("telco"), PartyName("bank"))},
        {"parties": (PartyName("bank"), PartyName("bank"))},
        {"pressures": (Pressure.PRE_TICKED, Pressure.BUNDLED)},
        {"id": b"short"},
        {"subject": ""},
        {"method": " "},
        {"expires": to_text(BEGINS)},
        {"expires": to_text(BEGINS + LONGEST + dt.timedelta(seconds=1))},
    ],
    ids=str,
)
def test_no_consent_without_what_makes_it_one(changes: dict[str, Any]) -> None:
    with pytest.raises(BadInputError):
        replace(CONSENT, **changes)


@pytest.mark.parametrize(
    ("pressures", "score"),
    [
        ([], 100),
        *(([one], 50) for one in Pressure if one is not Pressure.PRE_TICKED),
        ([Pressure.PRE_TICKED], 0),
        ([Pressure.BUNDLED, Pressure.BUNDLED], 50),
        ([Pressure.BUNDLED, Pressure.POWER_IMBALANCE], 0),
        (list(Pressure), 0),
    ],
)
def test_how_freely(pressures: list[Pressure], score: int) -> None:
    assert voluntariness(pressures) == score


def test_a_commitment_depends_on_record_and_salt() -> None:
    envelope = CONSENT.sign(KEY)
    found = {
        commitment(envelope, bytes(32)),
        commitment(envelope, bytes([1]) * 32),
        commitment(replace(CONSENT, method="another").sign(KEY), bytes(32)),
        withdrawal(CONSENT.id, bytes(32)),
        withdrawal(CONSENT.id, bytes([1]) * 32),
    }
    assert len(found) == 5


def test_unknown_words_name_those_there_are() -> None:
    with pytest.raises(BadInputError, match="no such pressure") as caught:
        words(Pressure, ["gentle"], "pressure")
    assert "pre-ticked" in caught.value.hint
    assert words(Pressure, ["pre-ticked", "bundled", "bundled"], "pressure") == (
        Pressure.BUNDLED,
        Pressure.PRE_TICKED,
    )


@pytest.mark.parametrize(
    "changes", [{"epoch": 0}, {"leaves": True}, {"sequence": "1"}, {"root": "xy"}, {"more": 1}], ids=str
)
def test_a_commitment_in_the_record_says_nothing_else(changes: dict[str, Any]) -> None:
    content = EpochCommitment(1, 2, 16, bytes(32)).to_content()
    assert EpochCommitment.from_content(content).sequence == 2
    with pytest.raises(VerificationError):
        EpochCommitment.from_content(content | changes)


def test_pseudonyms_are_pairwise() -> None:
    one, other = Pseudonyms(bytes(32)), Pseudonyms(bytes([1]) * 32)
    found = {
        pseudonyms.of(person, party)
        for pseudonyms in (one, other)
        for person in ("1", "2", "bank\x001".replace("\x00", " "))
        for party in ("bank", "telco")
    }
    assert len(found) == 12
    assert one.of("1", "bank") == one.of("1", "bank")
    assert all(len(name) == 32 and name.isascii() and name.islower() for name in found)


@pytest.mark.parametrize("person", ["", "x" * 257, "a\nb", "a\x00b"])
def test_a_reference_that_is_none(person: str) -> None:
    with pytest.raises(BadInputError):
        Pseudonyms(bytes(32)).of(person, "bank")
