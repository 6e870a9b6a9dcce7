"""Signs the terms on which this party shares its lists."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from nodes.link import Link
from nodes.members import Members
from trisect.rules.permit import ONWARD
from trisect.rules.terms import HitUse, Terms
from trisect.rules.vocabulary import Mode, Purpose


@dataclass(frozen=True, slots=True)
class Offering:
    """Writes terms at one node."""

    members: Members
    link: Link

    def terms(
        self,
        collection: str,
        recipient: str,
        purpose: Purpose,
        modes: Iterable[Mode],
        uses: Iterable[HitUse],
        retention_days: int,
    ) -> bytes:
        """Sign the terms of a sharing; `collection` is the list's opaque id. Gives the envelope."""
        made = Terms(
            consortium=self.members.membership.consortium,
            owner=self.members.name,
            collection=collection,
            recipient=recipient,
            purpose=purpose.value,
            modes=",".join(sorted(modes)),
            use=",".join(sorted(uses)),
            retention_days=retention_days,
            onward=ONWARD,
            issued=self.members.now(),
        )
        return made.sign(self.link.keys.identity)
