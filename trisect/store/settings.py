"""Single values of a node that outlive it: one row each."""

from __future__ import annotations

import sqlalchemy as sa

from trisect.store.database import Database
from trisect.store.tables import settings


class Setting:
    """One named value.

    Args:
        database: a node's.
        name: of the value; each part of the node has its own.
    """

    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        self._name = name

    def read(self) -> bytes | None:
        """Give the value, None where it was never kept."""
        with self._database.read() as connection:
            return connection.execute(
                sa.select(settings.c.value).where(settings.c.name == self._name)
            ).scalar_one_or_none()

    def keep(self, value: bytes) -> None:
        """Keep a value in place of the former one; it is durable when this returns."""
        with self._database.write() as connection:
            connection.execute(sa.delete(settings).where(settings.c.name == self._name))
            connection.execute(sa.insert(settings).values(name=self._name, value=value))
