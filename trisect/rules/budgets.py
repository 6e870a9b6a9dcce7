"""Budgets in words: what is left, and what to say where nothing is."""

from __future__ import annotations

from trisect.errors import DeniedError
from trisect.rules.permit import Permit

BUDGET = "budget"
WARN_AT_PERCENT = 80
"""The share of a budget from which on its owner is warned."""


def over_budget(permit: Permit, spent: int, limit: int) -> DeniedError:
    """Say that an asker's budget does not suffice."""
    return DeniedError(
        f"{permit.asker} has had {spent:,} of {limit:,} elements evaluated by {permit.answerer} for {permit.purpose} on "
        f"{permit.budget_day}, and asks for {permit.budget:,} more",
        hint="wait until tomorrow (UTC), or have the government grant more: `trisect budget request`",
        rule=BUDGET,
    )


def nearly_spent(spent: int, limit: int) -> bool:
    """Tell whether so much of a budget is spent that somebody should know."""
    return limit > 0 and 100 * spent >= WARN_AT_PERCENT * limit
