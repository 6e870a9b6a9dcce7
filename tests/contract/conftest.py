"""Both databases behind one fixture: every test of this folder runs once over each."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from support import postgres

from trisect.store.database import Database, sqlite_url

TREES = ("node", "coordinator")


@dataclass(frozen=True)
class Backend:
    """Where new databases come from."""

    name: str
    empty: Callable[[], str]
    """Gives the URL of a new database without any table."""
    migrated: Callable[[str], str]
    """Gives the URL of a new database with the tables of that tree."""


@pytest.fixture(scope="session")
def postgresql(postgresql_server: postgres.Server) -> tuple[postgres.Server, dict[str, str]]:
    return postgresql_server, {tree: _template(postgresql_server, tree) for tree in TREES}


@pytest.fixture(scope="session")
def sqlite_templates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("templates")
    for tree in TREES:
        _migrate(sqlite_url(folder / tree), tree)
    return {tree: folder / tree for tree in TREES}


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    if request.param == "postgresql":
        server, templates = request.getfixturevalue("postgresql")
        with ExitStack() as lent:
            yield Backend(
                "postgresql",
                lambda: server.url(server.new()),
                lambda tree: server.url(lent.enter_context(server.lent(templates[tree]))),
            )
        return
    templates = request.getfixturevalue("sqlite_templates")
    numbers = itertools.count(1)

    def copied(tree: str) -> str:
        path = tmp_path / f"{tree}-{next(numbers)}.db"
        shutil.copy(templates[tree], path)
        return sqlite_url(path)

    yield Backend("sqlite", lambda: sqlite_url(tmp_path / f"empty-{next(numbers)}.db"), copied)


@pytest.fixture
def open_database(backend: Backend) -> Iterator[Callable[[str], Database]]:
    """Open databases of a tree, or of a URL given whole, and close them all at the end."""
    opened: list[Database] = []

    def opening(tree: str) -> Database:
        found = Database(tree if "://" in tree else backend.migrated(tree))
        opened.append(found)
        return found

    yield opening
    for database in opened:
        database.close()


@pytest.fixture
def node(open_database: Callable[[str], Database]) -> Database:
    return open_database("node")


@pytest.fixture
def coordinator(open_database: Callable[[str], Database]) -> Database:
    return open_database("coordinator")


def _template(server: postgres.Server, tree: str) -> str:
    name = server.new()
    _migrate(server.url(name), tree)
    return name


def _migrate(url: str, tree: str) -> None:
    database = Database(url)
    database.migrate(tree)
    database.close()
