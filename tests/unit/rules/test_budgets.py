"""When a budget is nearly spent, to the element."""

import pytest

from trisect.rules.budgets import nearly_spent


@pytest.mark.parametrize(
    ("spent", "limit", "nearly"),
    [
        (799, 1_000, False),
        (800, 1_000, True),
        (1_000, 1_000, True),
        (0, 0, False),
        (4, 5, True),
        (3, 5, False),
    ],
)
def test_a_budget_is_nearly_spent_from_four_fifths_on(spent: int, limit: int, *, nearly: bool) -> None:
    assert nearly_spent(spent, limit) is nearly
