"""Allowances of budget beyond the rulebook's: asked for by the asker, granted by a government with its officers.

Requests and grants say the same: how many elements a day more, of whom, for what, from which day to which, and why.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from trisect.errors import BadInputError, VerificationError
from trisect.rules.vocabulary import Purpose, purpose
from trisect.trust.canonical_json import Json
from trisect.trust.keys import PartyName
from trisect.trust.statements import party_name

LONGEST = dt.timedelta(days=366)
MOST_ELEMENTS = 10**12
MAX_REASON = 500


@dataclass(frozen=True, slots=True)
class Allowance:
    """So much more than the rulebook's budget.

    Attributes:
        answerer: who evaluates.
        purpose: what for.
        elements: how many more on each budget day.
        first: the first day (UTC).
        last: the last one.
        reason: why, as everybody reads it.
    """

    answerer: PartyName
    purpose: Purpose
    elements: int
    first: dt.date
    last: dt.date
    reason: str

    def check(self) -> None:
        """Check what types cannot say; raises BadInputError."""
        if not 0 < self.elements <= MOST_ELEMENTS:
            raise BadInputError(
                f"an allowance has 1 to {MOST_ELEMENTS} elements a day", hint="give another --elements"
            )
        if not dt.timedelta() <= self.last - self.first < LONGEST:
            raise BadInputError(
                f"an allowance ends on the day that it begins or later, within {LONGEST.days} days",
                hint="--from and --until are days such as 2027-01-31",
            )
        if not 0 < len(self.reason.strip()) <= MAX_REASON:
            raise BadInputError(
                f"an allowance gives its reason in at most {MAX_REASON} characters", hint="everybody reads it"
            )

    def covers(self, answerer: str, wanted: Purpose, day: str) -> bool:
        """Tell whether it adds to the budget of a day (YYYY-MM-DD)."""
        return (self.answerer, self.purpose) == (answerer, wanted) and (
            self.first.isoformat() <= day <= self.last.isoformat()
        )

    def to_content(self) -> dict[str, Json]:
        """Write it as a filing's content."""
        return {
            "answerer": self.answerer,
            "purpose": self.purpose.value,
            "elements": self.elements,
            "from": self.first.isoformat(),
            "until": self.last.isoformat(),
            "reason": self.reason,
        }

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Self:
        """Read a filing's content; raises VerificationError."""
        try:
            found = cls(
                answerer=party_name(content["answerer"]),
                purpose=purpose(content["purpose"]),
                elements=content["elements"],
                first=dt.date.fromisoformat(content["from"]),
                last=dt.date.fromisoformat(content["until"]),
                reason=content["reason"],
            )
            found.check()
            if type(found.elements) is int and found.to_content() == content:
                return found
        except (KeyError, TypeError, ValueError, AttributeError, BadInputError) as error:
            raise VerificationError("an allowance of budget is not sound") from error
        raise VerificationError("an allowance of budget says more or less than one does")
