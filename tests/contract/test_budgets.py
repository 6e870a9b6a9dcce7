"""Budgets: never one element above the limit, whoever charges at the same moment."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from contract.conftest import Backend

from trisect.store.budgets import DAYS_KEPT, Account, Budgets, Spent
from trisect.store.database import Database
from trisect.store.tables import coordinator_budgets, node_budgets

TABLES = {"node": node_budgets, "coordinator": coordinator_budgets}
ACCOUNT = Account("telco", "bank", "scam-prevention")
DAY = "2026-11-27"


@pytest.fixture(params=TABLES)
def budgets(request: pytest.FixtureRequest, open_database: Callable[[str], Database]) -> Budgets:
    return Budgets(open_database(request.param), TABLES[request.param])


def test_what_is_charged_adds_up_to_the_limit_and_no_further(budgets: Budgets) -> None:
    assert budgets.spent(ACCOUNT, DAY) == 0
    assert budgets.charge(ACCOUNT, DAY, 60, 100)
    assert not budgets.charge(ACCOUNT, DAY, 41, 100)
    assert budgets.charge(ACCOUNT, DAY, 40, 100)
    assert not budgets.charge(ACCOUNT, DAY, 1, 100)
    assert budgets.spent(ACCOUNT, DAY) == 100


@pytest.mark.parametrize(
    "other",
    [
        Account("bank", "telco", "scam-prevention"),
        Account("telco", "bank", "rights"),
        Account("telco", "shop", "scam-prevention"),
    ],
)
def test_every_account_and_every_day_is_its_own(budgets: Budgets, other: Account) -> None:
    assert budgets.charge(ACCOUNT, DAY, 100, 100)
    assert budgets.charge(other, DAY, 100, 100)
    assert budgets.charge(ACCOUNT, "2026-11-28", 100, 100)


def test_a_higher_limit_lets_more_through(budgets: Budgets) -> None:
    assert budgets.charge(ACCOUNT, DAY, 100, 100)
    assert budgets.charge(ACCOUNT, DAY, 50, 150)


def test_nothing_is_charged_without_a_budget(budgets: Budgets) -> None:
    assert not budgets.charge(ACCOUNT, DAY, 1, 0)
    assert budgets.since(DAY) == []


def test_it_is_exact_when_many_charge_at_once(
    backend: Backend, open_database: Callable[[str], Database]
) -> None:
    url = backend.migrated("node")
    ends = [Budgets(open_database(url), node_budgets) for _ in range(2)]
    with ThreadPoolExecutor(8) as pool:
        charged = list(pool.map(lambda at: ends[at % 2].charge(ACCOUNT, DAY, 7, 100), range(40)))
    assert sum(charged) == 14
    assert ends[0].spent(ACCOUNT, DAY) == 98


def test_what_was_spent_is_listed_newest_day_first(budgets: Budgets) -> None:
    for day in ("2026-11-25", "2026-11-27", "2026-11-26"):
        assert budgets.charge(ACCOUNT, day, 5, 10)
    assert budgets.since("2026-11-26") == [Spent(ACCOUNT, "2026-11-27", 5), Spent(ACCOUNT, "2026-11-26", 5)]


def test_old_days_are_forgotten(open_database: Callable[[str], Database]) -> None:
    database = open_database("node")
    budgets = Budgets(database, node_budgets)
    assert budgets.charge(ACCOUNT, "2020-01-01", 5, 10)
    assert budgets.charge(ACCOUNT, DAY, 5, 10)
    with database.read() as connection:
        assert connection.execute(sa.select(node_budgets.c.day)).scalars().all() == [DAY]
    assert DAYS_KEPT > 366
