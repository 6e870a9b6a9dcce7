"""Budget beyond the rulebook's: who may have it, on which days, and nothing that says it in other words."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from support.membership import GOVERNMENT, Consortium

from trisect.errors import BadInputError, ConflictError, VerificationError
from trisect.rules import checking
from trisect.rules.allowances import Allowance
from trisect.rules.regime import Regime
from trisect.rules.vocabulary import Purpose
from trisect.trust.filings import BudgetGrantFiling, BudgetRequestFiling
from trisect.trust.keys import PartyName
from trisect.trust.statements import Role

ALLOWANCE = Allowance(
    PartyName("bank"), Purpose.SCAM_PREVENTION, 500, dt.date(2026, 11, 1), dt.date(2026, 11, 3), "a wave"
)


@pytest.fixture
def consortium() -> Consortium:
    return Consortium.founded(("telco", Role.PROVIDER), ("bank", Role.PROVIDER))


def test_a_grant_adds_to_its_days_its_pair_and_its_purpose_alone(consortium: Consortium) -> None:
    given = consortium.filing(BudgetGrantFiling, "telco", ALLOWANCE.to_content(), issuer=GOVERNMENT)
    consortium.take(given)
    found = Regime(consortium.membership)
    purpose = Purpose.SCAM_PREVENTION
    days = {day: found.granted("telco", "bank", purpose, f"2026-11-0{day}") for day in range(1, 5)}
    assert days == {1: 500, 2: 500, 3: 500, 4: 0}
    assert found.granted("telco", "bank", purpose, "2026-10-31") == 0
    assert found.granted("bank", "telco", purpose, "2026-11-02") == 0
    assert found.granted("telco", GOVERNMENT, purpose, "2026-11-02") == 0
    assert found.granted("telco", "bank", Purpose.RIGHTS, "2026-11-02") == 0


def test_grants_add_up_and_none_counts_twice(consortium: Consortium) -> None:
    given = consortium.filing(BudgetGrantFiling, "telco", ALLOWANCE.to_content(), issuer=GOVERNMENT)
    consortium.take(given)
    with pytest.raises(ConflictError):
        consortium.take(given)
    consortium.take(
        consortium.filing(BudgetGrantFiling, "telco", ALLOWANCE.to_content(), issuer=GOVERNMENT, serial=2)
    )
    purpose = Purpose.SCAM_PREVENTION
    assert Regime(consortium.membership).granted("telco", "bank", purpose, "2026-11-01") == 1_000


def test_a_request_grants_nothing(consortium: Consortium) -> None:
    consortium.take(
        consortium.filing(BudgetRequestFiling, "telco", ALLOWANCE.to_content(), issuer="telco"), "telco"
    )
    purpose = Purpose.SCAM_PREVENTION
    assert Regime(consortium.membership).granted("telco", "bank", purpose, "2026-11-01") == 0


def test_nobody_grants_to_itself(consortium: Consortium) -> None:
    with pytest.raises(VerificationError):
        consortium.take(
            consortium.filing(BudgetGrantFiling, "telco", ALLOWANCE.to_content(), issuer="telco"), "telco"
        )


def test_nobody_asks_itself(consortium: Consortium) -> None:
    asked = consortium.filing(BudgetRequestFiling, "bank", ALLOWANCE.to_content(), issuer="bank")
    with pytest.raises(VerificationError, match="oneself"):
        checking.check(asked, consortium.membership)


@pytest.mark.parametrize(
    "changes",
    [
        {"elements": 0},
        {"elements": True},
        {"elements": 10**13},
        {"from": "2026-11-04"},
        {"until": "2027-11-03"},
        {"until": "20261103"},
        {"purpose": "curiosity"},
        {"reason": " "},
        {"reason": "x" * 501},
        {"answerer": "Bank"},
        {"more": 1},
    ],
    ids=str,
)
def test_what_is_no_allowance_is_refused(changes: dict[str, Any]) -> None:
    assert Allowance.from_content(ALLOWANCE.to_content()) == ALLOWANCE
    with pytest.raises(VerificationError):
        Allowance.from_content(ALLOWANCE.to_content() | changes)


def test_an_allowance_says_what_is_wrong_with_it() -> None:
    with pytest.raises(BadInputError, match="ends on the day"):
        Allowance(PartyName("bank"), Purpose.RIGHTS, 1, dt.date(2026, 2, 1), dt.date(2026, 1, 1), "x").check()
