"""Labels from text: vocabularies, dates, confidence, and fraud types of every version."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

from trisect.errors import BadInputError
from trisect.indicators import categories
from trisect.indicators.forms import Reason, RejectedError
from trisect.indicators.labels import AiTechnique, Channel, FraudRole, Label, parse_label

SOURCE = Path(__file__).parents[4] / "shared" / "data" / "vocab" / "fraud_types.json"
ELEVEN = {
    "task_rebate", "fake_investment", "fake_shopping", "fake_customer_service", "fake_loan",
    "fake_credit_repair", "impersonate_boss_friend", "impersonate_authority", "romance", "game_trade",
    "air_ticket_refund",
}  # fmt: skip


def test_a_full_row() -> None:
    fields = {
        "category": "Fake-Loan", "fraud_role": "mule", "channel": "in person", "ai_technique": "voice_clone",
        "confidence": " 85 ", "first_seen": "2026-01-02", "last_seen": "2026-01-03T23:30:00-05:00", "else": "?",
    }  # fmt: skip
    assert parse_label(fields) == Label(
        "fake_loan",
        FraudRole.MULE,
        Channel.IN_PERSON,
        AiTechnique.VOICE_CLONE,
        85,
        dt.date(2026, 1, 2),
        dt.date(2026, 1, 4),
    )


def test_nothing_said_is_unknown() -> None:
    assert parse_label({}) == Label()
    assert parse_label({"fraud_role": " "}).fraud_role is FraudRole.UNKNOWN


@pytest.mark.parametrize(
    ("column", "text", "reason"),
    [
        ("category", "no_such_type", Reason.BAD_CATEGORY),
        ("fraud_role", "criminal", Reason.BAD_FRAUD_ROLE),
        ("channel", "pigeon", Reason.BAD_CHANNEL),
        ("ai_technique", "magic", Reason.BAD_AI_TECHNIQUE),
        ("confidence", "101", Reason.BAD_CONFIDENCE),
        ("confidence", "-1", Reason.BAD_CONFIDENCE),
        ("confidence", "٥", Reason.BAD_CONFIDENCE),
        ("confidence", "8.5", Reason.BAD_CONFIDENCE),
        ("first_seen", "02/01/2026", Reason.BAD_DATE),
        ("first_seen", "2026-02-30", Reason.BAD_DATE),
        ("last_seen", "20260102", Reason.BAD_DATE),
        ("last_seen", "2026-01-02T25:00", Reason.BAD_DATE),
        ("last_seen", "9999-12-31T23:59:59-14:00", Reason.BAD_DATE),
    ],
)
def test_a_bad_field_is_named(column: str, text: str, reason: Reason) -> None:
    with pytest.raises(RejectedError) as caught:
        parse_label({column: text})
    assert (caught.value.reason, caught.value.column) == (reason, column)
    assert column in str(caught.value)
    assert text not in str(caught.value)


@pytest.mark.parametrize(
    "moment",
    ["2026-01-02", "2026-01-02T00:00Z", "2026-01-02 23:59:59", "2026-01-02T10:00:00.123456789Z", "2026-01-02t01:00:00+0100",
     "2026-01-02T10:00:00,5 +01:00"],
)  # fmt: skip
def test_moments_become_utc_days(moment: str) -> None:
    assert parse_label({"first_seen": moment}).first_seen == dt.date(2026, 1, 2)


def test_last_before_first_is_refused() -> None:
    with pytest.raises(RejectedError) as caught:
        parse_label({"first_seen": "2026-01-02", "last_seen": "2026-01-01"})
    assert caught.value.reason is Reason.DATES_REVERSED


def test_the_eleven_types_have_parents_that_exist() -> None:
    types = categories.FRAUD_TYPES
    assert {code for code, fraud in types.items() if fraud.parent} == ELEVEN
    assert all(types[types[code].parent].parent == "" for code in ELEVEN)
    assert categories.is_within("romance", "relationship")
    assert categories.is_within("romance", "romance")
    assert not categories.is_within("romance", "investment")
    with pytest.raises(BadInputError):
        categories.is_within("romance", "nothing")


def test_the_types_are_those_of_the_source() -> None:
    if SOURCE.exists():
        source = {row["code"]: row for row in json.loads(SOURCE.read_text(encoding="utf-8"))["types"]}
        ours = {code: categories.FRAUD_TYPES[code] for code in source}
        assert all((ours[c].zh, ours[c].en) == (row["zh"], row["en"]) for c, row in source.items())
        assert all(ours[c].taxonomy == row["misp_taxonomy_of_fraud"] for c, row in source.items())
    assert set(categories.FRAUD_TYPES) >= ELEVEN


def test_a_retired_type_is_read_but_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    old = categories.FraudType(
        "old_lottery", "", "中奖", "prize", "1.4", since="2022-01-01", retired="2023-01-01"
    )
    monkeypatch.setattr(
        "trisect.indicators.categories.FRAUD_TYPES", {**categories.FRAUD_TYPES, old.code: old}
    )
    monkeypatch.setattr("trisect.indicators.labels.FRAUD_TYPES", {**categories.FRAUD_TYPES, old.code: old})
    assert categories.fraud_type("old_lottery") is old
    assert Label(category="old_lottery").category == "old_lottery"
    with pytest.raises(RejectedError):
        parse_label({"category": "old_lottery"})
    with pytest.raises(BadInputError):
        categories.fraud_type("never_known")
