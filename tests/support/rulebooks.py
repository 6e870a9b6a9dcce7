"""Facts, parties and rulebooks that a test varies."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

from trisect.clock import to_text
from trisect.indicators.kinds import Kind
from trisect.rules.drafting import draft
from trisect.rules.facts import Facts, PartyFacts
from trisect.rules.offers import Offer
from trisect.rules.permit import OFFERED, ONWARD, Permit
from trisect.rules.rulebook import Rulebook
from trisect.rules.terms import Terms
from trisect.rules.vocabulary import AiUse, BasisName, EngineName, Mode, Purpose
from trisect.trust.statements import Role

NOW = dt.datetime(2026, 11, 27, 12, 0, tzinfo=dt.UTC)
TELCO = PartyFacts(
    name="telco",
    role=Role.PROVIDER,
    key_checked=True,
    vetted=True,
    noticed=True,
    purposes=frozenset({Purpose.SCAM_PREVENTION}),
    kinds=frozenset({Kind.PHONE, Kind.URL}),
    ai_uses=frozenset({AiUse.NONE}),
)
FACTS = Facts(
    asker=TELCO,
    answerer=dataclasses.replace(TELCO, name="bank"),
    purpose=Purpose.SCAM_PREVENTION,
    mode=Mode.MATCH,
    engine=EngineName.ECDH,
    kinds=frozenset({Kind.PHONE}),
    answered_kinds=frozenset({Kind.PHONE}),
    basis=BasisName.STATUTORY_DUTY,
    answered_basis=BasisName.STATUTORY_DUTY,
    asked=1_024,
    answered=2_048,
    decided=int(NOW.timestamp()),
)


def facts(
    *, asker: dict[str, Any] | None = None, answerer: dict[str, Any] | None = None, **changes: Any
) -> Facts:
    """Vary the facts of an exchange that is all right; what concerns one party goes under its side."""
    return dataclasses.replace(
        FACTS,
        asker=dataclasses.replace(FACTS.asker, **asker or {}),
        answerer=dataclasses.replace(FACTS.answerer, **answerer or {}),
        **changes,
    )


def texts(
    template: str = "telco-bank",
    *,
    version: int = 1,
    begins: dt.datetime = NOW,
    life: dt.timedelta = dt.timedelta(days=365),
    approvals: int = 2,
) -> tuple[str, str]:
    """Fill a template."""
    return draft(template, version=version, begins=begins, ends=begins + life, approvals=approvals)


def rulebook(template: str = "telco-bank", **how: Any) -> Rulebook:
    """Fill a template and read it."""
    return Rulebook.parse(*texts(template, **how))


NOTICE = """\
title = "What we do"
text = "We collect telephone numbers that customers report, and show them to nobody."
text_zh = "我们收集客户举报的电话号码，不向任何人展示。"
contact = "privacy@example.com"
storage_place = "GB"
valid_from = 2026-11-27T12:00:00Z
valid_until = 2027-05-26T12:00:00Z

[[processing]]
purpose = "scam-prevention"
kinds = ["phone", "url"]
sources = ["person", "own-operation"]
obtained = "reports of customers"
legal_basis = ["statutory-duty"]
retention_days = 90
recipients = ["all"]
ai_uses = ["none"]

[[processing]]
purpose = "payment-check"
kinds = ["iban"]
sources = ["own-operation"]
obtained = "payments that were stopped"
legal_basis = ["statutory-duty", "contract"]
retention_days = 30
recipients = ["role:provider", "first-bank"]
ai_uses = ["detection", "scoring"]
"""


def offer(**changes: Any) -> Offer:
    """Vary an offer of the telco to the bank."""
    return dataclasses.replace(
        Offer(
            consortium="anti-fraud",
            exchange=bytes(range(16)),
            attempt=1,
            asker="telco",
            asker_key="ak",
            answerer="bank",
            answerer_key="bk",
            purpose="scam-prevention",
            mode="match",
            engine="ecdh",
            pepper_epoch=0,
            collection="c1",
            version=3,
            kinds="phone",
            basis="statutory-duty",
            consents="",
            asked_padded=1_024,
            rulebook=rulebook(approvals=1).hash,
            notice=b"",
            head="",
            share=b"share",
            details=b"sealed",
            created=to_text(NOW),
            expires=to_text(NOW + dt.timedelta(minutes=2)),
        ),
        **changes,
    )


TERMS = Terms(
    consortium="anti-fraud",
    owner="bank",
    collection="c2",
    recipient="role:provider",
    purpose="scam-prevention",
    modes="count,match",
    use="review,warn",
    retention_days=90,
    onward="none",
    issued="2026-11-20T00:00:00Z",
)
"""On which a bank shares its list."""


def permit(found: Offer, **changes: Any) -> Permit:
    """Write the permit for an offer without asking whether it may be."""
    taken = {name: getattr(found, name) for name in OFFERED}
    return dataclasses.replace(
        Permit(
            **taken,
            permit=bytes(16),
            asked_collection=found.collection,
            asked_version=found.version,
            answered_collection="c2",
            answered_version=5,
            offer_hash=bytes(32),
            rules="",
            asker_notice=found.notice,
            answerer_notice=b"",
            terms=b"",
            answered_kinds="phone",
            answered_basis="statutory-duty",
            answered_consents="",
            answered_padded=2_048,
            repeats=0,
            budget=found.asked_padded,
            budget_day=found.created[:10],
            retention_days=90,
            onward=ONWARD,
            decided=found.created,
            expires=found.created,
        ),
        **changes,
    )
