"""Breaches: the public file on a party that has broken a rule, from the proof over reply, order and appeal to the end.

A breach is named PARTY/NUMBER. Peers open one only with a proof that anybody can check; a government may do so on what it
has found. Everything in a file is a filing about the party, so that nodes and coordinator have the same file and act by it
alike. Not here: what may be filed at all (`trisect.rules.checking`).
"""

from __future__ import annotations

import datetime as dt
import enum
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from trisect.clock import from_text
from trisect.errors import BadInputError, NotFoundError
from trisect.rules.document import Fields
from trisect.rules.vocabulary import Purpose, Sanction, purpose
from trisect.trust.filings import (
    AppealDecisionFiling,
    AppealFiling,
    BreachClosingFiling,
    BreachFiling,
    BreachReplyFiling,
    Filed,
    Filing,
    MeasureFiling,
    SanctionFiling,
)
from trisect.trust.keys import PartyName
from trisect.trust.membership import Membership
from trisect.trust.statements import party_name

MAX_TEXT = 2_000
MAX_PROOF_BYTES = 64 * 1024
FACTORS = range(2, 1_001)
"""By how much a throttle may divide budgets."""
LONGEST = dt.timedelta(days=3 * 366)
WAITING = dt.timedelta(days=7)
"""How long what officers have to sign may wait for them."""
F = TypeVar("F", bound=Fields)
_REFERENCE = re.compile(r"(.+)/([1-9][0-9]{0,8})")


class Ground(enum.StrEnum):
    """Why a breach is opened."""

    RED_LINE = "red-line"
    """A signed offer crosses a red line, whatever it is answered with."""
    RECEIPTS = "receipts"
    """Two signed receipts of one exchange contradict each other."""
    DRIFT = "notice-drift"
    """A party does other things to personal information than its notice says; it tells so itself."""
    FINDING = "finding"
    """A government has found it by other means."""


PROVED = {Ground.RED_LINE: 1, Ground.RECEIPTS: 2}
"""How many signed documents prove a ground; the others rest on their issuer's word."""
MEASURES = frozenset({Sanction.WARN, Sanction.THROTTLE})
"""What a government orders without its officers and without hearing the party first."""


@dataclass(frozen=True, slots=True)
class Opening(Fields):
    """What opens a breach.

    Attributes:
        ground: a `Ground`.
        rule: the red line that was crossed, or empty.
        text: what has happened, as everybody reads it.
        proof: the first signed document that proves it, or empty.
        second_proof: the second one, or empty.
    """

    WHAT: ClassVar[str] = "the opening of a breach"

    ground: str
    rule: str
    text: str
    proof: bytes
    second_proof: bytes

    @property
    def proofs(self) -> tuple[bytes, ...]:
        """The documents that prove it."""
        return tuple(found for found in (self.proof, self.second_proof) if found)


@dataclass(frozen=True, slots=True)
class Reply(Fields):
    """What a party says to a breach of that number."""

    WHAT: ClassVar[str] = "a reply to a breach"

    breach: int
    text: str


