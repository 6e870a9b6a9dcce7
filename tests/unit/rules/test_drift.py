"""Drift: each deed that a notice does not cover is named, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from support.rulebooks import NOTICE

from trisect.indicators.kinds import Kind
from trisect.rules.drift import Drift, Held, drift
from trisect.rules.notices import Notice
from trisect.trust.statements import Role

DECLARATION = Notice.parse(NOTICE, Role.PROVIDER).declaration
HELD = Held(
    "numbers", frozenset({Kind.PHONE}), "statutory-duty: ATOFL 16", 90, 90, [("bank", "scam-prevention")]
)


def texts(**changes: Any) -> list[str]:
    found = drift(DECLARATION, [replace(HELD, **changes)], lambda declared, whom: declared == whom)
    assert {one.collection for one in found} <= {"numbers"}
    return [one.text for one in found]


def test_what_a_notice_covers_is_no_drift() -> None:
    assert texts() == []
    assert texts(oldest_days=None, sharings=[]) == []
    assert texts(kinds=frozenset(), legal_basis="contract", retention_days=999) == [], "an empty list"
    assert texts(kinds=frozenset({Kind.IBAN}), legal_basis="contract", retention_days=30, oldest_days=3) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"oldest_days": 143}, "declares 90 days; oldest entry 143 days"),
        ({"retention_days": 365}, "declares 90 days; a list keeps its entries for 365"),
        ({"kinds": frozenset({Kind.PHONE, Kind.EMAIL})}, "declares nothing of the kind email; a list has it"),
        (
            {"legal_basis": "consent"},
            "does not declare the legal basis consent for these kinds; a list is kept on it",
        ),
        (
            {"legal_basis": "because"},
            "does not declare the legal basis unspecified for these kinds; a list is kept on it",
        ),
        (
            {"sharings": [("bank", "rights")]},
            "does not declare the purpose rights; a list is shared for it",
        ),
    ],
)
def test_what_it_does_not_cover_is_named(changes: dict[str, Any], said: str) -> None:
    assert texts(**changes) == [said]
    assert "numbers" not in said, "everybody may read it"


def test_a_recipient_that_is_not_declared_is_named() -> None:
    toml = NOTICE.replace('recipients = ["all"]', 'recipients = ["role:government"]', 1)
    declared = Notice.parse(toml, Role.PROVIDER).declaration

    def found(recipient: str) -> list[Drift]:
        held = replace(HELD, sharings=[(recipient, "scam-prevention")])
        return drift(
            declared, [held], lambda said, whom: whom in {said, "ministry"} and said == "role:government"
        )

    assert found("ministry") == found("role:government") == []
    assert [one.text for one in found("bank")] == [
        "does not declare bank as a recipient for scam-prevention; a list is shared with it"
    ]
