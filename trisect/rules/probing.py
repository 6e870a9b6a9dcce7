"""Facts made up to try a rulebook on, before it is signed.

A rule is tried on the values that it names itself, and on all of those vocabularies of which it names none. That is
no proof: a rule that speaks of two things at once in a way of its own may be reachable though no probe reaches it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, TypeVar

from trisect.errors import DeniedError
from trisect.indicators.kinds import KINDS, Kind, LawClass
from trisect.rules.facts import NAMESPACE, Facts, PartyFacts
from trisect.rules.policies import Policies, RedLineError, Rule
from trisect.rules.vocabulary import AiUse, BasisName, EngineName, Mode, Purpose
from trisect.trust.statements import Role

E = TypeVar("E", bound=StrEnum)
_PARTY = PartyFacts(
    name="asker",
    role=Role.PROVIDER,
    key_checked=True,
    vetted=True,
    noticed=True,
    purposes=frozenset(Purpose),
    kinds=frozenset(Kind),
    ai_uses=frozenset({AiUse.NONE}),
)
PLAIN = Facts(
    asker=_PARTY,
    answerer=replace(_PARTY, name="answerer"),
    purpose=Purpose.SCAM_PREVENTION,
    mode=Mode.MATCH,
    engine=EngineName.ECDH,
    kinds=frozenset({Kind.PHONE}),
    answered_kinds=frozenset({Kind.PHONE}),
    basis=BasisName.STATUTORY_DUTY,
    answered_basis=BasisName.STATUTORY_DUTY,
    asked=1_024,
    answered=1_024,
    decided=0,
)
"""Two providers that do all that they must: the facts that probes vary."""
_REPRESENTATIVES = (Kind.PHONE, Kind.IBAN, Kind.URL, Kind.VOICEPRINT)
UNSPECIAL = (
    BasisName.PUBLIC_INTEREST,
    BasisName.CONTRACT,
    BasisName.LEGITIMATE_INTEREST,
    BasisName.UNSPECIFIED,
)
"""Legal bases on which sensitive information may not be processed without more (PIPL 28, 29)."""
_PAIRS = tuple(itertools.product(Role, Role))


@dataclass(frozen=True, slots=True)
class Words:
    """What a policy names, out of its syntax tree."""

    texts: frozenset[str]
    numbers: frozenset[int]
    parties: frozenset[str]

    @classmethod
    def of(cls, tree: Any) -> Words:
        """Collect every literal of a policy in Cedar's JSON."""
        literals = list(_literals(tree))
        return cls(
            frozenset(one for one in literals if isinstance(one, str)),
            frozenset(one for one in literals if isinstance(one, int) and not isinstance(one, bool)),
            frozenset(_parties(tree)),
        )

    def members(self, vocabulary: type[E], otherwise: Iterable[E]) -> tuple[E, ...]:
        """Give the members of a vocabulary that are named, or others where none is."""
        return tuple(member for member in vocabulary if member.value in self.texts) or tuple(otherwise)


def probes(named: Words, decided: int) -> Iterator[list[Facts]]:
    """Make facts for a policy that names these words; each list is about two parties."""
    kinds = named.members(Kind, _REPRESENTATIVES)
    sets = sorted({frozenset({kind}) for kind in kinds} | {frozenset(kinds)}, key=sorted)
    sizes = sorted(
        {PLAIN.asked, *(size + by for size in named.numbers for by in (-1, 0, 1) if size + by > 0)}
    )
    uses = sorted({frozenset({use}) for use in (*named.members(AiUse, []), AiUse.NONE)}, key=sorted)
    # A rule may speak of the bases that it does not name.
    bases = sorted({*named.members(BasisName, ()), BasisName.STATUTORY_DUTY, BasisName.CONTRACT})
    both = [(one, other) for one in named.parties for other in (*named.parties, "another") if one != other]
    names = [*both, *((other, one) for one, other in both)] or [(PLAIN.asker.name, PLAIN.answerer.name)]
    circumstances = list(
        itertools.product(
            named.members(Purpose, Purpose),
            Mode,
            named.members(EngineName, [EngineName.ECDH]),
            sets,
            bases,
            sizes,
        )
    )
    for roles, called, ai_uses, good in itertools.product(_PAIRS, names, uses, (True, False)):
        asker, answerer = (
            _party(role, name, ai_uses, good=good) for role, name in zip(roles, called, strict=True)
        )
        yield [
            Facts(asker, answerer, purpose, mode, engine, kind, kind, basis, basis, size, size, decided)
            for purpose, mode, engine, kind, basis, size in circumstances
        ]


