"""A recipient looks into a source by itself before it asks it."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import pytest
from support.membership import GOVERNMENT, Consortium
from support.rulebooks import NOTICE, NOW, offer, rulebook
from unit.rules.test_permit import ANSWER, HASH, VETTED

from trisect.clock import to_text
from trisect.errors import DeniedError, TrisectError, VerificationError
from trisect.rules import checking, reviews
from trisect.rules.duties import duties
from trisect.rules.notices import Notice
from trisect.rules.permit import preview, propose
from trisect.rules.regime import Regime
from trisect.rules.reviews import SourceReview
from trisect.trust.filings import NoticeFiling, RulebookFiling, SourceReviewFiling
from trisect.trust.statements import Role, Standing

REVIEW = SourceReview("bank", "fraud desk", "file 9", to_text(NOW + dt.timedelta(days=30)))


@pytest.fixture
def consortium() -> Consortium:
    """Two vetted providers with notices, and a rulebook; nobody has reviewed anybody."""
    found = Consortium.founded()
    for name in ("telco", "bank"):
        found.take(found.admission(name, vetting=VETTED))
        found.take(found.filing(NoticeFiling, name, Notice.parse(NOTICE, Role.PROVIDER).content))
    found.take(found.filing(RulebookFiling, GOVERNMENT, rulebook(approvals=1).content))
    return found


def review(consortium: Consortium, recipient: str = "telco", **changes: Any) -> None:
    content = dataclasses.replace(REVIEW, **changes).to_body()
    statement = consortium.filing(SourceReviewFiling, recipient, content)
    checking.check(statement, consortium.membership)
    consortium.take(statement)


def asked(consortium: Consortium) -> None:
    regime = Regime(consortium.membership)
    propose(offer(notice=regime.notice_hash("telco")), HASH, ANSWER, regime)


def refused(consortium: Consortium) -> DeniedError:
    with pytest.raises(DeniedError) as caught:
        asked(consortium)
    return caught.value


def test_a_source_that_was_not_reviewed_is_not_asked(consortium: Consortium) -> None:
    found = refused(consortium)
    assert (found.rule, "party review bank" in (found.hint or "")) == (reviews.RULE, True)
    regime = Regime(consortium.membership)
    with pytest.raises(DeniedError, match="has not reviewed bank"):  # at the asker, before anything is sent
        preview(offer(notice=regime.notice_hash("telco")), regime)
    review(consortium, "bank", source="telco")
    assert refused(consortium).rule == reviews.RULE, "the bank's view of the telco is another matter"
    review(consortium)
    asked(consortium)


def test_a_review_ends_and_is_made_again(consortium: Consortium) -> None:
    review(consortium, expires=to_text(NOW))
    assert "expired" in refused(consortium).message
    review(consortium)
    asked(consortium)
    found = {one.duty: one.due for one in duties(Regime(consortium.membership), NOW) if one.party == "telco"}
    assert found["review bank as a source again"] == REVIEW.expires
    consortium.take(consortium.standing("bank", Standing.EXPELLED))
    found = {one.duty: one.due for one in duties(Regime(consortium.membership), NOW) if one.party == "telco"}
    assert "review bank as a source again" not in found


@pytest.mark.parametrize(
    "changes",
    [
        {"source": "nobody"},
        {"source": "telco"},
        {"reviewer": " "},
        {"evidence": ""},
        {"evidence": "x" * 501},
        {"expires": "next year"},
    ],
)
def test_a_review_that_is_none_is_refused(consortium: Consortium, changes: dict[str, Any]) -> None:
    with pytest.raises(TrisectError):
        review(consortium, **changes)
    assert not reviews.of_recipient(consortium.membership, "telco")


def test_nobody_reviews_for_another(consortium: Consortium) -> None:
    with pytest.raises(VerificationError, match="in the name of telco"):
        consortium.take(
            consortium.filing(SourceReviewFiling, "telco", REVIEW.to_body(), issuer="bank"), "bank"
        )
