"""A registry that nobody has joined yet, over each of the databases."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from support import postgres
from support.membership import Consortium
from unit.coordinator.office import Office

from coordinator.authority import create, load
from trisect.clock import system_randomness
from trisect.store.database import Database, sqlite_url
from trisect.trust.authority import Authority
from trisect.trust.certificates import Caller, Principal
from trisect.trust.membership import Membership


@pytest.fixture(scope="session")
def template(postgresql_server: postgres.Server) -> str:
    """A PostgreSQL database with a coordinator's tables."""
    name = postgresql_server.new()
    migrated(postgresql_server.url(name)).close()
    return name


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with ExitStack() as stack:
        if request.param == "sqlite":
            url = sqlite_url(tmp_path / "coordinator.db")
        else:
            server: postgres.Server = request.getfixturevalue("postgresql_server")
            url = server.url(stack.enter_context(server.lent(request.getfixturevalue("template"))))
        found = migrated(url)
        stack.callback(found.close)
        yield found


def migrated(url: str) -> Database:
    found = Database(url)
    found.migrate("coordinator")
    return found


@pytest.fixture
def office(tmp_path: Path, database: Database) -> Office:
    now = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
    create(tmp_path, "anti-fraud", lambda: now, system_randomness)
    made: Office

    def clock() -> dt.datetime:
        return made.now

    server = Principal("anti-fraud", Caller.COORDINATOR, "coordinator")
    authority = Authority(load(tmp_path), server, dt.timedelta(days=30), clock)
    made = Office(database, authority, now, None, Consortium(Membership("anti-fraud")))  # type: ignore[arg-type]
    made.registry = made.reopened()
    return made
