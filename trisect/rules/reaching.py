"""What a rulebook may allow for a kind, told from the text of its rules: whatever is not shown to be forbidden.

A rule's condition is read with three values. The circumstances that are counted are known (purpose, mode, the parties'
roles, and that a kind is in both lists); everything else, such as names, sizes, legal bases and other kinds, may be
anything. So a rule counts as reaching a kind unless its text rules that out, and a red line as keeping it out only where
it always does. Not here: whether a rule can be satisfied at all (`trisect.rules.probing`).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from trisect.indicators.kinds import KINDS, Kind
from trisect.rules.facts import NAMESPACE
from trisect.rules.policies import Policies
from trisect.rules.vocabulary import Mode, Purpose
from trisect.trust.statements import Role

Node: TypeAlias = Mapping[str, Any]


class _Anything:
    """A value that is not known."""


ANYTHING = _Anything()


@dataclass(frozen=True, slots=True)
class Some:
    """A set of which only a part is known."""

    members: frozenset[str]


Known: TypeAlias = Mapping[tuple[str, str], object]
"""What is known of attributes of `context`, `principal` and `resource`, and the action."""
_ACTION = ("action", "")


def _known(purpose: Purpose, mode: Mode, kind: Kind, asker: Role, answerer: Role) -> Known:
    kinds = Some(frozenset({kind.value}))
    return {
        _ACTION: {"type": f"{NAMESPACE}::Action", "id": mode.value},
        ("context", "purpose"): purpose.value,
        ("context", "kinds"): kinds,
        ("context", "answered_kinds"): kinds,
        ("context", "law"): Some(frozenset(law.value for law in KINDS[kind].law)),
        ("principal", "role"): asker.value,
        ("resource", "role"): answerer.value,
    }


def allowed(
    policies: Policies, kinds: Iterable[Kind], *, without: Collection[str] = ()
) -> set[tuple[Purpose, Mode, Kind]]:
    """Tell for what purposes and in what modes lists that hold a kind may be exchanged between some two parties.

    Args:
        policies: the rules and red lines.
        kinds: which to tell of.
        without: ids of those that are left out.
    """
    rules = [rule for rule in policies.rules if rule.id not in without]
    permits = [policies.tree(rule) for rule in rules if not rule.is_red_line]
    red_lines = [policies.tree(rule) for rule in rules if rule.is_red_line]

    def may_be(purpose: Purpose, mode: Mode, kind: Kind, asker: Role, answerer: Role) -> bool:
        known = _known(purpose, mode, kind, asker, answerer)
        return any(_applies(tree, known) is not False for tree in permits) and not any(
            _applies(tree, known) is True for tree in red_lines
        )

    return {
        (purpose, mode, kind)
        for purpose, mode, kind in itertools.product(Purpose, Mode, kinds)
        if any(may_be(purpose, mode, kind, *roles) for roles in itertools.product(Role, Role))
    }


def _applies(policy: Node, known: Known) -> object:
    """Tell whether a policy applies: True, False, or ANYTHING."""
    value = _scope(policy["action"], known)
    for condition in policy["conditions"]:
        if value is False:
            break
        found = _value(condition["body"], known)
        value = _and(value, found if condition["kind"] == "when" else _not(found))
    for side in ("principal", "resource"):
        if policy[side]["op"] != "All" and value is True:
            value = ANYTHING  # who it is about is not known
    return value


def _scope(action: Node, known: Known) -> object:
    if action["op"] == "All":
        return True
    meant = action.get("entities") or [action["entity"]]
    return known[_ACTION] in meant


def _value(tree: Node, known: Known) -> object:
    """Work an expression of Cedar's JSON out as far as it is known."""
    ((operator, inner),) = tree.items()
    match operator:
        case "Value":
            found = inner
        case "Set":
            members = [_value(one, known) for one in inner]
            found = frozenset(members) if all(isinstance(one, str) for one in members) else ANYTHING
        case "." if "Var" in inner["left"]:
            found = known.get((inner["left"]["Var"], inner["attr"]), ANYTHING)
        case "!":
            found = _not(_value(inner["arg"], known))
        case "if-then-else":
            asked = _value(inner["if"], known)
            found = ANYTHING if asked is ANYTHING else _value(inner["then" if asked else "else"], known)
        case "&&":  # the right side is looked at only where it matters: conjunctions are long
            left = _value(inner["left"], known)
            found = left if left is False else _and(left, _value(inner["right"], known))
        case _ if operator in _BINARY:
            found = _BINARY[operator](_value(inner["left"], known), _value(inner["right"], known))
        case _:
            found = ANYTHING
    return found


def _not(value: object) -> object:
    return ANYTHING if value is ANYTHING else not value


def _and(left: object, right: object) -> object:
    if left is False or right is False:
        return False
    return True if left is True and right is True else ANYTHING


def _or(left: object, right: object) -> object:
    return _not(_and(_not(left), _not(right)))


def _equal(left: object, right: object) -> object:
    for one, other in ((left, right), (right, left)):
        if isinstance(one, Some) and isinstance(other, frozenset) and not one.members <= other:
            return False
    if isinstance(left, Some | _Anything) or isinstance(right, Some | _Anything):
        return ANYTHING
    return left == right


def _contains(whole: object, one: object) -> object:
    return _contains_all(whole, frozenset({one}) if isinstance(one, str) else ANYTHING)


def _contains_all(whole: object, part: object) -> object:
    """Tell whether a set takes another in."""
    needed = part.members if isinstance(part, Some) else part
    if not isinstance(needed, frozenset):
        return ANYTHING
    if isinstance(whole, Some):
        return True if isinstance(part, frozenset) and needed <= whole.members else ANYTHING
    if not isinstance(whole, frozenset):
        return ANYTHING
    if not needed <= whole:
        return False
    return (
        True if isinstance(part, frozenset) else ANYTHING
    )  # of a part that is not known whole, more may be outside


def _contains_any(left: object, right: object) -> object:
    one, other = (side.members if isinstance(side, Some) else side for side in (left, right))
    if not (isinstance(one, frozenset) and isinstance(other, frozenset)):
        return ANYTHING
    if one & other:
        return True
    return ANYTHING if isinstance(left, Some) or isinstance(right, Some) else False


_BINARY: Mapping[str, Callable[[object, object], object]] = {
    "||": _or,
    "==": _equal,
    "!=": lambda left, right: _not(_equal(left, right)),
    "contains": _contains,
    "containsAll": _contains_all,
    "containsAny": _contains_any,
}
