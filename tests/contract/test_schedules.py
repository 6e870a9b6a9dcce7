"""Work that a node repeats."""

from __future__ import annotations

import dataclasses

import pytest

from trisect.errors import ConflictError, NotFoundError
from trisect.store.database import Database
from trisect.store.schedules import Schedule, Schedules


def schedule(name: str = "s1", *, hour: int = 1) -> Schedule:
    return Schedule(name, 3_600, f"2026-11-01T{hour:02}:00:00Z", b"\x00work\xff", "")


def test_the_next_one_due_comes_first(node: Database) -> None:
    store = Schedules(node)
    assert store.list() == []
    for name, hour in (("s1", 3), ("s3", 1), ("s2", 1)):
        store.add(schedule(name, hour=hour))
    assert store.list() == [schedule("s2"), schedule("s3"), schedule("s1", hour=3)]


def test_a_run_moves_its_schedule_and_no_other(node: Database) -> None:
    store = Schedules(node)
    store.add(schedule("s1", hour=1))
    store.add(schedule("s2", hour=2))
    store.ran("s1", next_at="2026-11-01T05:00:00Z", result="complete")
    moved = dataclasses.replace(schedule("s1"), next_at="2026-11-01T05:00:00Z", last_result="complete")
    assert store.list() == [schedule("s2", hour=2), moved]
    store.ran("gone meanwhile", next_at="2026-11-01T00:00:00Z", result="complete")
    assert len(store.list()) == 2


def test_a_removed_schedule_is_gone(node: Database) -> None:
    store = Schedules(node)
    store.add(schedule("s1"))
    store.add(schedule("s2"))
    store.remove("s1")
    assert [found.id for found in store.list()] == ["s2"]
    with pytest.raises(NotFoundError, match="no schedule of that id"):
        store.remove("s1")


def test_an_id_is_not_used_twice(node: Database) -> None:
    Schedules(node).add(schedule())
    with pytest.raises(ConflictError):
        Schedules(node).add(schedule(hour=9))
    assert Schedules(node).list() == [schedule()]
