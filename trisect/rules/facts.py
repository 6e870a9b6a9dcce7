"""What a decision is made over: the same signed facts at asker, answerer and coordinator."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from trisect.indicators.kinds import KINDS, Kind
from trisect.rules.vocabulary import AiUse, BasisName, EngineName, Mode, Purpose
from trisect.trust.statements import Role

NAMESPACE = "Trisect"


@dataclass(frozen=True, slots=True)
class PartyFacts:
    """What signed statements say of one end.

    Attributes:
        name: the party's.
        role: in its admission.
        key_checked: whether its admission names a key that was compared with the party's own word.
        vetted: whether the record of its vetting has not expired.
        noticed: whether it has a notice in force.
        purposes: that its notice declares.
        kinds: of which its notice declares that it holds information.
        ai_uses: that its notice declares.
    """

    name: str
    role: Role
    key_checked: bool
    vetted: bool
    noticed: bool
    purposes: frozenset[Purpose]
    kinds: frozenset[Kind]
    ai_uses: frozenset[AiUse]

    def entity(self) -> dict[str, Any]:
        """Write the party as Cedar's entity."""
        return {
            "uid": entity("Party", self.name),
            "attrs": {
                "role": self.role.value,
                "key_checked": self.key_checked,
                "vetted": self.vetted,
                "noticed": self.noticed,
                "purposes": words(self.purposes),
                "kinds": words(self.kinds),
                "ai_uses": words(self.ai_uses),
            },
            "parents": [],
        }


@dataclass(frozen=True, slots=True)
class Facts:
    """One proposed exchange.

    Attributes:
        asker: who asks.
        answerer: who is asked.
        purpose: as declared in the offer.
        mode: as declared in the offer.
        engine: as declared in the offer.
        kinds: of the indicators in the asker's collection; nothing else can be found in common.
        answered_kinds: of those in the answerer's.
        basis: legal basis of the asker's collection.
        answered_basis: of the answerer's.
        asked: the asker's padded size.
        answered: the answerer's.
        decided: seconds since 1970, as declared in the offer.
    """

    asker: PartyFacts
    answerer: PartyFacts
    purpose: Purpose
    mode: Mode
    engine: EngineName
    kinds: frozenset[Kind]
    answered_kinds: frozenset[Kind]
    basis: BasisName
    answered_basis: BasisName
    asked: int
    answered: int
    decided: int

    def request(self) -> dict[str, Any]:
        """Write the facts as Cedar's request."""
        classes = {law for kind in self.kinds | self.answered_kinds for law in KINDS[kind].law}
        return {
            "principal": entity("Party", self.asker.name),
            "action": entity("Action", self.mode.value),
            "resource": entity("Party", self.answerer.name),
            "context": {
                "purpose": self.purpose.value,
                "engine": self.engine.value,
                "kinds": words(self.kinds),
                "answered_kinds": words(self.answered_kinds),
                "law": words(classes),
                "basis": self.basis.value,
                "answered_basis": self.answered_basis.value,
                "asked": self.asked,
                "answered": self.answered,
                "decided": self.decided,
            },
        }

    def entities(self) -> list[dict[str, Any]]:
        """Write the two parties as Cedar's entities."""
        return [self.asker.entity(), self.answerer.entity()]


def entity(sort: str, name: str) -> dict[str, str]:
    """Name a Cedar entity of the published schema."""
    return {"type": f"{NAMESPACE}::{sort}", "id": name}


def words(found: Iterable[str]) -> list[str]:
    """Write a set of enumeration members as their sorted words."""
    return sorted(str(one) for one in found)
