"""Public documents that parties file: rulebooks, notices, officers and whatever else the mechanism needs.

A filing is a statement whose content the rules read (`trisect.rules`). Here is only who may file which kind, and what
number comes next, so that every node and the coordinator take the same ones in the same order.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from trisect.errors import VerificationError
from trisect.trust.canonical_json import Json
from trisect.trust.keys import PartyName
from trisect.trust.statements import PARTY_STATEMENTS, PartyStatement, common, read_common


class Author(enum.Enum):
    """Who may file a kind of document."""

    GOVERNMENT = "an active government"
    ITSELF = "the party that it is about, unless it is expelled"
    MEMBER = "any active party"
    ADMITTED = "any party, unless it is expelled"


@dataclass(frozen=True, slots=True)
class Filing:
    """One public document about a party; `serial` counts those of its kind about that party.

    Attributes:
        AUTHOR: who may file it.
        APPROVED: whether officers have to sign it.
        ONE_SERIES: whether `serial` counts all of the kind, whomever they are about.
    """

    KIND: ClassVar[str]
    AUTHOR: ClassVar[Author]
    APPROVED: ClassVar[bool] = False
    ONE_SERIES: ClassVar[bool] = False

    consortium: str
    party: PartyName
    content: Mapping[str, Any]
    serial: int
    issuer: PartyName
    issued: str

    def to_body(self) -> dict[str, Json]:
        """Write the filing's fields."""
        return {**common(self), "content": dict(self.content)}

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> Self:
        """Read the filing's fields; raises VerificationError."""
        content = body.get("content")
        if not isinstance(content, dict):
            raise VerificationError("a filing has no content")
        return cls(**read_common(body), content=content)


class RulebookFiling(Filing):
    """A government's rulebook; its serial is its version."""

    KIND = "rulebook.v1"
    AUTHOR = Author.GOVERNMENT
    APPROVED = True
    ONE_SERIES = True


class OfficerFiling(Filing):
    """That a person is, or is no more, an officer of the government that files it."""

    KIND = "officer.v1"
    AUTHOR = Author.GOVERNMENT
    APPROVED = True


class NoticeFiling(Filing):
    """A party's notice of what it does to personal information."""

    KIND = "notice.v1"
    AUTHOR = Author.ITSELF


class VettingFiling(Filing):
    """That a government has looked into a party again after its admission."""

    KIND = "vetting.v1"
    AUTHOR = Author.GOVERNMENT


class SourceReviewFiling(Filing):
    """That a party has looked into another, from which it takes information."""

    KIND = "source-review.v1"
    AUTHOR = Author.ITSELF


class ConsentsFiling(Filing):
    """A proxy's commitment to the consents that were given and taken back in one consent epoch."""

    KIND = "consents.v1"
    AUTHOR = Author.ITSELF


class BudgetRequestFiling(Filing):
    """That a party wants to ask more in a day than the rulebook lets it."""

    KIND = "budget-request.v1"
    AUTHOR = Author.ITSELF


class BudgetGrantFiling(Filing):
    """That a government lets a party ask more in a day than the rulebook does."""

    KIND = "budget-grant.v1"
    AUTHOR = Author.GOVERNMENT
    APPROVED = True


class BreachFiling(Filing):
    """That a party has broken a rule, with the proof of it: what opens a breach."""

    KIND = "breach.v1"
    AUTHOR = Author.MEMBER


class BreachReplyFiling(Filing):
    """What the party says to a breach."""

    KIND = "breach-reply.v1"
    AUTHOR = Author.ITSELF


class MeasureFiling(Filing):
    """A warning or a throttle that a government orders for a breach."""

    KIND = "measure.v1"
    AUTHOR = Author.GOVERNMENT


class SanctionFiling(Filing):
    """A suspension or exclusion that a government orders for a breach, with its officers."""

    KIND = "sanction.v1"
    AUTHOR = Author.GOVERNMENT
    APPROVED = True


class AppealFiling(Filing):
    """That the party appeals against what was ordered."""

    KIND = "appeal.v1"
    AUTHOR = Author.ITSELF


class AppealDecisionFiling(Filing):
    """What other officers decide over an appeal."""

    KIND = "appeal-decision.v1"
    AUTHOR = Author.GOVERNMENT
    APPROVED = True


class BreachClosingFiling(Filing):
    """That nothing more follows from a breach."""

    KIND = "breach-closing.v1"
    AUTHOR = Author.GOVERNMENT


class StaleHitsFiling(Filing):
    """That an asker keeps hits of an exchange that its answerer has told it are stale, or keeps them no more."""

    KIND = "stale-hits.v1"
    AUTHOR = Author.ADMITTED


class LeakFiling(Filing):
    """That personal information has got out of a party."""

    KIND = "leak.v1"
    AUTHOR = Author.ADMITTED


class LeakStepFiling(Filing):
    """What somebody has done about a leak."""

    KIND = "leak-step.v1"
    AUTHOR = Author.ADMITTED


FILINGS: Mapping[str, type[Filing]] = {
    kind.KIND: kind
    for kind in (
        RulebookFiling,
        OfficerFiling,
        NoticeFiling,
        VettingFiling,
        ConsentsFiling,
        BudgetRequestFiling,
        BudgetGrantFiling,
        BreachFiling,
        BreachReplyFiling,
        MeasureFiling,
        SanctionFiling,
        AppealFiling,
        AppealDecisionFiling,
        BreachClosingFiling,
        StaleHitsFiling,
        LeakFiling,
        LeakStepFiling,
        SourceReviewFiling,
    )
}
Statement = PartyStatement | Filing
STATEMENTS: Mapping[str, type[Statement]] = {**PARTY_STATEMENTS, **FILINGS}


@dataclass(frozen=True, slots=True)
class Filed:
    """A filing that was taken in.

    Attributes:
        hash: of what was signed.
        officers: keys of the officers who have signed it, where it takes their approval.
    """

    filing: Filing
    hash: bytes
    officers: frozenset[bytes] = frozenset()
