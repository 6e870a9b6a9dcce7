"""Lint finds what reads well and is wrong all the same; the templates come through it."""

from __future__ import annotations

import datetime as dt

import pytest
from support.rulebooks import rulebook, texts

from trisect.indicators.kinds import Kind
from trisect.rules import walk
from trisect.rules.drafting import TEMPLATES
from trisect.rules.linting import Finding, Level, lint
from trisect.rules.rulebook import Rulebook

TOML, _ = texts()
CEDAR = """
@id("rule") @sentence("Scams are prevented, and payments checked.")
permit (principal, action == Trisect::Action::"match", resource)
when { ["scam-prevention", "payment-check"].contains(context.purpose) && principal.role == "provider" &&
       ["phone", "url"].containsAll(context.kinds) };
@id("no-biometrics") @sentence("No biometrics.")
forbid (principal, action, resource) when { context.law.contains("B") };
"""


def errors(toml: str = TOML, cedar: str = CEDAR) -> list[Finding]:
    found = lint(Rulebook.parse(toml, cedar))
    return [one for one in found if one.level is Level.ERROR]


def rule(condition: str, *, name: str = "extra", effect: str = "permit") -> str:
    return f'@id("{name}") @sentence("Something.") {effect} (principal, action, resource) when {{ {condition} }};'


@pytest.mark.parametrize("template", TEMPLATES)
def test_templates_have_no_error(template: str) -> None:
    found = lint(rulebook(template))
    assert [one for one in found if one.level is Level.ERROR] == []
    assert not any("@clause" in one.text or "@sentence_zh" in one.text for one in found)


def warned(cedar: str) -> list[str]:
    found = lint(Rulebook.parse(TOML, CEDAR + cedar))
    return [one.text for one in found if (one.level, one.about) == (Level.WARNING, "sensitive")]


def test_sensitive_kinds_on_any_basis_are_warned_of() -> None:
    assert warned("") == [], "nothing sensitive is allowed"
    allows = rule('context.purpose == "rights" && ["iban"].containsAll(context.kinds)')
    (text,) = warned(allows)
    for basis in ("contract", "legitimate-interest", "public-interest", "unspecified"):
        assert basis in text
    line = rule('context.law.contains("S") && context.basis == "contract"', name="line", effect="forbid")
    (text,) = warned(allows + line)
    assert "contract" not in text
    demands = 'context.law.contains("S") && !(["consent"].contains(context.basis))'
    assert warned(allows + rule(demands, name="line", effect="forbid")) == []


@pytest.mark.parametrize(
    "condition",
    [
        'context.purpose == "fun"',
        'principal.role == "bank"',
        'context.kinds.contains("telephone")',
        'context.purpose == "rights" && context.purpose == "supervision"',
    ],
)
@pytest.mark.parametrize("effect", ["permit", "forbid"])
def test_a_rule_that_nothing_satisfies_is_found(condition: str, effect: str) -> None:
    (found,) = errors(cedar=CEDAR + rule(condition, effect=effect))
    assert found.about == "extra"
    assert "ever satisfies" in found.text


def test_a_rule_that_a_red_line_always_overrules_is_found_and_the_red_line_named() -> None:
    (found,) = errors(cedar=CEDAR + rule('context.kinds.contains("voiceprint")'))
    assert (found.about, "no-biometrics" in found.text) == ("extra", True)


@pytest.mark.parametrize(
    "condition",
    [
        "context.asked > 50000",
        "context.asked == 7",
        'principal.ai_uses.contains("scoring")',
        'context.answered_basis == "consent"',
        "!principal.vetted",
        "!resource.noticed",
        'principal == Trisect::Party::"first-bank"',
        'resource == Trisect::Party::"first-bank" && principal == Trisect::Party::"telco"',
        'context.engine == "ot"',
    ],
)
def test_a_rule_that_something_satisfies_is_left_alone(condition: str) -> None:
    assert errors(cedar=CEDAR + rule(condition, effect="forbid")) == []


def test_a_number_space_that_can_be_walked_is_refused_unless_a_sentence_accepts_it() -> None:
    assert errors() == []
    (found,) = errors(toml=TOML.replace('kind = "phone"', 'kind = "imei"'))
    assert (found.about, "9.12%" in found.text) == (Kind.PHONE, True)
    (lower,) = errors(toml=TOML.replace("share = 0.10", "share = 0.05"))
    assert lower.about == Kind.PHONE
    told = [one.text for one in lint(rulebook()) if one.about == Kind.PHONE]
    assert "every number asked about is charged" in told[0]


def test_the_share_is_told_as_it_is() -> None:
    year = dt.timedelta(days=365)
    assert walk.share(Kind.PHONE, 27_397, year) == pytest.approx(0.01, rel=1e-3)
    assert walk.share(Kind.PHONE, 10**9, year) == 1.0
    assert walk.share(Kind.URL, 10**9, year) == 0.0


def test_a_purpose_without_a_budget_is_found() -> None:
    (found,) = errors(toml=TOML.replace('purpose = "payment-check"', 'purpose = "rights"'))
    assert found.about == "payment-check"


def test_a_budget_below_the_smallest_set_is_found() -> None:
    (found,) = errors(toml=TOML.replace("elements_per_day = 50_000", "elements_per_day = 99"))
    assert found.about == "payment-check"


def test_what_counting_risks_is_said_where_counting_is_allowed() -> None:
    assert any(one.about == "count" for one in lint(rulebook("supervision")))
    assert not any(one.about == "count" for one in lint(rulebook("call-screening")))
