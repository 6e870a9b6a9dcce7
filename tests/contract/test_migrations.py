"""Migrations: they make what the tables say, once, and a second run changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import alembic.command
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from contract.conftest import Backend
from contract.rows import active, exchange, fill, tokens

from trisect.errors import BadInputError, ConflictError
from trisect.store import migrations
from trisect.store.database import Database
from trisect.store.exchanges import Exchanges
from trisect.store.proxy_tables import NODE
from trisect.store.tables import COORDINATOR

TREES = {"node": NODE, "coordinator": COORDINATOR}


def configured(tree: str) -> Config:
    """Make Alembic's configuration for a tree of migrations."""
    configuration = Config()
    configuration.set_main_option("script_location", str(Path(migrations.__file__).parent / tree))
    configuration.set_main_option("path_separator", "os")
    return configuration


@pytest.mark.parametrize("tree", TREES)
def test_a_migrated_database_is_what_the_tables_say(
    backend: Backend, open_database: Callable[[str], Database], tree: str
) -> None:
    database = open_database(backend.empty())
    database.migrate(tree)
    with database.read() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, TREES[tree]) == []


@pytest.mark.parametrize("tree", TREES)
def test_the_comparison_can_fail(open_database: Callable[[str], Database], tree: str) -> None:
    database = open_database(tree)
    missing = sa.MetaData()
    for table in TREES[tree].tables.values():
        table.to_metadata(missing)
    sa.Table("another", missing, sa.Column("id", sa.Integer, primary_key=True))
    with database.read() as connection:
        found = compare_metadata(MigrationContext.configure(connection), missing)
    assert [change[0] for change in found] == ["add_table"]


def test_migrating_again_keeps_every_row(node: Database) -> None:
    fill(node, range(5))
    for _ in range(2):
        node.migrate("node")
    assert active(node) == tokens(range(5))


def test_a_sign_of_life(node: Database) -> None:
    node.check()


def test_tokens_lie_in_their_own_order_on_sqlite(backend: Backend, node: Database) -> None:
    """Import and roll sort by token; that pays only where the primary key is the table."""
    if backend.name != "sqlite":
        with node.read() as connection:
            assert connection.execute(sa.text("SELECT 1 FROM entries")).first() is None
        return
    with node.read() as connection:
        for table in ("entries", "hits"):
            made = connection.execute(
                sa.text("SELECT sql FROM sqlite_master WHERE name = :name"), {"name": table}
            ).scalar_one()
            assert "WITHOUT ROWID" in made


@pytest.mark.parametrize("url", ["mysql://somewhere/db", "nonsense", ""])
def test_another_kind_of_database_is_refused_in_words(url: str) -> None:
    with pytest.raises(BadInputError):
        Database(url)


@pytest.mark.parametrize("tree", TREES)
def test_names_of_files_tell_the_newest_version(tree: str) -> None:
    scripts = ScriptDirectory.from_config(configured(tree))
    assert scripts.get_heads() == [migrations.revisions(tree)[-1]]
    assert {script.revision for script in scripts.walk_revisions()} == set(migrations.revisions(tree))


@pytest.fixture
def own(backend: Backend, open_database: Callable[[str], Database]) -> Database:
    """A database of the test's own: lent ones keep what is done to their version."""
    database = open_database(backend.empty())
    database.migrate("node")
    return database


def test_a_database_of_the_newest_version_is_left_to_itself(
    own: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Alembic is asked only where there is something to do."""
    ran: list[str] = []
    monkeypatch.setattr(alembic.command, "upgrade", lambda _configuration, target: ran.append(target))
    own.migrate("node")
    assert ran == []
    with own.write() as connection:
        connection.execute(sa.text("DELETE FROM alembic_version"))
    own.migrate("node")
    assert ran == ["head"]


def test_exchanges_of_the_first_schema_are_numbered(own: Database) -> None:
    store = Exchanges(own)
    for name, started in (
        ("b", "2026-11-02T00:00:00Z"),
        ("c", "2026-11-01T00:00:00Z"),
        ("a", "2026-11-02T00:00:00Z"),
    ):
        store.add(exchange(name, started_at=started))
    with own.write() as connection:
        configuration = configured("node")
        configuration.attributes["connection"] = connection
        alembic.command.downgrade(configuration, "0001")
    own.migrate("node")
    store.add(exchange("0"))
    assert [found.id for found in store.list()] == ["0", "b", "a", "c"]


def test_a_database_of_a_newer_version_is_refused_in_words(own: Database) -> None:
    with own.write() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ConflictError, match="9999"):
        own.migrate("node")
