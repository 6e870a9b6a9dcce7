"""What was filed is what is in force, and what cannot be read is refused before it is taken in."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import pytest
from support.membership import GOVERNMENT, Consortium
from support.rulebooks import NOTICE, NOW, rulebook, texts

from trisect.clock import to_text
from trisect.errors import DeniedError, StaleError, VerificationError
from trisect.indicators.kinds import Kind
from trisect.rules.checking import check
from trisect.rules.notices import Notice
from trisect.rules.regime import NO_NOTICE, NOT_VETTED, Regime
from trisect.rules.rulebook import Rulebook
from trisect.rules.vocabulary import AiUse
from trisect.trust.filings import Filing, NoticeFiling, RulebookFiling
from trisect.trust.statements import Role, Standing, Vetting

LIFE = dt.timedelta(days=180)
FILED = Notice.parse(NOTICE, Role.PROVIDER).content


@pytest.fixture
def consortium() -> Consortium:
    return Consortium.founded(("telco", Role.PROVIDER), ("people", Role.PROXY))


def filed(found: Consortium, statement: Filing) -> None:
    """Take a statement in as coordinator and nodes do."""
    check(found.take(statement), found.membership)


def test_rulebooks_are_read_out_of_what_was_filed(consortium: Consortium) -> None:
    first, second = rulebook(approvals=1), rulebook(version=2, begins=NOW + LIFE, approvals=1)
    for one in (first, second):
        filed(consortium, consortium.filing(RulebookFiling, GOVERNMENT, one.content))
    found = Regime(consortium.membership).rulebooks
    assert [one.hash for one in found] == [first.hash, second.hash]
    assert found.at(NOW).hash == first.hash


def test_without_a_rulebook_none_is_in_force(consortium: Consortium) -> None:
    with pytest.raises(StaleError):
        Regime(consortium.membership).rulebooks.at(NOW)


@pytest.mark.parametrize(
    "change",
    [
        {"toml": "version = 1"},
        {"policies": "permit"},
        {"approvals": 3},
        {"more": True},
        {"toml": rulebook(version=2, approvals=1).toml},
        {"toml": rulebook(approvals=2).toml},
    ],
)
def test_a_rulebook_that_is_not_what_it_is_filed_as_is_refused(
    consortium: Consortium, change: dict[str, Any]
) -> None:
    statement = consortium.filing(RulebookFiling, GOVERNMENT, rulebook(approvals=1).content | change)
    with pytest.raises(VerificationError):
        check(statement, consortium.membership)


@pytest.mark.parametrize("change", [{"toml": "title = 1"}, {"dpv": []}, {"more": 1}])
def test_a_notice_that_is_not_what_it_is_filed_as_is_refused(
    consortium: Consortium, change: dict[str, Any]
) -> None:
    with pytest.raises(VerificationError):
        check(consortium.filing(NoticeFiling, "telco", FILED | change), consortium.membership)


def test_a_proxy_needs_its_mandate_in_its_notice(consortium: Consortium) -> None:
    with pytest.raises(VerificationError, match="mandate"):
        check(consortium.filing(NoticeFiling, "people", FILED), consortium.membership)


def test_the_newest_notice_counts(consortium: Consortium) -> None:
    regime = Regime(consortium.membership)
    assert regime.notice("telco") is None
    assert regime.notice_hash("telco") == b""
    with pytest.raises(DeniedError, match="published no notice") as caught:
        regime.require_notice("telco", NOW)
    assert caught.value.rule == NO_NOTICE
    filed(consortium, consortium.filing(NoticeFiling, "telco", FILED))
    regime.require_notice("telco", NOW)
    first = regime.notice_hash("telco")
    for moment in (NOW + LIFE, NOW - LIFE):
        with pytest.raises(DeniedError, match="expired or not begun"):
            regime.require_notice("telco", moment)
    later = Notice.parse(NOTICE.replace("2026-11-27T12", "2026-11-28T12"), Role.PROVIDER)
    filed(consortium, consortium.filing(NoticeFiling, "telco", later.content))
    assert regime.notice_hash("telco") != first
    with pytest.raises(DeniedError):
        regime.require_notice("telco", NOW)


def test_a_vetting_counts_until_it_expires(consortium: Consortium) -> None:
    regime = Regime(consortium.membership)
    with pytest.raises(DeniedError, match="never vetted") as caught:
        regime.require_vetted("telco", NOW)
    assert caught.value.rule == NOT_VETTED
    vetting = Vetting("supervision", "file 7", "2026-12-27T12:00:00Z")
    consortium.take(consortium.admission("telco", vetting=vetting))
    regime.require_vetted("telco", NOW)
    with pytest.raises(DeniedError, match="expired at 2026-12-27"):
        regime.require_vetted("telco", NOW + LIFE)


def test_facts_about_a_party_are_what_was_filed(consortium: Consortium) -> None:
    regime = Regime(consortium.membership)
    bare = regime.party_facts("telco", NOW)
    assert (bare.role, bare.vetted, bare.noticed) == (Role.PROVIDER, False, False)
    assert not bare.purposes | bare.kinds | bare.ai_uses
    consortium.take(
        consortium.admission("telco", vetting=Vetting("supervision", "file 7", "2026-12-27T12:00:00Z"))
    )
    filed(consortium, consortium.filing(NoticeFiling, "telco", FILED))
    full = regime.party_facts("telco", NOW)
    assert (full.vetted, full.noticed) == (True, True)
    assert full.kinds == {Kind.PHONE, Kind.URL, Kind.IBAN}
    assert AiUse.SCORING in full.ai_uses
    assert regime.party_facts("telco", NOW + LIFE) == dataclasses.replace(bare)


@pytest.mark.parametrize(("days", "holds"), [(30, True), (30.1, False), (0, False), (-1, False)])
def test_a_suspension_lapses_within_the_time_of_the_rulebook(
    consortium: Consortium, days: float, holds: bool
) -> None:
    toml, policies = texts(approvals=1)
    book = Rulebook.parse(f"{toml}\n[deadlines]\nsuspension_days = 30\n", policies)
    consortium.take(consortium.filing(RulebookFiling, GOVERNMENT, book.content))
    until = to_text(NOW + dt.timedelta(days=days))
    change = consortium.standing("telco", Standing.SUSPENDED, issued=to_text(NOW), until=until)
    if holds:
        check(change, consortium.membership)
        with pytest.raises(VerificationError, match="14 days"):
            check(change, Consortium.founded(("telco", Role.PROVIDER)).membership)
    else:
        with pytest.raises(VerificationError, match="30 days"):
            check(change, consortium.membership)
