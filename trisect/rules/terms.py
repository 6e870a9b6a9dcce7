"""The terms of a sharing: what an owner lets others do with what they learn of a list, signed when it shares the list.

A permit names them by hash and holds no longer retention; the asker gets them with the answer, checks that they cover what
it asks for, and keeps them. Not here: who may ask (`trisect.rules.sharing`), and what becomes of hits in time
(`trisect.store.retention`).
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from trisect.clock import from_text
from trisect.errors import BadInputError, VerificationError
from trisect.rules.document import Document
from trisect.rules.permit import Permit
from trisect.rules.sharing import meant
from trisect.trust.keys import IdentityPublic
from trisect.trust.statements import Role

MOST_DAYS: Final = 3_650
MOST_BYTES: Final = 4_096


class HitUse(enum.StrEnum):
    """What a recipient may do because of a hit."""

    PURPOSE = "purpose"
    """Whatever the purpose needs."""
    REVIEW = "review"
    """Have a person look into it."""
    WARN = "warn"
    """Warn the person who is about to be harmed."""
    HOLD = "hold"
    """Hold a payment, a call or an account back for a time."""
    REPORT = "report"
    """Report it to an authority."""
    STATISTICS = "statistics"
    """Count it."""


@dataclass(frozen=True, slots=True)
class Terms(Document):
    """What an owner has signed.

    Attributes:
        collection: opaque id of the owner's list.
        recipient: a party's name, `role:ROLE` or `all`.
        purpose: for which it may ask.
        modes: in which, sorted, with commas.
        use: what may be done because of a hit, `HitUse`, sorted, with commas.
        retention_days: for how long hits may be kept at most.
        onward: to whom they may be passed on.
        issued: when it was signed.
    """

    KIND: ClassVar[str] = "terms.v1"

    consortium: str
    owner: str
    collection: str
    recipient: str
    purpose: str
    modes: str
    use: str
    retention_days: int
    onward: str
    issued: str


def uses(words: Iterable[str]) -> Sequence[HitUse]:
    """Read what may be done because of a hit, by default whatever the purpose needs; raises BadInputError."""
    found = sorted({word.strip().casefold() for word in words} - {""}) or [HitUse.PURPOSE.value]
    unknown = [word for word in found if word not in list(HitUse)]
    if unknown:
        raise BadInputError("there is no such use of a hit", hint=f"known: {', '.join(HitUse)}")
    return [HitUse(word) for word in found]


def retention(days: int, longest: int) -> int:
    """Check for how many days hits may be kept; 0 is as long as the list's own entries. Raises BadInputError."""
    if not 0 <= days <= MOST_DAYS:
        raise BadInputError(f"hits are kept for 1 to {MOST_DAYS} days", hint="give another --retention-days")
    return min(days or longest, longest)


def check(envelope: bytes, permit: Permit, role: Role, *owner: IdentityPublic) -> Terms:
    """Check at an asker that the terms which a permit names are the owner's and cover what it permits.

    Args:
        envelope: the signed terms.
        permit: that names them.
        role: the asker's.
        owner: the keys of the answerer, present and former.

    Raises:
        VerificationError: they are not, or do not.
    """
    if len(envelope) > MOST_BYTES:
        raise VerificationError("the terms of a sharing are longer than any that could be signed")
    found, signed = Terms.verify(envelope, *owner)
    try:
        sound = ",".join(uses(found.use.split(","))) == found.use and bool(from_text(found.issued))
    except (BadInputError, ValueError):
        sound = False
    if not sound:
        raise VerificationError("the terms of a sharing say what no terms say")
    if signed.payload_hash != permit.terms:
        raise VerificationError("a permit names other terms than those that came with it")
    if (found.consortium, found.owner, found.collection, found.purpose, found.onward) != (
        permit.consortium,
        permit.answerer,
        permit.answered_collection,
        permit.purpose,
        permit.onward,
    ) or permit.mode not in found.modes.split(","):
        raise VerificationError("the terms that a permit names are of another list, purpose or mode")
    if found.recipient not in meant(permit.asker, role):
        raise VerificationError("the terms that a permit names are not for the asker")
    if permit.retention_days > found.retention_days:
        raise VerificationError("a permit lets hits be kept for longer than its terms do")
    return found
