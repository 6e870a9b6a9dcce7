"""Each red line that comes with the templates is crossed here, and none is left out."""

from __future__ import annotations

from typing import Any

import pytest
from support.rulebooks import facts, rulebook

from trisect.errors import DeniedError
from trisect.indicators.kinds import Kind
from trisect.rules.drafting import TEMPLATES
from trisect.rules.policies import RedLineError
from trisect.rules.vocabulary import AiUse, BasisName, Mode, Purpose, Sanction
from trisect.trust.statements import Role

EVERYTHING = frozenset({Kind.NATIONAL_ID, Kind.IBAN, Kind.IP})
CROSSINGS: dict[str, tuple[dict[str, Any], Sanction]] = {
    "no-biometrics": ({"answered_kinds": frozenset({Kind.FACE_TEMPLATE})}, Sanction.SUSPEND),
    "no-profiling": (
        {"kinds": frozenset({Kind.BROWSING}), "asker": {"ai_uses": frozenset({AiUse.PROFILING})}},
        Sanction.SUSPEND_PURPOSE,
    ),
    "no-dossiers": ({"kinds": EVERYTHING, "asked": 200_000}, Sanction.THROTTLE),
    "checked-keys": ({"kinds": frozenset({Kind.IBAN}), "asker": {"key_checked": False}}, Sanction.WARN),
    "sensitive-on-duty-or-consent": (
        {"kinds": frozenset({Kind.IBAN}), "answered_basis": BasisName.CONTRACT},
        Sanction.WARN,
    ),
    "no-basis-no-exchange": ({"answered_basis": BasisName.UNSPECIFIED}, Sanction.WARN),
    "supervision-only-counts": (
        {"purpose": Purpose.SUPERVISION, "mode": Mode.MATCH, "asker": {"role": Role.GOVERNMENT}},
        Sanction.SUSPEND_PURPOSE,
    ),
}


@pytest.mark.parametrize("template", TEMPLATES)
def test_every_red_line_of_the_templates_is_tripped(template: str) -> None:
    policies = rulebook(template).policies
    red_lines = [rule for rule in policies.rules if rule.is_red_line]
    assert red_lines
    for rule in red_lines:
        changes, sanction = CROSSINGS[rule.id]
        with pytest.raises(RedLineError) as caught:
            policies.decide(facts(**changes))
        assert (caught.value.crossed.id, caught.value.crossed.sanction) == (rule.id, sanction)


@pytest.mark.parametrize("side", ["basis", "answered_basis"])
@pytest.mark.parametrize("basis", BasisName)
def test_sensitive_kinds_need_a_basis_that_the_law_has_for_them(basis: BasisName, side: str) -> None:
    policies = rulebook().policies
    asked: dict[str, Any] = {
        "kinds": frozenset({Kind.IBAN}),
        "answered_kinds": frozenset({Kind.IBAN}),
        side: basis,
    }
    if basis in {BasisName.STATUTORY_DUTY, BasisName.CONSENT, BasisName.VITAL_INTEREST}:
        assert policies.decide(facts(**asked))
        return
    with pytest.raises(RedLineError) as caught:
        policies.decide(facts(**asked))
    expected = "sensitive-on-duty-or-consent no-basis-no-exchange" if basis is BasisName.UNSPECIFIED else ""
    assert caught.value.rule in (expected or "sensitive-on-duty-or-consent")
    if basis is not BasisName.UNSPECIFIED:
        ordinary = frozenset({Kind.PHONE})
        assert policies.decide(facts(**asked | {"kinds": ordinary, "answered_kinds": ordinary}))


@pytest.mark.parametrize("use", [AiUse.PROFILING, AiUse.AUTOMATED_DECISION])
@pytest.mark.parametrize("kind", [Kind.LOCATION, Kind.BROWSING, Kind.CONSUMPTION, Kind.PERSON, Kind.ADDRESS])
def test_who_profiles_gets_no_activity(use: AiUse, kind: Kind) -> None:
    policies = rulebook().policies
    for side in ("kinds", "answered_kinds"):
        changes: dict[str, Any] = {side: frozenset({Kind.PHONE, kind})}
        with pytest.raises(RedLineError) as caught:
            policies.decide(facts(asker={"ai_uses": frozenset({AiUse.DETECTION, use})}, **changes))
        assert caught.value.rule == "no-profiling"
        with pytest.raises(DeniedError) as denied:
            policies.decide(facts(asker={"ai_uses": frozenset({AiUse.DETECTION})}, kinds=frozenset({kind})))
        assert not isinstance(denied.value, RedLineError), "others are denied for want of a rule"
