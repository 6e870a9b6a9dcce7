"""Rules and red lines in Cedar: read strictly, and decided so that nothing but a clear yes allows.

A permit policy is a rule, a forbid policy a red line; each has an `@id` and an `@sentence` for people. Asker, answerer
and coordinator decide by the same text over the same facts, and come to the same answer. Not here: limits, validity and
signatures of a rulebook.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any, Self

import cedarpy

from trisect.errors import BadInputError, DeniedError
from trisect.rules.facts import Facts
from trisect.rules.vocabulary import NO_RULE, RESERVED_RULES, UNDECIDED, Sanction

SCHEMA = resources.files(__package__).joinpath("schema.cedarschema").read_text(encoding="utf-8")
MAX_BYTES = 256 * 1024
_RULE_ID = re.compile(r"[a-z][a-z0-9-]{0,62}")
_ANNOTATIONS = {"id", "clause", "sentence", "sentence_zh", "sanction"}
_schema = cedarpy.Schema.from_str(SCHEMA)


@dataclass(frozen=True, slots=True)
class Rule:
    """One policy's annotations.

    Attributes:
        id: what denials and permits name.
        is_red_line: whether it forbids.
        sentence: what it says, for people.
        sentence_zh: the same in Chinese, or empty.
        clause: of the law that it follows, or empty.
        sanction: what crossing the red line brings; None for a rule.
    """

    id: str
    is_red_line: bool
    sentence: str
    sentence_zh: str
    clause: str
    sanction: Sanction | None


class RedLineError(DeniedError):
    """A red line forbids it.

    Args:
        forbidding: the red lines that do, one at least; the first by its id is told.
    """

    code = "TRI-RED-LINE"
    crosses_wire = False  # at the other end it is a denial that names the rule

    def __init__(self, forbidding: Iterable[Rule]) -> None:
        self.forbidding = tuple(sorted(forbidding, key=lambda rule: rule.id))
        self.crossed = self.forbidding[0]
        law = f" ({self.crossed.clause})" if self.crossed.clause else ""
        super().__init__(
            self.crossed.sentence,
            hint=f"this is a red line{law}; ask the government if you think that the facts are wrong",
            rule=self.crossed.id,
        )


class Policies:
    """All rules and red lines of one rulebook."""

    def __init__(
        self, text: str, rules: Mapping[str, Rule], parsed: cedarpy.PolicySet, described: Mapping[str, Any]
    ) -> None:
        self.text = text
        self._by_policy = rules
        self._parsed = parsed
        self._described = described

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
        return cls(text, rules, parsed, described["staticPolicies"])

    def alone(self, rule: Rule) -> tuple[Policies, Any]:
        """Give one rule as policies of its own, and its syntax tree in Cedar's JSON."""
        name, tree = self._find(rule)
        text = cedarpy.policies_from_json_str(
            json.dumps({"templates": {}, "staticPolicies": {name: tree}, "templateLinks": []})
        )
        return Policies.parse(text), tree

    def tree(self, rule: Rule) -> Any:
        """Give the syntax tree of a rule in Cedar's JSON."""
        return self._find(rule)[1]

    def _find(self, rule: Rule) -> tuple[str, Any]:
        name = next(name for name, found in self._by_policy.items() if found == rule)
        return name, self._described[name]

    def decide(self, facts: Facts) -> tuple[str, ...]:
        """Decide over facts; gives the ids of the rules that allow.

        Raises:
            RedLineError: a red line forbids it.
            DeniedError: no rule allows it, or it could not be decided. Names the rule.
        """
        outcome = self.outcome(facts)
        if isinstance(outcome, DeniedError):
            raise outcome
        return outcome

    def outcome(self, facts: Facts) -> tuple[str, ...] | DeniedError:
        """Decide as `decide` does, and give what that raises."""
        return self._outcome(facts.request(), facts.entities())

    def _outcome(
        self, request: dict[str, Any], entities: list[dict[str, Any]]
    ) -> tuple[str, ...] | DeniedError:
        return self._judge(cedarpy.is_authorized(request, self._parsed, entities, _schema))

    def outcomes(self, proposed: Sequence[Facts]) -> Iterator[tuple[str, ...] | DeniedError]:
        """Decide over many facts about the same two parties, faster than one by one."""
        requests = [facts.request() for facts in proposed]
        entities = proposed[0].entities() if proposed else []
        return map(self._judge, cedarpy.is_authorized_batch(requests, self._parsed, entities, _schema))

    def _judge(self, found: cedarpy.AuthzResult) -> tuple[str, ...] | DeniedError:
        reasons = [self._by_policy[name] for name in found.diagnostics.reasons if name in self._by_policy]
        if found.diagnostics.errors or len(reasons) != len(found.diagnostics.reasons):
            return DeniedError(
                "the rulebook could not be decided over these facts",
                hint="both nodes and the coordinator need the same version of Trisect",
                rule=UNDECIDED,
            )
        if found.decision is cedarpy.Decision.Allow and reasons:
            return tuple(sorted(rule.id for rule in reasons))
        if reasons:
            return RedLineError(reasons)
        return DeniedError(
            "no rule of the rulebook allows this",
            hint="ask the government for a rule, or ask for another purpose or mode",
            rule=NO_RULE,
        )


def _in_order(policies: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return sorted(policies.items(), key=lambda item: int(item[0].removeprefix("policy")))


def _rule(policy: Mapping[str, Any]) -> Rule:
    annotations = policy.get("annotations", {})
    name, sentence = annotations.get("id") or "", annotations.get("sentence") or ""
    if not _RULE_ID.fullmatch(name) or name in RESERVED_RULES:
        raise BadInputError(
            f"a policy has no sound @id: {name!r}" if name else "a policy has no @id",
            hint="1 to 63 of a-z, 0-9 and '-', a letter first, and none of "
            + ", ".join(sorted(RESERVED_RULES)),
        )
    if not sentence.strip():
        raise BadInputError(f"{name} has no @sentence", hint="say in plain words what it allows or forbids")
    if unknown := set(annotations) - _ANNOTATIONS:
        raise BadInputError(
            f"{name} has the unknown annotation @{min(unknown)}", hint=f"known: {sorted(_ANNOTATIONS)}"
        )
    is_red_line = policy["effect"] == "forbid"
    return Rule(
        id=name,
        is_red_line=is_red_line,
        sentence=sentence,
        sentence_zh=annotations.get("sentence_zh") or "",
        clause=annotations.get("clause") or "",
        sanction=_sanction(name, annotations.get("sanction"), is_red_line=is_red_line),
    )


def _sanction(name: str, text: str | None, *, is_red_line: bool) -> Sanction | None:
    if text is None:
        return Sanction.WARN if is_red_line else None
    if not is_red_line:
        raise BadInputError(f"{name} is a rule and has a @sanction", hint="only red lines are crossed")
    if text not in list(Sanction):
        raise BadInputError(f"{name} has an unknown @sanction", hint=f"known: {', '.join(Sanction)}")
    return Sanction(text)
