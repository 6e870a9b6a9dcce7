"""What a supervisor counts: permits and receipts of the record, and nothing that anybody says of itself."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import pytest
from support.membership import GOVERNMENT, Consortium
from support.rulebooks import NOTICE, NOW, offer, rulebook

from trisect.clock import to_text
from trisect.indicators.kinds import Kind
from trisect.rules.consents import EpochCommitment
from trisect.rules.metering import RecordedExchange, Use, metered
from trisect.rules.notices import Notice
from trisect.rules.permit import Answer, Permit, propose
from trisect.rules.regime import Regime
from trisect.rules.rulebook import Deadlines
from trisect.rules.vocabulary import Purpose
from trisect.trust.filings import ConsentsFiling, NoticeFiling, RulebookFiling
from trisect.trust.statements import Role, Vetting

LATE = dt.timedelta(hours=Deadlines().silence_hours, seconds=1)
BOTH = frozenset({"asker", "answerer"})


@pytest.fixture
def consortium() -> Consortium:
    vetting = Vetting("licensing", "file 7", to_text(NOW + dt.timedelta(days=30)))
    found = Consortium.founded()
    for name in ("telco", "bank"):
        found.take(found.admission(name, vetting=vetting))
        found.take(found.filing(NoticeFiling, name, Notice.parse(NOTICE, Role.PROVIDER).content))
    found.take(found.admission("aid", role=Role.PROXY))
    found.review("telco", "bank")
    found.take(found.filing(RulebookFiling, GOVERNMENT, rulebook(approvals=1).content))
    return found


@pytest.fixture
def permit(consortium: Consortium) -> Permit:
    """Leave for the telco to ask the bank."""
    regime = Regime(consortium.membership)
    answer = Answer(b"p" * 16, "c2", 5, frozenset({Kind.PHONE}), "statutory-duty: ATOFL 16", 2_048, 90)
    return propose(offer(notice=regime.notice_hash("telco")), b"h" * 32, answer, regime)


def used(
    consortium: Consortium, *found: RecordedExchange, after: dt.timedelta = dt.timedelta()
) -> dict[str, Use]:
    return dict(metered(found, Regime(consortium.membership), NOW + after))


def test_nobody_has_done_anything(consortium: Consortium) -> None:
    assert used(consortium) == {name: Use() for name in (GOVERNMENT, "telco", "bank", "aid")}


def test_exchanges_and_budgets_are_counted_at_both_ends(consortium: Consortium, permit: Permit) -> None:
    told_again = dataclasses.replace(permit, repeats=1, budget=0)
    found = used(consortium, *[RecordedExchange(permit, BOTH)] * 3, RecordedExchange(told_again, BOTH))
    telco, bank = found["telco"], found["bank"]
    assert (telco.asked, telco.answered, bank.asked, bank.answered) == (4, 0, 0, 4)
    assert (telco.elements_asked, bank.elements_answered) == (3 * 1_024, 3 * 2_048)
    limit = Regime(consortium.membership).budget(
        "telco", "bank", Purpose(permit.purpose), permit.budget_day, permit.rulebook
    )
    assert (telco.charged_today, telco.budget_percent) == (3 * 1_024, 100 * 3 * 1_024 // limit)
    assert telco.budget_percent >= 1
    tomorrow = used(consortium, RecordedExchange(permit, BOTH), after=dt.timedelta(days=1))["telco"]
    assert (tomorrow.asked, tomorrow.charged_today, tomorrow.budget_percent) == (1, 0, 0)


@pytest.mark.parametrize(
    ("receipts", "silent"),
    [
        (BOTH, None),
        (frozenset(), None),  # it came to no end, so that nobody owes one
        (frozenset({"asker"}), "bank"),
        (frozenset({"answerer"}), "telco"),
    ],
)
def test_who_keeps_silent_shows_after_a_day(
    consortium: Consortium, permit: Permit, receipts: frozenset[str], silent: str | None
) -> None:
    early, late = (
        used(consortium, RecordedExchange(permit, receipts), after=wait) for wait in (LATE / 2, LATE)
    )
    assert not [name for name, use in early.items() if use.silent]
    owing = {name: use.silent for name, use in late.items() if use.silent}
    assert owing == ({silent: {permit.exchange.hex()}} if silent else {})


@pytest.mark.parametrize(
    ("known", "lag_s"), [("aid:3", 0), ("aid:2", 10), ("aid:1", 50), ("", 90), ("aid:4", 0)]
)
def test_how_late_withdrawals_were_known_is_told(
    consortium: Consortium, permit: Permit, known: str, lag_s: int
) -> None:
    for number, ago_s in enumerate((90, 50, 10), start=1):
        content = EpochCommitment(number, number, 16, bytes(32)).to_content()
        issued = to_text(NOW - dt.timedelta(seconds=ago_s))
        consortium.take(consortium.filing(ConsentsFiling, "aid", content, issued=issued))
    changes: dict[str, Any] = {"answered_basis": "consent: app terms", "answered_consents": known}
    found = used(consortium, RecordedExchange(dataclasses.replace(permit, **changes), BOTH))
    assert (found["bank"].revocation_lag, found["telco"].revocation_lag) == (
        dt.timedelta(seconds=lag_s), dt.timedelta(),
    )  # fmt: skip
    later = dataclasses.replace(permit, **changes, decided=to_text(NOW - dt.timedelta(seconds=60)))
    before = used(consortium, RecordedExchange(later, BOTH))["bank"].revocation_lag
    assert before == dt.timedelta(seconds=30 if known == "" else 0), "what was filed later could not be known"
