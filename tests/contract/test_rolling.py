"""Pepper rotation: every stored token is rolled, in any number of goes, to what a direct computation gives."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from contract.rows import active, batch, dump, exchange, fill, make_collection, token

from trisect.errors import TrisectError
from trisect.indicators.tokens import Pepper, Token, roll
from trisect.store import rolling as module
from trisect.store.collections import Collections
from trisect.store.database import Database
from trisect.store.exchanges import Exchanges
from trisect.store.intake import Imports
from trisect.store.rolling import Rolling
from trisect.store.tables import entries, hits

PEPPERS = tuple(Pepper(bytes([number]) * 32) for number in range(4))


def climb(token_: Token, epoch: int, *, to: int = 3) -> Token:
    for pepper in PEPPERS[epoch + 1 : to + 1]:
        token_ = roll(pepper, token_)
    return token_


def roll_all(store: Rolling, climb_: Callable[[Token, int], Token]) -> None:
    while sum(store.roll(3, climb_)):
        pass


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH", 7)


@pytest.fixture
def filled(node: Database) -> Database:
    """Three collections of two epochs, and hits of two exchanges."""
    fill(node, range(30))
    fill(node, range(20, 40), name="mules")
    store = Exchanges(node)
    for number, name in enumerate(("scams", "mules")):
        store.add(exchange(f"e{number}", collection=name))
        store.complete(f"e{number}", [token(at) for at in range(20, 30)], now="2026-11-27T12:00:00Z")
    progress = Imports(node).begin(make_collection(node, "newer").id, b"")
    rows = sorted((climb(token(at), 0, to=1), *row[1:]) for at in range(15) for row in batch([at]))
    Imports(node).finish(Imports(node).add(progress, rows, [], epoch=1, day=20_784))
    return node


def expected(database: Database) -> list[list[tuple[object, ...]]]:
    """Compute the whole outcome directly from the rows as they stand."""
    found = []
    for table in (entries, hits):
        names = [column.name for column in table.columns]
        at, epoch = names.index("token"), names.index("epoch")
        rows = []
        for row in dump(database, table):
            fresh = list(row)
            fresh[at], fresh[epoch] = climb(Token(row[at]), row[epoch]), 3
            rows.append(tuple(fresh))
        found.append(sorted(rows, key=lambda row: (row[0], row[1])))
    return found


def now(database: Database) -> list[list[tuple[object, ...]]]:
    return [sorted(dump(database, table), key=lambda row: (row[0], row[1])) for table in (entries, hits)]


@pytest.mark.usefixtures("small")
def test_batch_by_batch_it_comes_to_what_a_direct_computation_gives(filled: Database) -> None:
    wanted = expected(filled)
    store = Rolling(filled)
    behind = store.behind(3)
    assert behind == 30 + 20 + 15 + 20
    while rolled := sum(store.roll(3, climb)):
        behind -= rolled
        assert rolled <= 14
        assert store.behind(3) == behind
    assert behind == 0
    assert now(filled) == wanted
    assert not any(store.roll(3, climb))
    assert now(filled) == wanted


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("stop", range(1, 10))
def test_a_roll_that_stops_inside_any_batch_goes_on_to_the_same_table(filled: Database, stop: int) -> None:
    wanted = expected(filled)
    done = 0

    def failing(token_: Token, epoch: int) -> Token:
        nonlocal done
        done += 1
        if done == 7 * stop + 3:
            raise TrisectError("the power went")
        return climb(token_, epoch)

    store = Rolling(filled)
    with pytest.raises(TrisectError, match="power"):
        roll_all(store, failing)
    assert 0 < store.behind(3) < 85, "a batch is rolled whole or not at all"
    roll_all(Rolling(filled), climb)
    assert now(filled) == wanted


@pytest.mark.usefixtures("small")
def test_hits_still_meet_their_entries_afterwards(filled: Database) -> None:
    roll_all(Rolling(filled), climb)
    rolled = {row[1] for row in dump(filled, hits)}
    assert rolled == {climb(token(at), 0) for at in range(20, 30)}
    assert rolled <= active(filled, "mules", epoch=3)
    assert active(filled, "scams", epoch=3) == {climb(token(at), 0) for at in range(30)}
    found = Collections(filled).entries_of(climb(token(21), 0))
    assert [row.ref for row in found] == ["case-21", "case-21"]


def test_rolling_step_by_step_equals_one_climb(filled: Database) -> None:
    wanted = expected(filled)
    for epoch in (1, 2, 3):

        def step(token_: Token, old: int, *, to: int = epoch) -> Token:
            return climb(token_, old, to=to)

        while sum(Rolling(filled).roll(epoch, step)):
            pass
        assert Rolling(filled).behind(epoch) == 0
    assert now(filled) == wanted


def test_nothing_is_rolled_backwards(filled: Database) -> None:
    before = now(filled)
    assert not any(Rolling(filled).roll(0, climb))
    assert now(filled) == before


def test_sealed_peppers_are_kept_and_replaced(
    node: Database, open_database: Callable[[str], Database]
) -> None:
    store = Rolling(node)
    assert store.sealed_peppers() is None
    store.keep_peppers(b"\x00first\xff")
    assert store.sealed_peppers() == b"\x00first\xff"
    store.keep_peppers(b"second")
    assert store.sealed_peppers() == b"second"
    again = open_database(node.url.render_as_string(hide_password=False))
    assert Rolling(again).sealed_peppers() == b"second"
