"""What a rulebook would have done to exchanges that were permitted by another."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace

from trisect.clock import to_text
from trisect.errors import TrisectError
from trisect.rules import conditions
from trisect.rules import permit as permits
from trisect.rules.budgets import over_budget
from trisect.rules.permit import Permit
from trisect.rules.regime import Regime
from trisect.rules.rulebook import Rulebook
from trisect.rules.vocabulary import Purpose


def simulate(
    rulebook: Rulebook, past: Iterable[Permit], regime: Regime, now: dt.datetime
) -> Iterator[tuple[Permit, TrisectError | None]]:
    """Judge past permits by a rulebook, in order, over the notices and vetting of today.

    Gives:
        Each permit with why it would have been denied, None where it would not. What was granted beyond the rulebook's
        budgets is left out of account.
    """
    spent: Counter[tuple[str, str, str, str]] = Counter()
    for permit in past:
        account = (permit.asker, permit.answerer, permit.purpose, permit.budget_day)
        try:
            _judge(replace(permit, decided=to_text(now)), rulebook, regime)
            limit = rulebook.provisions.budget(Purpose(permit.purpose))
            if spent[account] + permit.budget > limit:
                raise over_budget(permit, spent[account], limit)
        except TrisectError as error:
            yield permit, error
        else:
            spent[account] += permit.budget
            yield permit, None


def _judge(permit: Permit, rulebook: Rulebook, regime: Regime) -> None:
    kept = min(
        permit.retention_days, rulebook.provisions.limits.retention_days
    )  # as the answerer would write it
    conditions.check_limits(replace(permit, retention_days=kept), rulebook)
    rulebook.policies.decide(permits.facts_of(permit, regime))
