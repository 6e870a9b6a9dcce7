"""Statements in sequence: no gap, no fork, whoever comes first."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from trisect.errors import ConflictError
from trisect.store.database import Database
from trisect.store.statements import Statements
from trisect.store.tables import coordinator_statements, node_statements

TABLES = {"node": node_statements, "coordinator": coordinator_statements}


@pytest.fixture(params=TABLES)
def store(request: pytest.FixtureRequest, open_database: Callable[[str], Database]) -> Statements:
    return Statements(open_database(request.param), TABLES[request.param])


def test_statements_come_back_in_order(store: Statements) -> None:
    assert (store.newest(), store.after(0)) == (0, [])
    for sequence in range(1, 6):
        store.append(f"s{sequence}".encode(), expected=sequence)
    assert store.newest() == 5
    assert store.after(0) == [(sequence, f"s{sequence}".encode()) for sequence in range(1, 6)]
    assert store.after(3) == [(4, b"s4"), (5, b"s5")]
    assert store.after(2, limit=2) == [(3, b"s3"), (4, b"s4")]
    assert store.after(5) == []


@pytest.mark.parametrize("expected", [0, 1, 2, 4, 99])
def test_neither_a_gap_nor_a_place_taken(store: Statements, expected: int) -> None:
    for sequence in (1, 2):
        store.append(b"s", expected=sequence)
    with pytest.raises(ConflictError):
        store.append(b"forged", expected=expected)
    assert store.after(0) == [(1, b"s"), (2, b"s")]
    store.append(b"next", expected=3)
    assert store.newest() == 3


def test_of_many_that_race_for_a_place_one_gets_it(store: Statements) -> None:
    start = threading.Barrier(12)

    def race(number: int) -> str:
        start.wait()
        try:
            store.append(f"s{number}".encode(), expected=1)
        except ConflictError:
            return "refused"
        return f"s{number}"

    with ThreadPoolExecutor(12) as pool:
        won = [result for result in pool.map(race, range(12)) if result != "refused"]
    assert len(won) == 1
    assert store.after(0) == [(1, won[0].encode())]


def test_a_page_is_not_endless(node: Database) -> None:
    store = Statements(node, node_statements)
    with node.write() as connection:
        rows = [{"sequence": at, "envelope": b"s"} for at in range(1, 502)]
        connection.execute(sa.insert(node_statements), rows)
    assert len(store.after(0)) == 500
    assert store.after(500) == [(501, b"s")]
