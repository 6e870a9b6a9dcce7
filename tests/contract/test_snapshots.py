"""What receipts commit to is kept once, as long as it must be, and under a hold for longer."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from contract.rows import exchange, fill

from trisect.errors import ConflictError, NotFoundError
from trisect.record.snapshots import SnapshotTree, grow, name_of
from trisect.store.database import Database
from trisect.store.exchanges import Exchanges, ExchangeState, Side
from trisect.store.retention import Hold, Retention
from trisect.store.snapshots import Snapshots
from trisect.store.tables import snapshot_leaves

SOON, END, LATER, MUCH_LATER = (f"2026-12-0{day}T00:00:00Z" for day in range(1, 5))


def tree(count: int) -> SnapshotTree:
    tokens, secret = bytes(32 * count), b"s" * 32
    return grow(name_of(tokens, secret), tokens, secret, count)


ONE, OTHER = tree(1), tree(40_000)


@pytest.fixture
def snapshots(node: Database) -> Snapshots:
    found = Snapshots(node)
    found.keep(ONE, END)
    found.keep(OTHER, END)
    return found


def is_kept(snapshots: Snapshots, root: bytes) -> bool:
    try:
        return snapshots.find(root).root == root
    except NotFoundError:
        return False


def test_a_tree_comes_back_whole_though_it_has_many_leaves(snapshots: Snapshots) -> None:
    assert len(OTHER.leaves) > 1 << 20, "in one piece"
    for kept in (ONE, OTHER):
        assert snapshots.find(kept.root) == kept
    with pytest.raises(NotFoundError, match="kept no more"):
        snapshots.find(bytes(32))


def test_it_goes_at_its_end_with_all_its_leaves(node: Database, snapshots: Snapshots) -> None:
    assert snapshots.expire(SOON) == 0
    snapshots.keep(ONE, LATER)
    snapshots.keep(ONE, SOON)  # an earlier end changes nothing
    assert snapshots.expire(END) == 1
    assert (is_kept(snapshots, ONE.root), is_kept(snapshots, OTHER.root)) == (True, False)
    assert snapshots.expire(LATER) == 1
    with node.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(snapshot_leaves)).scalar() == 0


def test_a_hold_on_the_hits_keeps_the_snapshot_too(node: Database, snapshots: Snapshots) -> None:
    fill(node, range(5))
    exchanges, retention = Exchanges(node), Retention(node)
    exchanges.add(dataclasses.replace(exchange(), id="x", state=ExchangeState.RUNNING))
    exchanges.complete("x", [], now=SOON, keep_until=END, snapshot=ONE.root)
    retention.hold(Hold("x", "court of Example", "case 7", LATER, SOON))
    assert snapshots.expire(END) == 1
    assert is_kept(snapshots, ONE.root)
    assert snapshots.expire(LATER) == 1


@pytest.mark.parametrize("side", Side)
def test_what_has_no_hits_here_is_held_as_long_as_its_snapshot_is_kept(
    node: Database, snapshots: Snapshots, side: Side
) -> None:
    """The owner of a list is mostly the answerer, which has no hits; nor has an asker that counted."""
    exchanges, retention = Exchanges(node), Retention(node)
    exchanges.add(dataclasses.replace(exchange(), id="x", side=side, state=ExchangeState.RUNNING))
    exchanges.update("x", state=ExchangeState.COMPLETE, snapshot=ONE.root)
    retention.hold(Hold("x", "court of Example", "case 7", LATER, SOON))
    assert snapshots.expire(END) == 1
    assert is_kept(snapshots, ONE.root)
    retention.release("x")
    assert snapshots.expire(END) == 1
    with pytest.raises(ConflictError, match="nor a snapshot"):
        retention.hold(Hold("x", "court of Example", "case 7", LATER, SOON))


def test_many_exchanges_keep_the_same_snapshot_at_once(node: Database) -> None:
    found, new = Snapshots(node), tree(3)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda day: found.keep(new, f"2026-12-0{day}T00:00:00Z"), range(1, 9)))
    assert found.find(new.root) == new
    assert found.expire("2026-12-07T00:00:00Z") == 0
    assert found.extend(new.name, SOON) == new.root
    assert found.extend(OTHER.name, SOON) is None
    assert found.expire("2026-12-08T00:00:00Z") == 1


def test_what_an_exchange_has_committed_to_is_told_with_it(node: Database, snapshots: Snapshots) -> None:
    fill(node, range(5))
    exchanges = Exchanges(node)
    exchanges.add(dataclasses.replace(exchange(), id="x", state=ExchangeState.RUNNING))
    exchanges.update("x", snapshot=ONE.root)
    assert exchanges.get("x").snapshot == ONE.root
