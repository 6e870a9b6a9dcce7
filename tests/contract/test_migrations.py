"""Migrations: they make what the tables say, once, and a second run changes nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from contract.conftest import Backend
from contract.rows import active, fill, tokens

from trisect.errors import BadInputError
from trisect.store.database import Database
from trisect.store.tables import COORDINATOR, NODE

TREES = {"node": NODE, "coordinator": COORDINATOR}


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
