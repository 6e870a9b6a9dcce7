"""A rulebook in words says every figure and every rule, in both languages."""

from __future__ import annotations

import dataclasses

import pytest
from support.rulebooks import rulebook, texts

from trisect.rules.drafting import TEMPLATES
from trisect.rules.explaining import LANGUAGES, PURPOSES_ZH, ROLES_ZH, SANCTIONS_ZH, explain
from trisect.rules.rulebook import Deadlines, Limits, Rulebook
from trisect.rules.vocabulary import Purpose, Sanction
from trisect.trust.statements import Role


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", TEMPLATES)
def test_every_rule_and_every_figure_is_said(template: str, language: str) -> None:
    found = rulebook(template)
    said = "\n".join(explain(found, language))
    for rule in found.policies.rules:
        assert rule.id in said
        assert rule.clause in said
        assert (rule.sentence_zh if language == "zh" else rule.sentence) in said
    limits = found.provisions.limits
    for figure in (limits.min_set, limits.max_set, limits.retention_days, limits.min_voluntariness):
        assert f"{figure:,}" in said
    for budget in found.provisions.budgets:
        assert f"{budget.elements_per_day:,}" in said
    for walk in found.provisions.accepted_walks:
        assert walk.sentence in said


FIGURES = [(part, field.name) for part in (Limits, Deadlines) for field in dataclasses.fields(part)]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("part", "name"), FIGURES, ids=lambda found: getattr(found, "__name__", found))
def test_no_limit_and_no_deadline_changes_unsaid(part: type, name: str, language: str) -> None:
    found = rulebook()
    where = "limits" if part is Limits else "deadlines"
    former = getattr(found.provisions, where)
    value = getattr(former, name)
    other = (*value, "ot") if isinstance(value, tuple) else value * 2
    changed = dataclasses.replace(former, **{name: other})
    provisions = dataclasses.replace(found.provisions, **{where: changed})
    assert explain(dataclasses.replace(found, provisions=provisions), language) != explain(found, language)


def test_chinese_has_a_word_for_every_word() -> None:
    assert set(PURPOSES_ZH) == set(Purpose)
    assert set(ROLES_ZH) == set(Role)
    assert set(SANCTIONS_ZH) == set(Sanction)


@pytest.mark.parametrize("language", LANGUAGES)
def test_grace_and_witnesses_are_said(language: str) -> None:
    toml, cedar = texts()
    toml = toml.replace(
        "[limits]", 'grace_until = 2026-12-24T00:00:00Z\n[witnesses]\nproxy = ["consumers"]\n[limits]'
    )
    said = "\n".join(explain(Rulebook.parse(toml, cedar), language))
    assert "2026-12-24" in said
    assert "consumers" in said
