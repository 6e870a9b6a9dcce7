"""Rules and red lines in Cedar: read strictly, and decided so that nothing but a clear yes allows.

A permit policy is a rule, a forbid policy a red line; each has an `@id` and an `@sentence` for people. Asker, answerer
and coordinator decide by the same text over the same facts, and come to the same answer. Not here: limits, validity and
signatures of a rulebook.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any, Self

import cedarpy

from trisect.errors import BadInputError, DeniedError
from trisect.indicators.kinds import KINDS, Kind
from trisect.rules.vocabulary import Mode, Purpose
from trisect.trust.statements import Role

SCHEMA = resources.files(__package__).joinpath("schema.cedarschema").read_text(encoding="utf-8")
NO_RULE = "no-rule"
UNDECIDED = "undecided"
MAX_BYTES = 256 * 1024
_RULE_ID = re.compile(r"[a-z][a-z0-9-]{0,62}")
_RESERVED = {NO_RULE, UNDECIDED, "not-shared"}
_ANNOTATIONS = {"id", "clause", "sentence", "sanction"}
_schema = cedarpy.Schema.from_str(SCHEMA)


@dataclass(frozen=True, slots=True)
class Rule:
    """One policy's annotations.

    Attributes:
        id: what denials and permits name.
        is_red_line: whether it forbids.
        sentence: what it says, for people.
        clause: of the law that it follows, or empty.
        sanction: what crossing the red line brings, or empty.
    """

    id: str
    is_red_line: bool
    sentence: str
    clause: str
    sanction: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What a decision is made over; the same at asker, answerer and coordinator.

    Attributes:
        asker: the asking party's name.
        answerer: the asked one's.
        asker_role: the role in its admission.
        answerer_role: likewise.
        asker_key_checked: whether its admission names a checked key.
        answerer_key_checked: likewise.
        purpose: as declared in the offer.
        mode: as declared in the offer.
        engine: as declared in the offer.
        kinds: of the indicators in the two collections.
        asked: the asker's padded size.
        answered: the answerer's padded size.
        decided: seconds since 1970, as declared in the offer.
    """

    asker: str
    answerer: str
    asker_role: Role
    answerer_role: Role
    asker_key_checked: bool
    answerer_key_checked: bool
    purpose: Purpose
    mode: Mode
    engine: str
    kinds: frozenset[Kind]
    asked: int
    answered: int
    decided: int

    def request(self) -> dict[str, Any]:
        """Write the facts as Cedar's request."""
        classes = {law.value for kind in self.kinds for law in KINDS[kind].law}
        return {
            "principal": _entity("Party", self.asker),
            "action": _entity("Action", self.mode.value),
            "resource": _entity("Party", self.answerer),
            "context": {
                "purpose": self.purpose.value,
                "engine": self.engine,
                "kinds": sorted(kind.value for kind in self.kinds),
                "law": sorted(classes),
                "asked": self.asked,
                "answered": self.answered,
                "decided": self.decided,
            },
        }

    def entities(self) -> list[dict[str, Any]]:
        """Write the two parties as Cedar's entities."""
        return [
            _party(self.asker, self.asker_role, key_checked=self.asker_key_checked),
            _party(self.answerer, self.answerer_role, key_checked=self.answerer_key_checked),
        ]


