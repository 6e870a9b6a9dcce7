"""A registry that nobody has joined yet."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.membership import Consortium
from unit.coordinator.office import Office

from coordinator.authority import Authority, create, load
from coordinator.registry import Registry
from trisect.clock import system_randomness
from trisect.store.database import Database, sqlite_url
from trisect.trust.membership import Membership


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    now = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
    create(tmp_path, "anti-fraud", lambda: now)
    database = Database(sqlite_url(tmp_path / "coordinator.db"))
    database.migrate("coordinator")
    made: Office

    def clock() -> dt.datetime:
        return made.now

    authority = Authority("anti-fraud", load(tmp_path), dt.timedelta(days=30), dt.timedelta(days=1), clock)
    made = Office(database, authority, now, None, Consortium(Membership("anti-fraud")))  # type: ignore[arg-type]
    made.registry = Registry(database, authority, clock=clock, randomness=system_randomness)
    yield made
    database.close()
