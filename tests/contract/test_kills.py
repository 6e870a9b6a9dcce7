"""kill -9 inside an import, inside a roll and inside an append to the record: what comes of it afterwards is what an unbroken run gives.

The child says when it has come to the transaction in which it is to die; nothing here goes by time.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from contract import killed
from contract.rows import dump, everything, exchange, fill, make_collection, token

from trisect.store.database import Database
from trisect.store.exchanges import Exchanges
from trisect.store.intake import Imports
from trisect.store.record import Record
from trisect.store.rolling import Rolling
from trisect.store.tables import coordinator_record, imports

TESTS = Path(__file__).parents[1]
ROOT = TESTS.parent


def kill_at(url: str, work: str, number: int, place: str) -> None:
    """Run the child to its place and kill it there; fails where it never came to it."""
    child = subprocess.Popen(
        [sys.executable, killed.__file__, url, work, str(number), place],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": f"{TESTS}{os.pathsep}{ROOT}"},
        text=True,
    )
    with child:
        assert child.stdout is not None
        said = child.stdout.readline()
        child.kill()
    assert said.strip() == killed.HERE, "the child never came to the transaction in which it was to die"
    assert child.returncode == -9


def prepared(database: Database) -> Database:
    """Fill what both an import and a roll find: an older list, and hits."""
    fill(database, range(200, 300))
    fill(database, range(150), name="mules")
    store = Exchanges(database)
    store.add(exchange(collection="mules"))
    store.complete("e1", [token(number) for number in range(60)], now="2026-11-27T12:00:00Z")
    return database


def url(database: Database) -> str:
    return database.url.render_as_string(hide_password=False)


@pytest.mark.parametrize("place", ["before", "after"])
@pytest.mark.parametrize("number", [3, 9])
def test_a_killed_import_goes_on_to_the_same_collection(
    open_database: Callable[[str], Database], number: int, place: str
) -> None:
    whole, broken = prepared(open_database("node")), prepared(open_database("node"))
    wanted = killed.import_all(whole)
    make_collection(broken)
    kill_at(url(broken), "import", number, place)
    half = Imports(broken).begin(1, b"the file")
    done = min(number - 2 + (place == "after"), len(killed.BATCHES))  # the first commit is `begin`'s
    assert half.batches_done == done
    assert half.rows == 41 * done
    assert len(Imports(broken).rejects(half.id)) == done
    assert killed.import_all(broken) == wanted
    assert everything(broken) == everything(whole)
    assert dump(broken, imports) == []


@pytest.mark.parametrize("place", ["before", "after"])
@pytest.mark.parametrize("number", [1, 5])
def test_a_killed_roll_goes_on_to_the_same_tables(
    open_database: Callable[[str], Database], number: int, place: str
) -> None:
    whole, broken = prepared(open_database("node")), prepared(open_database("node"))
    killed.roll_all(whole)
    total = Rolling(broken).behind(2)
    kill_at(url(broken), "roll", number, place)
    left = Rolling(broken).behind(2)
    assert total - left == {1: {"before": 0, "after": 50}, 5: {"before": 150, "after": 160}}[number][place]
    killed.roll_all(broken)
    assert Rolling(broken).behind(2) == 0
    assert everything(broken) == everything(whole)


@pytest.mark.parametrize("place", ["before", "after"])
@pytest.mark.parametrize("number", [1, 5])
def test_a_killed_append_leaves_a_whole_record(
    open_database: Callable[[str], Database], number: int, place: str
) -> None:
    whole, broken = open_database("coordinator"), open_database("coordinator")
    killed.record_all(whole)
    kill_at(url(broken), "record", number, place)
    record = Record(broken, coordinator_record)
    done = 5 * (number - (place == "before"))
    assert record.size == record.newest_statement() == done
    assert record.root(done) == Record(whole, coordinator_record).root(done)
    killed.record_all(broken)
    assert [dump(broken, table) for table in (coordinator_record.entries, coordinator_record.nodes)] == [
        dump(whole, table) for table in (coordinator_record.entries, coordinator_record.nodes)
    ]
