"""Nothing but a clear yes allows: Cedar's rules, its red lines, and everything that is neither."""

from __future__ import annotations

from typing import Any

import cedarpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.rulebooks import FACTS, facts

from trisect.errors import BadInputError, DeniedError
from trisect.indicators.kinds import Kind
from trisect.rules.facts import Facts
from trisect.rules.policies import MAX_BYTES, Policies, RedLineError
from trisect.rules.vocabulary import NO_RULE, UNDECIDED, Mode, Purpose, Sanction
from trisect.trust.statements import Role

TEXT = """
@id("scam-prevention")
@clause("ATOFL 10, 16")
@sentence("Providers may match telephone numbers and links to prevent scams.")
permit (principal, action == Trisect::Action::"match", resource)
when { context.purpose == "scam-prevention" && principal.role == "provider"
       && ["phone", "url"].containsAll(context.kinds) };

@id("supervision")
@sentence("Governments may count whatever they supervise.")
permit (principal, action == Trisect::Action::"count", resource)
when { context.purpose == "supervision" && principal.role == "government" };

@id("no-biometrics")
@clause("PIPL 28")
@sentence("Biometric information is never exchanged.")
@sanction("suspend")
forbid (principal, action, resource)
when { context.law.contains("B") };

@id("checked-keys")
@sentence("Sensitive information is exchanged between parties whose keys were checked.")
forbid (principal, action, resource)
when { context.law.contains("S") && !(principal.key_checked && resource.key_checked) };
"""
POLICIES = Policies.parse(TEXT)
ALL = '@id("all") @sentence("All.") permit (principal, action, resource);'


def denied(policies: Policies = POLICIES, **changes: Any) -> DeniedError:
    with pytest.raises(DeniedError) as caught:
        policies.decide(facts(**changes))
    return caught.value


def test_a_rule_allows_and_is_named() -> None:
    assert POLICIES.decide(FACTS) == ("scam-prevention",)
    assert [(rule.id, rule.is_red_line) for rule in POLICIES.rules] == [
        ("scam-prevention", False),
        ("supervision", False),
        ("no-biometrics", True),
        ("checked-keys", True),
    ]


def test_what_no_rule_speaks_of_is_denied() -> None:
    for changes in (
        {"purpose": Purpose.PAYMENT_CHECK},
        {"mode": Mode.LOOKUP},
        {"asker": {"role": Role.PROXY}},
        {"kinds": frozenset({Kind.PHONE, Kind.EMAIL})},
    ):
        assert denied(**changes).rule == NO_RULE
    assert denied(Policies.parse("")).rule == NO_RULE


def test_a_red_line_goes_before_every_rule_and_says_why() -> None:
    everything = Policies.parse(TEXT + ALL)
    found = denied(everything, kinds=frozenset({Kind.VOICEPRINT}))
    assert (found.rule, found.message) == ("no-biometrics", "Biometric information is never exchanged.")
    assert "PIPL 28" in found.hint
    assert isinstance(found, RedLineError)
    assert found.crossed.sanction is Sanction.SUSPEND
    unchecked = {"key_checked": False}
    sensitive = frozenset({Kind.IBAN})
    assert denied(everything, kinds=sensitive, asker=unchecked).rule == "checked-keys"
    assert denied(everything, kinds=sensitive, answerer=unchecked).rule == "checked-keys"
    assert everything.decide(facts(kinds=sensitive)) == ("all",)


def undecided(outcome: tuple[str, ...] | DeniedError) -> bool:
    return isinstance(outcome, DeniedError) and outcome.rule == UNDECIDED


@pytest.mark.parametrize("missing", sorted(FACTS.request()["context"]))
def test_a_missing_attribute_never_allows(missing: str) -> None:
    """Without the schema a red line that reads it would be skipped, and a rule would allow."""
    everything = Policies.parse(TEXT + ALL)
    request = FACTS.request()
    del request["context"][missing]
    assert undecided(everything._outcome(request, FACTS.entities()))


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("missing", [*sorted(FACTS.asker.entity()["attrs"]), None])
def test_a_missing_fact_about_a_party_never_allows(side: int, missing: str | None) -> None:
    everything = Policies.parse(TEXT + ALL)
    sensitive = facts(kinds=frozenset({Kind.IBAN}))
    assert everything.decide(sensitive) == ("all",)
    entities = sensitive.entities()
    if missing is None:
        del entities[side]
    else:
        del entities[side]["attrs"][missing]
    assert undecided(everything._outcome(sensitive.request(), entities))


