"""Schema migrations, run by Alembic when a daemon starts with a database that is not of the newest version.

A migration's file is named `v<revision>_<what it does>.py`; the names tell the newest version without Alembic,
whose import takes a tenth of a daemon's start.
"""

from __future__ import annotations

from importlib import resources

import sqlalchemy as sa

from trisect.errors import ConflictError


def revisions(tree: str) -> list[str]:
    """Give a tree's revisions, oldest first."""
    versions = resources.files(__name__) / tree / "versions"
    return sorted(file.name[1:].partition("_")[0] for file in versions.iterdir() if file.name.startswith("v"))


def bring_up(connection: sa.Connection, tree: str) -> None:
    """Bring the schema to the newest version, in the transaction of the connection.

    Args:
        connection: a transaction that may change the schema.
        tree: the folder of migrations: `node` or `coordinator`.

    Raises:
        ConflictError: the database was made by a newer Trisect.
    """
    known = revisions(tree)
    found = _found(connection)
    if found == known[-1]:
        return
    if found is not None and found not in known:
        raise ConflictError(
            f"the database has schema {found}, and this program knows schemas up to {known[-1]}",
            hint="run the newer Trisect that made it, or restore the backup from before its first start",
        )
    _upgrade(connection, tree)


def _found(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def _upgrade(connection: sa.Connection, tree: str) -> None:
    import alembic.command  # noqa: PLC0415  (heavy, and most starts do without)
    import alembic.config  # noqa: PLC0415

    configuration = alembic.config.Config()
    location = resources.files(__name__) / tree
    configuration.set_main_option("script_location", str(location).replace("%", "%%"))
    configuration.set_main_option("path_separator", "os")
    configuration.attributes["connection"] = connection
    alembic.command.upgrade(configuration, "head")
