"""What another rulebook would have done to permits of the past."""

from __future__ import annotations

import dataclasses
import datetime as dt

from support.membership import GOVERNMENT, Consortium
from support.rulebooks import NOTICE, NOW, offer, rulebook, texts

from trisect.clock import to_text
from trisect.indicators.kinds import Kind
from trisect.rules.notices import Notice
from trisect.rules.permit import Answer, Permit, propose
from trisect.rules.regime import Regime
from trisect.rules.rulebook import Rulebook
from trisect.rules.simulating import simulate
from trisect.trust.filings import NoticeFiling, RulebookFiling
from trisect.trust.statements import Role, Vetting

VETTED = Vetting("licensing", "file 7", to_text(NOW + dt.timedelta(days=30)))
LATER = NOW + dt.timedelta(days=3)


def consortium() -> Consortium:
    found = Consortium.founded()
    for name in ("telco", "bank"):
        found.take(found.admission(name, vetting=VETTED))
        found.take(found.filing(NoticeFiling, name, Notice.parse(NOTICE, Role.PROVIDER).content))
    found.review("telco", "bank")
    found.review("bank", "telco")
    found.take(found.filing(RulebookFiling, GOVERNMENT, rulebook(approvals=1).content))
    return found


def past(found: Consortium, *sizes: int) -> list[Permit]:
    regime = Regime(found.membership)
    answer = Answer(bytes(16), "c2", 5, frozenset({Kind.PHONE}), "statutory-duty", 2_048, 90)
    notice = regime.notice_hash("telco")
    return [propose(offer(notice=notice, asked_padded=size), bytes(32), answer, regime) for size in sizes]


def rules(found: Consortium, book: Rulebook, permits: list[Permit]) -> list[str]:
    judged = simulate(book, permits, Regime(found.membership), LATER)
    return [getattr(error, "rule", "") if error else "" for _, error in judged]


def changed(*replaced: tuple[str, str]) -> Rulebook:
    toml, policies = texts(version=2, approvals=1)
    for before, after in replaced:
        assert before in toml
        toml = toml.replace(before, after)
    return Rulebook.parse(toml, policies)


def test_the_same_rulebook_denies_nothing() -> None:
    found = consortium()
    assert rules(found, changed(), past(found, 1_024, 2_048)) == ["", ""]


def test_stricter_limits_deny_and_name_themselves() -> None:
    found = consortium()
    smaller = changed(("max_set = 5_000_000", "max_set = 1_500"))
    assert rules(found, smaller, past(found, 1_024, 4_096)) == ["max-set", "max-set"], "of either end"
    shorter = changed(("retention_days = ", "retention_days = 1 # "))
    assert rules(found, shorter, past(found, 1_024)) == [""], "nodes shorten retention by themselves"


def test_a_smaller_budget_denies_from_where_it_is_spent() -> None:
    found = consortium()
    toml, policies = texts(version=2, approvals=1)
    book = Rulebook.parse(toml, policies)
    budgets = tuple(dataclasses.replace(one, elements_per_day=2_500) for one in book.provisions.budgets)
    small = dataclasses.replace(book, provisions=dataclasses.replace(book.provisions, budgets=budgets))
    assert rules(found, small, past(found, 1_024, 1_024, 1_024, 128)) == ["", "", "budget", ""]


def test_policies_deny_by_their_own_name() -> None:
    found = consortium()
    other = rulebook("supervision", version=2, approvals=1)
    judged = list(simulate(other, past(found, 1_024), Regime(found.membership), LATER))
    ((permit, error),) = judged
    assert permit.asker == "telco"
    assert error is not None
    assert error.rule
    assert error.hint