def _party(role: Role, name: str, ai_uses: frozenset[AiUse], *, good: bool) -> PartyFacts:
    """Make a party that does all that it must, or nothing of it."""
    if good:
        return replace(_PARTY, name=name, role=role, ai_uses=ai_uses)
    none: frozenset[Any] = frozenset()
    return PartyFacts(
        name, role, key_checked=False, vetted=False, noticed=False, purposes=none, kinds=none, ai_uses=none
    )


@dataclass(frozen=True, slots=True)
class Reach:
    """Whether a policy ever applies, and whether it ever decides.

    Attributes:
        applies: some probe satisfies it.
        decides: some probe that satisfies it comes out as it says.
        overruled_by: ids of red lines that overrule it, where it never decides.
    """

    applies: bool
    decides: bool
    overruled_by: frozenset[str]


def reach(policies: Policies, rule: Rule, decided: int) -> Reach:
    """Try a rule or red line alone and among all others."""
    alone, tree = policies.alone(rule)
    overruled: set[str] = set()
    for tried in probes(Words.of(tree), decided):
        outcomes = zip(tried, alone.outcomes(tried), strict=True)
        applying = [facts for facts, outcome in outcomes if _speaks(outcome)]
        if applying and rule.is_red_line:
            return Reach(applies=True, decides=True, overruled_by=frozenset())
        for outcome in policies.outcomes(applying):
            if not isinstance(outcome, DeniedError):
                return Reach(applies=True, decides=True, overruled_by=frozenset())
            overruled.add(outcome.rule)
    return Reach(applies=bool(overruled), decides=False, overruled_by=frozenset(overruled))


def _named_by_rules(policies: Policies) -> Callable[[type[E], Iterable[E]], list[E]]:
    """Give what tells which members of a vocabulary the rules name, or others for a rule that names none."""
    named = [Words.of(policies.alone(rule)[1]) for rule in policies.rules if not rule.is_red_line]

    def of(vocabulary: type[E], otherwise: Iterable[E]) -> list[E]:
        return sorted({member for words in named for member in words.members(vocabulary, otherwise)})

    return of


def sensitive_bases(policies: Policies, decided: int) -> set[BasisName]:
    """Tell on which legal bases that ask nothing special sensitive kinds are exchanged between parties in order."""
    of = _named_by_rules(policies)
    kinds = [kind for kind in of(Kind, [Kind.IBAN]) if LawClass.SENSITIVE in KINDS[kind].law]
    circumstances = list(itertools.product(of(Purpose, Purpose), Mode, kinds, UNSPECIAL))
    found: set[BasisName] = set()
    for asks, answers in _PAIRS:
        tried = [
            replace(
                PLAIN,
                asker=replace(PLAIN.asker, role=asks),
                answerer=replace(PLAIN.answerer, role=answers),
                purpose=purpose,
                mode=mode,
                kinds=frozenset({kind}),
                answered_kinds=frozenset({kind}),
                basis=basis,
                answered_basis=basis,
                decided=decided,
            )
            for purpose, mode, kind, basis in circumstances
        ]
        for facts, outcome in zip(tried, policies.outcomes(tried), strict=True):
            if not isinstance(outcome, DeniedError):
                found.add(facts.basis)
    return found


def _speaks(outcome: tuple[str, ...] | DeniedError) -> bool:
    """Tell whether a policy that stands alone had something to say."""
    return not isinstance(outcome, DeniedError) or isinstance(outcome, RedLineError)


def _literals(tree: Any) -> Iterator[object]:
    for node in _nodes(tree):
        if "Value" in node:
            yield node["Value"]


def _parties(tree: Any) -> Iterator[str]:
    for node in _nodes(tree):
        if node.get("type") == f"{NAMESPACE}::Party" and "id" in node:
            yield node["id"]


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    if isinstance(tree, dict):
        yield tree
    for inner in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        yield from _nodes(inner)