@dataclass(frozen=True, slots=True)
class Order(Fields):
    """A measure or a sanction for the breach of a number.

    Attributes:
        act: a `Sanction`.
        purpose: that is suspended; empty for every other act.
        factor: by which budgets are divided; 0 for every other act.
        reasons: why, as the party and everybody else read it.
        begins: when it takes effect; empty if with its signing.
        ends: when it ends by itself.
    """

    WHAT: ClassVar[str] = "an order for a breach"

    breach: int
    act: str
    purpose: str
    factor: int
    reasons: str
    begins: str
    ends: str

    @property
    def kind(self) -> type[Filing]:
        """The kind of filing that it is ordered by."""
        return MeasureFiling if self.act in MEASURES else SanctionFiling

    def check(self) -> None:
        """Check what types cannot say; raises BadInputError."""
        check_text(self.reasons, "the reasons")
        if self.act not in list(Sanction):
            raise BadInputError("there is no such sanction", hint=f"known: {', '.join(Sanction)}")
        if bool(self.purpose) != (self.act == Sanction.SUSPEND_PURPOSE):
            raise BadInputError("suspend-purpose, and no other act, names a purpose", hint="see --only")
        if self.purpose:
            purpose(self.purpose)
        if (self.factor in FACTORS) != (self.act == Sanction.THROTTLE) or (
            self.factor and self.act != Sanction.THROTTLE
        ):
            raise BadInputError(
                "a throttle, and no other act, divides budgets by 2 to 1,000", hint="see --factor"
            )

    def check_span(self, issued: str) -> None:
        """Check when it has effect, if it is signed at a time; raises BadInputError."""
        begins, ends = (_moment(text) for text in (self.begins or issued, self.ends))
        if begins < _moment(issued):
            raise BadInputError(
                "an order does not begin before it is signed",
                hint="without --from it begins when it is signed",
            )
        if not dt.timedelta() < ends - begins <= LONGEST:
            raise BadInputError(
                f"an order ends after it begins, within {LONGEST.days} days", hint="choose another --until"
            )


@dataclass(frozen=True, slots=True)
class Appeal(Fields):
    """What a party says against an order.

    Attributes:
        against: the kind of the order's filing, `measure.v1` or `sanction.v1`.
        number: its serial.
        text: why it should not stand.
    """

    WHAT: ClassVar[str] = "an appeal"

    against: str
    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Decision(Fields):
    """What is decided over the appeal of a number.

    Attributes:
        lifts: 1 if the order ends, 0 if it stands.
        reasons: why.
    """

    WHAT: ClassVar[str] = "a decision over an appeal"

    appeal: int
    lifts: int
    reasons: str


@dataclass(frozen=True, slots=True)
class Closing(Fields):
    """Why nothing more follows from the breach of a number."""

    WHAT: ClassVar[str] = "the closing of a breach"

    breach: int
    text: str


@dataclass(frozen=True, slots=True)
class Ordered:
    """An order in a breach's file, what was said against it, and what was decided.

    Attributes:
        number: of the order's filing among those of its kind.
        decided: the decision over its appeal.
    """

    order: Order
    filed: Filed
    appeal: Appeal | None
    appealed: Filed | None
    decision: Decision | None

    @property
    def number(self) -> int:
        """Its number among the orders of its kind about the party."""
        return self.filed.filing.serial

    @property
    def begins(self) -> str:
        """When it takes effect."""
        return self.order.begins or self.filed.filing.issued

    @property
    def stands(self) -> bool:
        """Whether no appeal has lifted it; one that waits does not."""
        return self.decision is None or not self.decision.lifts

    def appealable_until(self, appeal_days: int) -> dt.datetime:
        """Tell until when it may be appealed against: what waited for officers cannot have been known before."""
        filing = self.filed.filing
        waited = WAITING if filing.APPROVED else dt.timedelta()
        return from_text(filing.issued) + dt.timedelta(days=appeal_days) + waited

    def final(self, moment: dt.datetime, appeal_days: int) -> bool:
        """Whether nothing can lift it any more: no appeal has come in its time, or one was turned down."""
        if self.appeal is not None:
            return self.decision is not None and self.stands
        return moment > self.appealable_until(appeal_days)

    def in_force(self, moment: dt.datetime) -> bool:
        """Whether it has effect at a moment."""
        return self.stands and from_text(self.begins) <= moment < from_text(self.order.ends)