@pytest.mark.parametrize(
    ("name", "value"),
    [("asked", "many"), ("kinds", "phone"), ("decided", 1.5), ("purpose", 7), ("law", None), ("more", True)],
)
def test_a_fact_of_another_type_never_allows(name: str, value: object) -> None:
    everything = Policies.parse(ALL)
    request = FACTS.request()
    request["context"][name] = value
    assert undecided(everything._outcome(request, FACTS.entities()))


def test_an_error_beside_a_rule_that_allows_denies() -> None:
    """Cedar itself allows here: it leaves out a red line in which something overflows."""
    text = '@id("line") @sentence("x") forbid (principal, action, resource) when { context.asked * 9223372036854775807 > 0 };'
    everything, found = Policies.parse(ALL + text), facts(asked=2)
    request, entities = found.request(), found.entities()
    raw = cedarpy.is_authorized(request, cedarpy.PolicySet.from_str(ALL + text), entities)
    assert raw.decision is cedarpy.Decision.Allow
    assert raw.diagnostics.errors
    assert undecided(everything.outcome(found))
    assert undecided(next(iter(everything.outcomes([found]))))


def test_an_answer_of_cedar_that_gives_no_reason_or_a_strange_one_allows_nothing() -> None:
    policies = Policies.parse(ALL)
    for reasons, rule in (([], NO_RULE), (["policy9"], UNDECIDED), (["policy0", "policy9"], UNDECIDED)):
        answer = cedarpy.is_authorized(FACTS.request(), cedarpy.PolicySet.from_str(ALL), FACTS.entities())
        assert answer.decision is cedarpy.Decision.Allow
        answer.diagnostics.reasons[:] = reasons
        outcome = policies._judge(answer)
        assert isinstance(outcome, DeniedError)
        assert outcome.rule == rule


@given(
    st.builds(
        facts,
        asker=st.fixed_dictionaries({"role": st.sampled_from(Role), "key_checked": st.booleans()}),
        purpose=st.sampled_from(Purpose),
        mode=st.sampled_from(Mode),
        kinds=st.frozensets(st.sampled_from(Kind), min_size=1, max_size=4),
        asked=st.integers(0, 2**40),
    )
)
def test_nothing_is_allowed_outside_of_what_the_sentences_say(found: Facts) -> None:
    try:
        allowed = POLICIES.decide(found)
    except DeniedError:
        return
    if allowed == ("supervision",):
        assert (found.purpose, found.mode, found.asker.role) == (
            Purpose.SUPERVISION,
            Mode.COUNT,
            Role.GOVERNMENT,
        )
    else:
        assert allowed == ("scam-prevention",)
        assert found.kinds <= {Kind.PHONE, Kind.URL}
        assert (found.purpose, found.mode, found.asker.role) == (
            Purpose.SCAM_PREVENTION,
            Mode.MATCH,
            Role.PROVIDER,
        )


RULE = "permit (principal, action, resource);"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (RULE, "no @id"),
        (f'@id("") {RULE}', "no @id"),
        (f'@id("Big") @sentence("x") {RULE}', "no sound @id"),
        (f'@id("{NO_RULE}") @sentence("x") {RULE}', "no sound @id"),
        (f'@id("one") {RULE}', "no @sentence"),
        (f'@id("one") @sentence(" ") {RULE}', "no @sentence"),
        (f'@id("one") @sentence("x") @color("red") {RULE}', "unknown annotation @color"),
        (f'@id("one") @sentence("x") @sanction("warn") {RULE}', "is a rule and has a @sanction"),
        (
            '@id("one") @sentence("x") @sanction("jail") forbid (principal, action, resource);',
            "unknown @sanction",
        ),
        (f'@id("one") @sentence("x") {RULE}' * 2, "two policies have the @id one"),
        ('@id("one") @sentence("x") permit (principal, action, resource) when {', "not Cedar"),
        (
            '@id("one") @sentence("x") permit (principal, action, resource) when { context.purpos == "x" };',
            "one does not fit the schema",
        ),
        ('@id("one") @sentence("x") permit (principal == ?principal, action, resource);', "templates"),
        (f'@id("one") @sentence("{"x" * MAX_BYTES}") {RULE}', "more than"),
    ],
)
def test_policies_that_are_not_sound_are_refused(text: str, told: str) -> None:
    with pytest.raises(BadInputError, match=told):
        Policies.parse(text)
