"""What a rulebook may allow is told from its text, and nothing that it does allow is left out."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.rulebooks import facts, rulebook

from trisect.errors import DeniedError
from trisect.indicators.kinds import Kind
from trisect.rules.drafting import TEMPLATES
from trisect.rules.facts import Facts
from trisect.rules.policies import Policies
from trisect.rules.reaching import allowed
from trisect.rules.vocabulary import AiUse, BasisName, EngineName, Mode, Purpose
from trisect.trust.statements import Role

CONDITIONS = [
    'principal == Trisect::Party::"telco"',
    'resource == Trisect::Party::"bank" && context.asked > 100000',
    "context.asked > 100000",
    "context.answered * 2 < context.asked",
    'context.kinds.contains("phone") && context.kinds.contains("url")',
    'context.kinds == ["phone", "url"]',
    'context.kinds != ["phone"]',
    "!principal.key_checked",
    "principal.vetted || resource.noticed",
    'context.basis == "contract"',
    'principal.ai_uses.contains("scoring")',
    'context.kinds.contains("phone") && context.answered_kinds.contains("iban")',
    'if context.basis == "contract" then context.purpose == "rights" else context.purpose like "scam*"',
    'if context.purpose == "rights" then context.engine == "ot" else true',
    "context.kinds.isEmpty() || context has basis",
    "context.kinds.containsAll(context.answered_kinds)",
    'context.law.containsAny(["S", "B"])',
    '!(["phone", "url"].containsAll(context.kinds))',
    "context.decided > 5 && principal in resource",
    "principal.role != resource.role",
    "principal.kinds.containsAll(context.kinds)",
    "true",
]


def policy(condition: str, *, name: str = "rule", effect: str = "permit", scope: str = "action") -> str:
    return f'@id("{name}") @sentence("x") {effect} (principal, {scope}, resource) when {{ {condition} }};\n'


def reached(*texts: str) -> set[tuple[Purpose, Mode, Kind]]:
    return allowed(Policies.parse("".join(texts)), Kind)


@pytest.mark.parametrize("condition", CONDITIONS)
def test_what_is_not_ruled_out_is_reached(condition: str) -> None:
    """A rule that speaks of what nobody counts, such as a name or a size, reaches whatever it does not exclude."""
    assert any(kind is Kind.PHONE for _, _, kind in reached(policy(condition)))


def test_what_the_text_rules_out_is_not_reached() -> None:
    found = reached(
        policy('["phone", "url"].containsAll(context.kinds) && context.purpose == "rights"'),
        policy('context.purpose == "supervision" && principal.role == "government"', name="count",
               scope='action == Trisect::Action::"count"'),
        policy('context.law.contains("B")', name="line", effect="forbid"),
        policy('principal.role == "government" && resource.role != "nobody"', name="roles", effect="forbid"),
    )  # fmt: skip
    assert found == {(Purpose.RIGHTS, mode, kind) for mode in Mode for kind in (Kind.PHONE, Kind.URL)}


def test_a_red_line_that_may_not_apply_keeps_nothing_out() -> None:
    everything = policy("true")
    for condition, kept_out in (
        ('context.kinds.contains("phone")', True),
        ('context.kinds.contains("phone") && context.asked > 5', False),
        ('context.kinds.contains("phone") && principal == Trisect::Party::"telco"', False),
    ):
        found = reached(everything, policy(condition, name="line", effect="forbid"))
        assert any(kind is Kind.PHONE for _, _, kind in found) is not kept_out
    named = '@id("line") @sentence("x") forbid (principal == Trisect::Party::"telco", action, resource);'
    assert reached(everything, named) == reached(everything)


KINDS = st.frozensets(st.sampled_from([Kind.PHONE, Kind.URL, Kind.IBAN, Kind.VOICEPRINT]), min_size=1)
PARTY = st.fixed_dictionaries(
    {
        "role": st.sampled_from(Role),
        "key_checked": st.booleans(),
        "vetted": st.booleans(),
        "kinds": KINDS,
        "ai_uses": st.sampled_from([frozenset({AiUse.NONE}), frozenset({AiUse.SCORING})]),
    }
)
FACTS = st.builds(
    facts,
    asker=PARTY,
    answerer=PARTY,
    purpose=st.sampled_from(Purpose),
    mode=st.sampled_from(Mode),
    engine=st.sampled_from(EngineName),
    kinds=KINDS,
    answered_kinds=KINDS,
    basis=st.sampled_from(BasisName),
    answered_basis=st.sampled_from(BasisName),
    asked=st.sampled_from([1, 1_024, 200_000]),
)
POLICIES = st.lists(
    st.tuples(
        st.sampled_from(CONDITIONS),
        st.sampled_from(["permit", "permit", "forbid"]),
        st.sampled_from(["action", 'action in [Trisect::Action::"match", Trisect::Action::"count"]']),
        st.booleans(),
    ),
    min_size=1,
    max_size=4,
).map(
    lambda found: "".join(
        policy(condition if plain else f"!({condition})", name=f"rule-{number}", effect=effect, scope=scope)
        for number, (condition, effect, scope, plain) in enumerate(found)
    )
)
BOOKS = st.one_of(POLICIES, st.sampled_from([rulebook(one).policies.text for one in TEMPLATES]))


@settings(max_examples=300, deadline=None)
@given(BOOKS, FACTS)
def test_whatever_is_allowed_is_told(text: str, found: Facts) -> None:
    """Over made-up rules and templates: no decision by Cedar allows what the text was said not to."""
    policies = Policies.parse(text)
    try:
        policies.decide(found)
    except DeniedError:
        return
    told = allowed(policies, found.kinds & found.answered_kinds)
    assert {(found.purpose, found.mode, kind) for kind in found.kinds & found.answered_kinds} == {
        one for one in told if one[:2] == (found.purpose, found.mode)
    }
