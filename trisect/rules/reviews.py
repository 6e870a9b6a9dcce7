"""A recipient's own review of a source: before a party takes anything from another it has looked into it (paper, 4.1.2).

A government's vetting says that a party may be in the consortium; a review says that this recipient has reason to trust
this source. It is the recipient's own filing, and expires. Governments as sources need none.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from trisect.clock import from_text
from trisect.errors import BadInputError, DeniedError, VerificationError
from trisect.rules.document import Fields
from trisect.trust.filings import Filing, SourceReviewFiling
from trisect.trust.keys import PartyName
from trisect.trust.membership import Membership
from trisect.trust.statements import Vetting

RULE = "source-reviewed"
MAX_TEXT = 500


@dataclass(frozen=True, slots=True)
class SourceReview(Fields):
    """What a recipient says of a source.

    Attributes:
        source: whom it has looked into.
        reviewer: who did, as every party reads it.
        evidence: where it is filed, or its digest; never the evidence itself.
        expires: until when it counts.
    """

    WHAT: ClassVar[str] = "a review of a source"

    source: str
    reviewer: str
    evidence: str
    expires: str

    def check(self) -> None:
        """Check what types cannot say; raises BadInputError."""
        for text in (self.reviewer, self.evidence):
            if not 0 < len(text.strip()) <= MAX_TEXT:
                raise BadInputError(
                    f"a review names its reviewer and its evidence, in 1 to {MAX_TEXT} characters each",
                    hint="give --reviewer and --evidence",
                )
        try:
            from_text(self.expires)
        except ValueError:
            raise BadInputError(
                "a review says until when it counts, such as 2027-01-31T00:00:00Z", hint="see --until"
            ) from None

    def in_force(self, moment: dt.datetime) -> bool:
        """Tell whether it has not expired."""
        return moment < from_text(self.expires)


def of_recipient(membership: Membership, name: str) -> Mapping[PartyName, SourceReview]:
    """Give a recipient's newest review of each source."""
    found = (SourceReview.from_body(one.filing.content) for one in membership.filed(SourceReviewFiling, name))
    return {PartyName(review.source): review for review in found}


def require(membership: Membership, recipient: str, source: str, moment: dt.datetime) -> None:
    """Raise DeniedError where a recipient has not reviewed a source, or that has expired."""
    filed = reversed(membership.filed(SourceReviewFiling, recipient))
    newest = next((one for one in filed if one.filing.content.get("source") == source), None)
    review = SourceReview.from_body(newest.filing.content) if newest else None
    if review is None or not review.in_force(moment):
        raise DeniedError(
            f"{recipient}'s own review of {source} expired at {review.expires}"
            if review
            else f"{recipient} has not reviewed {source} as a source",
            hint=f"its administrator looks into {source} and says so with `trisect party review {source}`",
            rule=RULE,
        )


def check(filing: Filing, membership: Membership) -> None:
    """Check what a recipient files; raises VerificationError or BadInputError."""
    review = SourceReview.from_body(filing.content)
    review.check()
    if membership.party(review.source).name == filing.party:
        raise VerificationError("a party does not review itself")


def of_vetting(source: str, vetting: Vetting) -> SourceReview:
    """Review a source as a government has vetted it."""
    return SourceReview(source, vetting.reviewer, vetting.evidence, vetting.expires)
