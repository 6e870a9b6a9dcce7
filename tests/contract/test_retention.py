"""Hits go when their terms end, to the second, and stay under a hold for as long as that lasts."""

from __future__ import annotations

import dataclasses

import pytest
import sqlalchemy as sa
from contract.rows import exchange, fill, token

from trisect.errors import ConflictError, NotFoundError
from trisect.store.database import Database
from trisect.store.exchanges import Exchanges, ExchangeState
from trisect.store.retention import Hold, Retention
from trisect.store.tables import hits

END = "2026-12-01T00:00:00Z"
BEFORE, AFTER = "2026-11-30T23:59:59Z", "2026-12-02T00:00:00Z"
HOLD = Hold("x", "court of Example", "case 7", "2027-01-01T00:00:00Z", BEFORE)


@pytest.fixture
def exchanges(node: Database) -> Exchanges:
    """A node with a complete exchange `x` whose hits may be kept until `END`, and one without an end, `y`."""
    fill(node, range(5))
    found = Exchanges(node)
    for name, end in (("x", END), ("y", None)):
        found.add(dataclasses.replace(exchange(), id=name, state=ExchangeState.RUNNING))
        found.complete(name, [token(1), token(2)], now="2026-11-27T12:00:00Z", keep_until=end)
    return found


def kept(node: Database) -> dict[str, int]:
    query = sa.select(hits.c.exchange_id, sa.func.count()).group_by(hits.c.exchange_id)
    with node.read() as connection:
        return {row[0]: row[1] for row in connection.execute(query)}


def test_hits_go_when_their_retention_ends_and_the_exchange_says_when(
    node: Database, exchanges: Exchanges
) -> None:
    retention = Retention(node)
    assert retention.expire(BEFORE) == []
    assert kept(node) == {"x": 2, "y": 2}
    assert retention.expire(END) == ["x"]
    assert kept(node) == {"y": 2}
    assert (exchanges.get("x").hits_deleted_at, exchanges.get("x").matched) == (END, 2)
    assert retention.expire(AFTER) == [], "once"


def test_a_hold_outlives_the_retention_and_ends_by_itself(node: Database, exchanges: Exchanges) -> None:
    retention = Retention(node)
    retention.hold(HOLD)
    assert retention.held("x") == HOLD
    assert retention.expire(AFTER) == []
    assert kept(node)["x"] == 2
    assert retention.expire(HOLD.until) == ["x"]
    assert retention.held("x") is None


def test_a_hold_that_is_released_keeps_nothing_any_more(node: Database, exchanges: Exchanges) -> None:
    retention = Retention(node)
    retention.hold(HOLD)
    retention.release("x")
    assert retention.expire(AFTER) == ["x"]
    with pytest.raises(NotFoundError):
        retention.release("x")


def test_a_later_hold_replaces_the_former(node: Database, exchanges: Exchanges) -> None:
    retention = Retention(node)
    retention.hold(HOLD)
    longer = dataclasses.replace(HOLD, until="2028-01-01T00:00:00Z")
    retention.hold(longer)
    assert retention.expire(HOLD.until) == []
    assert retention.held("x") == longer


def test_what_cannot_be_held_is_told(node: Database, exchanges: Exchanges) -> None:
    retention = Retention(node)
    with pytest.raises(NotFoundError):
        retention.hold(dataclasses.replace(HOLD, exchange_id="z"))
    with pytest.raises(ConflictError):
        retention.hold(dataclasses.replace(HOLD, exchange_id="y"))
    retention.expire(AFTER)
    with pytest.raises(ConflictError):
        retention.hold(HOLD)