class Policies:
    """All rules and red lines of one rulebook."""

    def __init__(self, text: str, rules: Mapping[str, Rule], parsed: cedarpy.PolicySet) -> None:
        self.text = text
        self._by_policy = rules
        self._parsed = parsed

    @property
    def rules(self) -> Iterable[Rule]:
        """Rules and red lines in the order of the text."""
        return self._by_policy.values()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read policies and check them against the schema.

        Raises:
            BadInputError: they do not parse or fit the schema; one has no sound `@id` or `@sentence`, or another's.
        """
        if len(text.encode()) > MAX_BYTES:
            raise BadInputError(
                f"policies have more than {MAX_BYTES} bytes", hint="split the consortium's purposes"
            )
        try:
            parsed = cedarpy.PolicySet.from_str(text)
            described = json.loads(cedarpy.policies_to_json_str(text))
        except ValueError as error:
            raise BadInputError(
                f"the policies are not Cedar: {error}", hint="mend the text; the message tells where"
            ) from error
        if described["templates"]:
            raise BadInputError("policies may not be templates", hint="write each rule out")
        rules = {policy: _rule(found) for policy, found in _in_order(described["staticPolicies"])}
        twice = [name for name, count in Counter(rule.id for rule in rules.values()).items() if count > 1]
        if twice:
            raise BadInputError(f"two policies have the @id {twice[0]}", hint="give each its own")
        checked = cedarpy.validate_policies(text, SCHEMA)
        if not checked.validation_passed:
            first = checked.errors[0]
            name = rules[first.policy_id].id if first.policy_id in rules else "a policy"
            raise BadInputError(
                f"{name} does not fit the schema: {first.error}",
                hint="trisect/rules/schema.cedarschema says what rules may speak of",
            )
        return cls(text, rules, parsed)

    def decide(self, facts: Facts) -> tuple[str, ...]:
        """Decide over facts; gives the ids of the rules that allow.

        Raises:
            DeniedError: a red line forbids it, no rule allows it, or it could not be decided. Names the rule.
        """
        return self._decide(facts.request(), facts.entities())

    def _decide(self, request: dict[str, Any], entities: list[dict[str, Any]]) -> tuple[str, ...]:
        found = cedarpy.is_authorized(request, self._parsed, entities, _schema)
        reasons = [self._by_policy[name] for name in found.diagnostics.reasons if name in self._by_policy]
        if found.diagnostics.errors or len(reasons) != len(found.diagnostics.reasons):
            raise DeniedError(
                "the rulebook could not be decided over these facts",
                hint="both nodes and the coordinator need the same version of Trisect",
                rule=UNDECIDED,
            )
        if found.decision is cedarpy.Decision.Allow and reasons:
            return tuple(sorted(rule.id for rule in reasons))
        if reasons:
            crossed = min(reasons, key=lambda rule: rule.id)
            raise DeniedError(crossed.sentence, hint=_cure(crossed), rule=crossed.id)
        raise DeniedError(
            "no rule of the rulebook allows this",
            hint="ask the government for a rule, or ask for another purpose or mode",
            rule=NO_RULE,
        )


def _in_order(policies: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return sorted(policies.items(), key=lambda item: int(item[0].removeprefix("policy")))


def _rule(policy: Mapping[str, Any]) -> Rule:
    annotations = policy.get("annotations", {})
    name, sentence = annotations.get("id") or "", annotations.get("sentence") or ""
    if not _RULE_ID.fullmatch(name) or name in _RESERVED:
        raise BadInputError(
            f"a policy has no sound @id: {name!r}" if name else "a policy has no @id",
            hint="1 to 63 of a-z, 0-9 and '-', a letter first, and none of " + ", ".join(sorted(_RESERVED)),
        )
    if not sentence.strip():
        raise BadInputError(f"{name} has no @sentence", hint="say in plain words what it allows or forbids")
    if unknown := set(annotations) - _ANNOTATIONS:
        raise BadInputError(
            f"{name} has the unknown annotation @{min(unknown)}", hint=f"known: {sorted(_ANNOTATIONS)}"
        )
    return Rule(
        id=name,
        is_red_line=policy["effect"] == "forbid",
        sentence=sentence,
        clause=annotations.get("clause") or "",
        sanction=annotations.get("sanction") or "",
    )


def _cure(crossed: Rule) -> str:
    law = f" ({crossed.clause})" if crossed.clause else ""
    return f"this is a red line{law}; ask the government if you think that the facts are wrong"


def _entity(kind: str, name: str) -> dict[str, str]:
    return {"type": f"Trisect::{kind}", "id": name}


def _party(name: str, role: Role, *, key_checked: bool) -> dict[str, Any]:
    return {
        "uid": _entity("Party", name),
        "attrs": {"role": role.value, "key_checked": key_checked},
        "parents": [],
    }