@dataclass(frozen=True, slots=True)
class Breach:
    """One file."""

    opening: Opening
    filed: Filed
    replies: tuple[tuple[Reply, Filed], ...]
    orders: tuple[Ordered, ...]
    closing: Closing | None
    closed_by: str

    @property
    def party(self) -> PartyName:
        """Whose breach it is."""
        return self.filed.filing.party

    @property
    def number(self) -> int:
        """Its number among those of the party."""
        return self.filed.filing.serial

    @property
    def name(self) -> str:
        """How it is named."""
        return f"{self.party}/{self.number}"

    @property
    def state(self) -> str:
        """Where it stands: open, replied, ordered, appealed or closed."""
        if self.closing:
            return "closed"
        if any(one.appeal and not one.decision for one in self.orders):
            return "appealed"
        if self.orders:
            return "ordered"
        return "replied" if self.replies else "open"

    def heard(self, moment: dt.datetime, reply_days: int) -> bool:
        """Whether the party has replied, or has had its time to."""
        opened = from_text(self.filed.filing.issued)
        return bool(self.replies) or moment >= opened + dt.timedelta(days=reply_days)


def read_reference(text: str, what: str = "breach") -> tuple[PartyName, int]:
    """Read the name of a breach, or of whatever else is counted by party; raises BadInputError."""
    found = _REFERENCE.fullmatch(text)
    if not found:
        raise BadInputError(
            f"a {what} is named PARTY/NUMBER, such as bank/1", hint=f"`trisect {what} list` names all"
        )
    return party_name(found[1]), int(found[2])


def of_party(membership: Membership, name: str) -> Sequence[Breach]:
    """Read all files on a party, oldest first."""
    orders = [
        *_read(Order, membership, MeasureFiling, name),
        *_read(Order, membership, SanctionFiling, name),
    ]
    appeals = _read(Appeal, membership, AppealFiling, name)
    decisions = {found.appeal: found for found, _ in _read(Decision, membership, AppealDecisionFiling, name)}
    closings = {
        closing.breach: (closing, filed.filing.issuer)
        for closing, filed in _read(Closing, membership, BreachClosingFiling, name)
    }
    replies = _read(Reply, membership, BreachReplyFiling, name)

    def ordered(order: Order, filed: Filed) -> Ordered:
        mine = (type(filed.filing).KIND, filed.filing.serial)
        appeal, appealed = next(
            ((appeal, one) for appeal, one in appeals if (appeal.against, appeal.number) == mine),
            (None, None),
        )
        decision = decisions.get(appealed.filing.serial) if appealed else None
        return Ordered(order, filed, appeal, appealed, decision)

    return [
        Breach(
            Opening.from_body(filed.filing.content),
            filed,
            tuple(found for found in replies if found[0].breach == filed.filing.serial),
            tuple(ordered(*found) for found in orders if found[0].breach == filed.filing.serial),
            *closings.get(filed.filing.serial, (None, "")),
        )
        for filed in membership.filed(BreachFiling, name)
    ]


def find(membership: Membership, name: str, number: int) -> Breach:
    """Find one file; raises NotFoundError."""
    for found in of_party(membership, name):
        if found.number == number:
            return found
    raise NotFoundError("there is no such breach", hint="`trisect breach list` names all")


def in_force(membership: Membership, name: str, moment: dt.datetime) -> Sequence[tuple[Breach, Ordered]]:
    """List the orders about a party that have effect at a moment."""
    return [
        (breach, one)
        for breach in of_party(membership, name)
        for one in breach.orders
        if one.in_force(moment)
    ]


def forbids(order: Order, wanted: Purpose) -> bool:
    """Whether an order keeps its party from exchanging anything for a purpose."""
    if order.act == Sanction.SUSPEND_PURPOSE:
        return order.purpose == wanted
    return order.act in {Sanction.SUSPEND, Sanction.EXPEL}


def check_text(text: str, what: str) -> None:
    """Check a text that everybody reads; raises BadInputError."""
    if not 0 < len(text.strip()) <= MAX_TEXT:
        raise BadInputError(f"{what} have 1 to {MAX_TEXT} characters", hint="everybody reads them")


def _read(content: type[F], membership: Membership, kind: type[Filing], name: str) -> list[tuple[F, Filed]]:
    return [(content.from_body(one.filing.content), one) for one in membership.filed(kind, name)]


def _moment(text: str) -> dt.datetime:
    try:
        return from_text(text)
    except ValueError:
        raise BadInputError("a time is written as 2027-01-31T00:00:00Z", hint="see --until") from None
