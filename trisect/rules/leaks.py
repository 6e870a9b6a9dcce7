"""The register of leaks: personal information that has got out, by negligence, by malice or by an intrusion.

A leak is named PARTY/NUMBER after the party from which it came. What follows depends on the cause: who has to act, and by
when. Everything about a leak is a filing, so that all parties have the same register. It holds no indicator and no
person; how many persons are concerned is told to within a power of two. Not here: what a leak is punished with, which is
a breach (`trisect.rules.breaches`).
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from trisect.clock import from_text
from trisect.errors import BadInputError, ConflictError, VerificationError
from trisect.indicators.kinds import KINDS, Kind, LawClass
from trisect.rules.breaches import check_text
from trisect.rules.document import Fields
from trisect.rules.regime import Regime
from trisect.trust.filings import Filed, Filing, LeakFiling, LeakStepFiling
from trisect.trust.keys import PartyName
from trisect.trust.membership import Membership
from trisect.trust.statements import Role, Standing

MOST_PERSONS = 2**34


class Cause(enum.StrEnum):
    """How information has got out."""

    NEGLIGENT = "negligent"
    """By carelessness of the party that had it."""
    MALICIOUS = "malicious"
    """Somebody within has passed it on."""
    INTRUSION = "intrusion"
    """Somebody from without has taken it."""


class Method(enum.StrEnum):
    """By what means personal information was collected that should not have been (paper, 2.2.3.1)."""

    VIRUS = "virus"
    CRAWLER = "crawler"
    QR_CODE = "qr-code"
    APP = "app"
    ATTACK = "attack"
    INSIDER = "insider"
    UNKNOWN = "unknown"


class Act(enum.StrEnum):
    """What somebody has done about a leak."""

    CONTAINED = "contained"
    """The party has stopped it, and says how."""
    TAKEN_UP = "taken-up"
    """A government looks into it."""
    REKEYED = "re-keyed"
    """A government has rotated the pepper, so that tokens that got out match nothing new."""
    TOLD = "told"
    """A proxy has told its people."""
    CLOSED = "closed"
    """A government says that nothing more is to be done."""


ROUTES: Mapping[Cause, tuple[Act, ...]] = {
    Cause.NEGLIGENT: (Act.CONTAINED, Act.TOLD),
    Cause.MALICIOUS: (Act.TAKEN_UP, Act.CONTAINED, Act.TOLD),
    Cause.INTRUSION: (Act.CONTAINED, Act.REKEYED, Act.TAKEN_UP, Act.TOLD),
}
"""What has to be done by cause. A negligent leak is for governments too once the party has let its time pass."""
DUTIES = {
    Act.CONTAINED: "say how the leak {} was stopped",
    Act.TAKEN_UP: "take up the leak {}",
    Act.REKEYED: "rotate the pepper after the leak {}",
    Act.TOLD: "tell its people of the leak {}",
}


@dataclass(frozen=True, slots=True)
class Report(Fields):
    """What is reported.

    Attributes:
        cause: a `Cause`.
        kinds: of indicators that have got out, sorted, with commas.
        persons: at most how many persons it concerns, a power of two; 0 where nobody knows.
        discovered: when it was noticed.
        method: a `Method`.
        text: what has happened, as everybody reads it.
    """

    WHAT: ClassVar[str] = "a report of a leak"

    cause: str
    kinds: str
    persons: int
    discovered: str
    method: str
    text: str

    def check(self) -> None:
        """Check what types cannot say; raises BadInputError."""
        check_text(self.text, "the words of a report")
        if self.cause not in list(Cause):
            raise BadInputError("there is no such cause of a leak", hint=f"known: {', '.join(Cause)}")
        if self.method not in list(Method):
            raise BadInputError(
                "there is no such method of collecting information", hint=f"known: {', '.join(Method)}"
            )
        kinds = self.kinds.split(",")
        if kinds != sorted(set(kinds)) or not set(kinds) <= set(Kind):
            raise BadInputError(
                "a leak is of kinds of indicators, each named once", hint="see docs/importing.md"
            )
        if self.persons != size_class(self.persons):
            raise BadInputError(
                "how many persons a leak concerns is told as a power of two",
                hint="bring both ends to the same version of Trisect",
            )

    @property
    def personal(self) -> bool:
        """Whether anything of it is personal information, as the law classes kinds."""
        return any(KINDS[Kind(kind)].law != (LawClass.NOT_PERSONAL,) for kind in self.kinds.split(","))


@dataclass(frozen=True, slots=True)
class Step(Fields):
    """What somebody has done about the leak of a number.

    Attributes:
        act: an `Act`.
        text: how, as everybody reads it.
    """

    WHAT: ClassVar[str] = "a step after a leak"

    leak: int
    act: str
    text: str


@dataclass(frozen=True, slots=True)
class Owed:
    """What somebody still has to do about a leak."""

    party: PartyName
    act: Act
    due: dt.datetime


@dataclass(frozen=True, slots=True)
class Leak:
    """One leak and what was done about it."""

    report: Report
    filed: Filed
    steps: tuple[tuple[Step, Filed], ...]

    @property
    def party(self) -> PartyName:
        """From whom it came."""
        return self.filed.filing.party

    @property
    def name(self) -> str:
        """How it is named."""
        return f"{self.party}/{self.filed.filing.serial}"

    @property
    def closed(self) -> bool:
        """Whether a government has closed it."""
        return any(step.act == Act.CLOSED for step, _ in self.steps)

    def done(self, act: Act, by: str = "") -> bool:
        """Whether somebody, or a certain party, has done something about it."""
        return any(step.act == act and by in {"", one.filing.issuer} for step, one in self.steps)

    def late(self, regime: Regime) -> bool:
        """Whether it was reported later after its discovery than the rulebook allows."""
        reported = from_text(self.filed.filing.issued)
        return reported > from_text(self.report.discovered) + _time(regime, reported)

    def owed(self, regime: Regime, now: dt.datetime) -> Iterator[Owed]:
        """List what is still to be done about it, by whom and by when."""
        if self.closed:
            return
        reported = from_text(self.filed.filing.issued)
        allowed = _time(regime, reported)
        first, second = reported + allowed, reported + 2 * allowed
        acts = ROUTES[Cause(self.report.cause)]
        for act in acts:
            if act is Act.TOLD and not self.report.personal:
                continue
            for party in _whose(act, self.party, regime.membership):
                if not self.done(act, by=party if act is Act.TOLD else ""):
                    yield Owed(party, act, first)
        if Act.TAKEN_UP not in acts and not self.done(Act.CONTAINED) and not self.done(Act.TAKEN_UP):
            for party in _whose(Act.TAKEN_UP, self.party, regime.membership) if now >= first else ():
                yield Owed(party, Act.TAKEN_UP, second)


def size_class(persons: int) -> int:
    """Give the power of two that is told for a number of persons: the next one up, 0 for an unknown number."""
    if not 0 <= persons <= MOST_PERSONS:
        raise BadInputError(
            f"a leak concerns at most {MOST_PERSONS} persons", hint="0 says that nobody knows how many"
        )
    return 1 << (persons - 1).bit_length() if persons else 0


def of_party(membership: Membership, name: str) -> Sequence[Leak]:
    """Read all leaks of a party, oldest first."""
    steps = [(Step.from_body(one.filing.content), one) for one in membership.filed(LeakStepFiling, name)]
    return [
        Leak(
            Report.from_body(filed.filing.content),
            filed,
            tuple(found for found in steps if found[0].leak == filed.filing.serial),
        )
        for filed in membership.filed(LeakFiling, name)
    ]


def check_report(filing: Filing, membership: Membership) -> None:
    """Check what is reported; raises VerificationError or BadInputError."""
    membership.party(filing.party)
    report = Report.from_body(filing.content)
    report.check()
    try:
        discovered = from_text(report.discovered)
    except ValueError as error:
        raise VerificationError("a report of a leak does not say when it was discovered") from error
    if discovered > from_text(filing.issued):
        raise VerificationError("a leak is reported before it was discovered")


def check_step(filing: Filing, membership: Membership) -> None:
    """Check what somebody says to have done.

    Raises:
        VerificationError: it is not for this party to say.
        ConflictError: it was said before, or something has to be done first.
    """
    step = Step.from_body(filing.content)
    check_text(step.text, "the words of a step")
    act = Act(step.act) if step.act in list(Act) else None
    leak = next(
        (one for one in of_party(membership, filing.party) if one.filed.filing.serial == step.leak), None
    )
    if act is None or leak is None:
        raise VerificationError("a step is about a leak that there is not, or is none")
    _check_author(act, filing, membership)
    before = [
        (one, found) for one, found in leak.steps if found.filing.serial < filing.serial and one.act == act
    ]
    if any(act is not Act.TOLD or found.filing.issuer == filing.issuer for _, found in before):
        raise ConflictError(
            f"that the leak {leak.name} is {act} was said before", hint="see `trisect leak show`"
        )
    earlier = Leak(
        leak.report, leak.filed, tuple(one for one in leak.steps if one[1].filing.serial < filing.serial)
    )
    if earlier.closed:
        raise ConflictError(f"the leak {leak.name} is closed", hint="a new one is reported anew")
    if act is Act.CLOSED:
        issued = from_text(filing.issued)
        if missing := list(earlier.owed(Regime(membership), issued)):
            raise ConflictError(
                f"the leak {leak.name} is not closed before {missing[0].party} has done its part ({missing[0].act})",
                hint="`trisect supervise duties` lists what is still owed",
            )


def _check_author(act: Act, filing: Filing, membership: Membership) -> None:
    issuer = membership.party(filing.issuer)
    own = issuer.name == filing.party
    allowed = {
        Act.CONTAINED: own or issuer.role is Role.GOVERNMENT,  # which may find that there is nothing to stop
        Act.TAKEN_UP: issuer.role is Role.GOVERNMENT and not own,
        Act.REKEYED: issuer.role is Role.GOVERNMENT,
        Act.TOLD: issuer.role is Role.PROXY,
        Act.CLOSED: issuer.role is Role.GOVERNMENT and not own,
    }
    if not allowed[act]:
        raise VerificationError(
            f"{issuer.name} is not the one to say that a leak of {filing.party} is {act}",
            hint="the party says that it has contained it, a proxy that it has told its people, another government any but that",
        )


def _whose(act: Act, leaking: PartyName, membership: Membership) -> Iterator[PartyName]:
    """Name those who have to act; of governments the eldest that may."""
    if act is Act.CONTAINED:
        if membership.party(leaking).standing is not Standing.EXPELLED:  # else it says nothing any more
            yield leaking
        return
    active = [one for one in membership.parties.values() if one.standing is Standing.ACTIVE]
    if act is Act.TOLD:
        yield from (one.name for one in active if one.role is Role.PROXY)
    elif act is Act.REKEYED:
        if membership.pepper_keeper is not None:
            yield membership.pepper_keeper
    else:
        yield from [one.name for one in active if one.role is Role.GOVERNMENT and one.name != leaking][:1]


def _time(regime: Regime, moment: dt.datetime) -> dt.timedelta:
    return dt.timedelta(hours=regime.deadlines(moment).leak_report_hours)
