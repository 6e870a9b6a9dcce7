"""What is wrong with a rulebook that reads well: rules that never decide, budgets that walk a number space."""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from trisect.indicators.kinds import Kind
from trisect.rules import walk
from trisect.rules.probing import reach, sensitive_bases
from trisect.rules.reaching import allowed
from trisect.rules.rulebook import Rulebook
from trisect.rules.vocabulary import Mode


class Level(enum.StrEnum):
    """Whether a finding keeps a rulebook from being signed."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that lint has found.

    Attributes:
        level: whether it must be mended.
        about: the rule, kind or key.
        text: what is wrong.
        cure: what would mend it.
    """

    level: Level
    about: str
    text: str
    cure: str


COUNT_RISK = (
    "in a count the answerer learns the exact count and, by deviating, which of its entries the asker holds; what the "
    "asker learns by deviating is bounded only by the noise and the number of runs, and by making one common entry count "
    "many times it lifts that above the noise"
)


def lint(rulebook: Rulebook) -> list[Finding]:
    """Look through a rulebook; errors first."""
    rules = list(_rules(rulebook))
    broken = {finding.about for finding in rules if finding.level is Level.ERROR}
    found = [*rules, *_sensitive(rulebook), *_purposes(rulebook, broken)]
    return sorted(found, key=lambda finding: finding.level)


def _rules(rulebook: Rulebook) -> Iterator[Finding]:
    decided = int(rulebook.provisions.valid_from.timestamp())
    for rule in rulebook.policies.rules:
        found = reach(rulebook.policies, rule, decided)
        if not found.applies:
            yield Finding(
                Level.ERROR,
                rule.id,
                "nothing that was tried ever satisfies it",
                "take it out, or look for a word that no vocabulary has",
            )
        elif not found.decides:
            yield Finding(
                Level.ERROR,
                rule.id,
                f"it never allows anything: {', '.join(sorted(found.overruled_by))} always forbids it",
                "take it out, or narrow the red line",
            )
        if not rule.clause:
            yield Finding(Level.WARNING, rule.id, "it names no @clause of the law", "say on what it rests")
        if not rule.sentence_zh:
            yield Finding(Level.WARNING, rule.id, "it has no @sentence_zh", "say it in Chinese, too")


def _sensitive(rulebook: Rulebook) -> Iterator[Finding]:
    moment = int(rulebook.provisions.valid_from.timestamp())
    if bases := sorted(sensitive_bases(rulebook.policies, moment)):
        yield Finding(
            Level.WARNING,
            "sensitive",
            f"sensitive kinds, such as accounts, may be exchanged on {', '.join(bases)}",
            "demand more by a red line, as sensitive-on-duty-or-consent of the templates does (PIPL 28, 29)",
        )


def _purposes(rulebook: Rulebook, broken: Collection[str]) -> Iterator[Finding]:
    """Look at what rules allow, but for those that must be mended or taken out first."""
    provisions = rulebook.provisions
    reached = allowed(rulebook.policies, Kind, without=broken)
    life = provisions.valid_until - provisions.valid_from
    accepted = {one.kind: one for one in provisions.accepted_walks}
    for kind in walk.SPACES:
        purposes = {purpose for purpose, _, found in reached if found is kind}
        share = walk.share(kind, sum(provisions.budget(purpose) for purpose in purposes), life)
        told = f"one asker can walk {share:.2%} of its number space at one answerer while the rulebook lasts"
        if kind in accepted and share <= accepted[kind].share:
            yield Finding(Level.WARNING, kind, f"{told}; accepted: {accepted[kind].sentence}", "")
        elif share > provisions.limits.max_walk:
            yield Finding(
                Level.ERROR,
                kind,
                f"{told}, more than max_walk ({provisions.limits.max_walk:.2%})",
                "lower the budget, shorten the rulebook's life, or accept it by a sentence in accepted_walks",
            )
    for purpose in sorted({purpose for purpose, _, _ in reached}):
        if provisions.budget(purpose) < provisions.limits.min_set:
            yield Finding(
                Level.ERROR,
                purpose,
                "rules allow it, and its budget does not suffice for the smallest set: nothing would be evaluated",
                "name it in budgets, with more elements a day than limits.min_set",
            )
    if any(mode is Mode.COUNT for _, mode, _ in reached):
        yield Finding(
            Level.WARNING, Mode.COUNT, COUNT_RISK, "allow it only between parties that you trust so far"
        )
