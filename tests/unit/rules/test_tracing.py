"""Whoever holds the record traces a permit to its rules and notices, and sees where one rests on nothing."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import pytest
from support.membership import GOVERNMENT, Consortium, identity, keys
from support.rulebooks import NOTICE, NOW, offer, rulebook

from trisect.clock import to_text
from trisect.errors import VerificationError
from trisect.indicators.kinds import Kind
from trisect.rules.notices import Notice
from trisect.rules.permit import Answer, Permit, propose
from trisect.rules.regime import Regime
from trisect.rules.tracing import trace
from trisect.trust import documents
from trisect.trust.filings import NoticeFiling, RulebookFiling
from trisect.trust.statements import Role, Vetting

VETTED = Vetting("licensing", "file 7", to_text(NOW + dt.timedelta(days=30)))
LATER = NOTICE.replace("What we do", "What we do now")


@pytest.fixture
def consortium() -> Consortium:
    found = Consortium.founded()
    found.take(found.coordinator_key())
    for name in ("telco", "bank"):
        found.take(found.admission(name, vetting=VETTED))
        found.take(found.filing(NoticeFiling, name, Notice.parse(NOTICE, Role.PROVIDER).content))
    found.review("telco", "bank")
    found.review("bank", "telco")
    found.take(found.filing(RulebookFiling, GOVERNMENT, rulebook(approvals=1).content))
    return found


def permit(found: Consortium) -> Permit:
    regime = Regime(found.membership)
    made = offer(
        notice=regime.notice_hash("telco"),
        asker_key=keys("telco").identity.fingerprint,
        answerer_key=keys("bank").identity.fingerprint,
    )
    answer = Answer(bytes(16), "c2", 5, frozenset({Kind.PHONE}), "statutory-duty", 2_048, 90)
    return propose(made, bytes(32), answer, regime)


def signed(found: Permit, *, answerer: str = "bank", coordinator: str = "coordinator") -> bytes:
    return documents.countersign(found.sign(identity(answerer)), identity(coordinator))


def test_a_permit_leads_to_its_rules_and_notices(consortium: Consortium) -> None:
    found = trace(signed(permit(consortium)), consortium.membership)
    assert [rule.clause for rule in found.rules] == ["ATOFL 7, 10, 16; PIPL 13(iii)"]
    assert found.rulebook.provisions.version == 1
    assert found.asker_notice.declaration.title == "What we do"


def test_a_later_notice_or_rulebook_does_not_take_its_ground_away(consortium: Consortium) -> None:
    envelope = signed(permit(consortium))
    consortium.take(consortium.filing(NoticeFiling, "bank", Notice.parse(LATER, Role.PROVIDER).content))
    consortium.take(
        consortium.filing(RulebookFiling, GOVERNMENT, rulebook("demo", version=2, approvals=1).content)
    )
    found = trace(envelope, consortium.membership)
    assert found.answerer_notice.declaration.title == "What we do"
    assert found.rulebook.provisions.version == 1


def test_a_permit_is_traced_after_its_answerer_has_new_keys(consortium: Consortium) -> None:
    made = permit(consortium)
    consortium.take(consortium.succession("bank", "bank2"), "bank", "bank2")
    for name in ("bank", "bank2"):
        trace(signed(made, answerer=name), consortium.membership)


@pytest.mark.parametrize(
    "how", [{"answerer": "telco"}, {"coordinator": "thief"}, {"answerer": "coordinator"}]
)
def test_a_permit_that_one_of_the_two_has_not_signed_is_none(
    consortium: Consortium, how: dict[str, str]
) -> None:
    with pytest.raises(VerificationError, match="not signed"):
        trace(signed(permit(consortium), **how), consortium.membership)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"rulebook": bytes(32)}, "never published"),
        ({"rules": "no-such-rule"}, "does not have"),
        ({"rules": "no-biometrics"}, "does not have"),
        ({"rules": ""}, "does not have"),
        ({"asker_notice": bytes(32)}, "of telco that was never filed"),
        ({"answerer_notice": b""}, "of bank that was never filed"),
        ({"consortium": "another"}, "another consortium"),
    ],
)
def test_a_permit_that_rests_on_nothing_is_found(
    consortium: Consortium, changes: dict[str, Any], told: str
) -> None:
    envelope = signed(dataclasses.replace(permit(consortium), **changes))
    with pytest.raises(VerificationError, match=told):
        trace(envelope, consortium.membership)
