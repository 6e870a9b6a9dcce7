"""Delegations: within which bounds a proxy may consent in a person's name (paper, 4.2.2: to authorise others).

A delegation is recorded, signed, ended and taken back as a consent is. It is no consent: nothing is processed because
of it alone. Each consent that is given under one names it by hash, and lies within it, or it is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from trisect.clock import from_text
from trisect.errors import DeniedError
from trisect.rules.consents import Consent, Word

RULE = "delegation"


@dataclass(frozen=True, slots=True)
class Delegation(Word):
    """What one person allows a proxy to consent to; it ends no consent later than itself."""

    KIND: ClassVar[str] = "delegation.v1"
    EVENT: ClassVar[str] = "delegation"

    def require(self, consent: Consent) -> None:
        """Check that a consent may be given under it.

        Raises:
            DeniedError: it is another person's, or reaches further.
        """
        if (consent.consortium, consent.proxy, consent.subject) != (
            self.consortium,
            self.proxy,
            self.subject,
        ):
            raise DeniedError(
                "the delegation is of another person, or to another proxy",
                hint="name one that `trisect delegation list --person -` shows",
                rule=RULE,
            )
        if beyond := list(self._beyond(consent)):
            raise DeniedError(
                f"the person has not delegated this: {', '.join(beyond)}",
                hint="stay within the delegation, or ask the person",
                rule=RULE,
            )

    def _beyond(self, consent: Consent) -> Iterator[str]:
        for noun, asked, allowed in (
            ("purpose", consent.purposes, self.purposes),
            ("kind", consent.kinds, self.kinds),
            ("party", consent.parties, self.parties),
        ):
            yield from (f"the {noun} {one}" for one in asked if one not in allowed)
        if from_text(consent.given) < from_text(self.given):
            yield "a consent before the delegation"
        if from_text(consent.expires) > from_text(self.expires):
            yield f"a consent beyond {self.expires}, when the delegation ends"
        if missing := [one.value for one in self.pressures if one not in consent.pressures]:
            yield f"a consent that is freer than the delegation, which was {', '.join(missing)}"
