"""What is in force in a consortium, read out of what was filed: rulebooks, notices, vetting.

Coordinator and nodes read the same filings in the same order and come to the same facts. Not here: who may file
(`trisect.trust.membership`), and what (`trisect.rules.checking`).
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from trisect.errors import DeniedError, VerificationError
from trisect.rules import breaches
from trisect.rules.allowances import Allowance
from trisect.rules.breaches import Order
from trisect.rules.consents import EpochCommitment
from trisect.rules.facts import PartyFacts
from trisect.rules.notices import Notice
from trisect.rules.rulebook import Deadlines, Rulebook, Rulebooks
from trisect.rules.vocabulary import Purpose, Sanction
from trisect.trust.filings import (
    BudgetGrantFiling,
    ConsentsFiling,
    Filed,
    Filing,
    NoticeFiling,
    RulebookFiling,
)
from trisect.trust.membership import Membership
from trisect.trust.statements import KeyCheck, Role

NO_NOTICE = "notice-in-force"
NOT_VETTED = "vetting-in-force"
SANCTIONED = "sanction-in-force"


@dataclass(frozen=True, slots=True)
class Regime:
    """The rules and notices of one directory at its present state.

    Attributes:
        membership: the directory.
        named: of parties whose newest notice is not the one meant: the hash of that which is.
    """

    membership: Membership
    named: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def rulebooks(self) -> Rulebooks:
        """All rulebooks that were published."""
        return Rulebooks(read_rulebook(one.filing) for one in self.membership.filed(RulebookFiling))

    def deadlines(self, moment: dt.datetime) -> Deadlines:
        """Give the deadlines of the rulebook that had begun last at a moment, the default ones before any."""
        begun = [one for one in self.rulebooks if one.provisions.valid_from <= moment]
        return begun[-1].provisions.deadlines if begun else Deadlines()

    def notices(self, name: str) -> list[tuple[Notice, Filed]]:
        """List all notices of a party and how they were filed, oldest first."""
        role = self.membership.party(name).role
        return [(read_notice(one.filing, role), one) for one in self.membership.filed(NoticeFiling, name)]

    def notice(self, name: str) -> tuple[Notice, Filed] | None:
        """Give the newest notice of a party, or the one named, and how it was filed; None where there is none."""
        filed = self.membership.filed(NoticeFiling, name)
        if name in self.named:
            filed = tuple(one for one in filed if one.hash == self.named[name])
        if not filed:
            return None
        return read_notice(filed[-1].filing, self.membership.party(name).role), filed[-1]

    def notice_hash(self, name: str) -> bytes:
        """Give the hash of a party's newest notice, empty without one."""
        found = self.notice(name)
        return found[1].hash if found else b""

    def require_notice(self, name: str, moment: dt.datetime) -> None:
        """Raise DeniedError where a party has no notice in force."""
        found = self.notice(name)
        if found is None or not found[0].in_force(moment):
            raise DeniedError(
                f"{name} has {'a notice that has expired or not begun' if found else 'published no notice'} of what "
                "it does to personal information",
                hint="its administrator publishes one with `trisect notice publish`",
                rule=NO_NOTICE,
            )

    def require_vetted(self, name: str, moment: dt.datetime) -> None:
        """Raise DeniedError where a party's vetting has expired, or it never had one."""
        vetting = self.membership.party(name).vetting
        if vetting is None or not vetting.in_force(moment):
            raise DeniedError(
                f"the vetting of {name} expired at {vetting.expires}"
                if vetting
                else f"{name} was never vetted",
                hint=f"a government looks into it and says so with `trisect party vet {name}`",
                rule=NOT_VETTED,
            )

    def consents_told(self, name: str) -> int:
        """Tell up to which of its numbers a proxy has committed to consents."""
        filed = self.membership.filed(ConsentsFiling, name)
        return EpochCommitment.from_content(filed[-1].filing.content).sequence if filed else 0

    def budget(self, asker: str, answerer: str, purpose: Purpose, day: str, rulebook: bytes) -> int:
        """Tell the elements that an asker may have evaluated by an answerer on a day, by the rulebook of a hash."""
        found = next(one for one in self.rulebooks if one.hash == rulebook)
        throttle = max((one.factor for one in self._throttles(asker, day)), default=1)
        return found.provisions.budget(purpose) // throttle + self.granted(asker, answerer, purpose, day)

    def _throttles(self, asker: str, day: str) -> Iterator[Order]:
        """List the orders that divide an asker's budgets on any part of a day."""
        for breach in breaches.of_party(self.membership, asker):
            for one in breach.orders:
                if (
                    one.order.act == Sanction.THROTTLE
                    and one.stands
                    and (one.begins[:10] <= day <= one.order.ends[:10])
                ):
                    yield one.order

    def require_unsanctioned(self, name: str, purpose: Purpose, moment: dt.datetime) -> None:
        """Raise DeniedError where a party has been suspended or excluded for a breach."""
        for breach, one in breaches.in_force(self.membership, name, moment):
            if breaches.forbids(one.order, purpose):
                only = f" from {purpose}" if one.order.purpose else ""
                raise DeniedError(
                    f"{name} is suspended{only} until {one.order.ends} for the breach {breach.name}: "
                    f"{one.order.reasons}",
                    hint="its administrator replies and appeals with `trisect breach`; other officers decide",
                    rule=SANCTIONED,
                )

    def granted(self, asker: str, answerer: str, purpose: Purpose, day: str) -> int:
        """Tell how much governments have granted an asker on a day beyond what the rulebook lets it ask."""
        allowances = (
            Allowance.from_content(one.filing.content)
            for one in self.membership.filed(BudgetGrantFiling, asker)
        )
        return sum(one.elements for one in allowances if one.covers(answerer, purpose, day))

    def party_facts(self, name: str, moment: dt.datetime) -> PartyFacts:
        """Tell what rules may know of a party."""
        party = self.membership.party(name)
        found = self.notice(name)
        notice = found[0] if found and found[0].in_force(moment) else None
        return PartyFacts(
            name=party.name,
            role=party.role,
            key_checked=party.key_check is not KeyCheck.NONE,
            vetted=party.vetting is not None and party.vetting.in_force(moment),
            noticed=notice is not None,
            purposes=notice.purposes if notice else frozenset(),
            kinds=notice.kinds if notice else frozenset(),
            ai_uses=notice.ai_uses if notice else frozenset(),
        )


def read_rulebook(filing: Filing) -> Rulebook:
    """Read a rulebook out of its filing; raises VerificationError."""
    found = _parsed_rulebook(filing.content.get("toml"), filing.content.get("policies"))
    if found.content != filing.content or found.provisions.version != filing.serial:
        raise VerificationError(
            "a rulebook is filed under another version or number of approvals than it says"
        )
    return found


def read_notice(filing: Filing, role: Role) -> Notice:
    """Read a notice out of its filing; raises VerificationError."""
    found = _parsed_notice(filing.content.get("toml"), role)
    if found.content != filing.content:
        raise VerificationError("a signed notice says other terms than its text")
    return found


@functools.lru_cache(maxsize=64)
def _parsed_rulebook(toml: object, policies: object) -> Rulebook:
    return Rulebook.of_texts(toml, policies)


@functools.lru_cache(maxsize=1_024)
def _parsed_notice(toml: object, role: Role) -> Notice:
    return Notice.of_text(toml, role)
