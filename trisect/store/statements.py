"""Signed statements in the order of their sequence, as coordinator and nodes keep them."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from trisect.errors import ConflictError
from trisect.store.database import Database

PAGE = 500


class Statements:
    """The statements of one daemon."""

    def __init__(self, database: Database, table: sa.Table) -> None:
        self._database = database
        self._table = table

    def after(self, sequence: int, *, limit: int = PAGE) -> Sequence[tuple[int, bytes]]:
        """List (sequence, envelope) of the statements after one, in order."""
        query = (
            sa.select(self._table.c.sequence, self._table.c.envelope)
            .where(self._table.c.sequence > sequence)
            .order_by(self._table.c.sequence)
            .limit(limit)
        )
        with self._database.read() as connection:
            return [(row.sequence, row.envelope) for row in connection.execute(query)]

    def newest(self) -> int:
        """Tell the sequence of the newest statement, 0 without any."""
        with self._database.read() as connection:
            return self._newest(connection)

    def append(self, envelope: bytes, *, expected: int) -> None:
        """Store a statement under the sequence `expected`.

        Raises:
            ConflictError: another one has taken it.
        """
        with self._database.write() as connection:
            if self._newest(connection) != expected - 1:
                raise ConflictError("another statement came first", hint="repeat the command")
            connection.execute(sa.insert(self._table).values(sequence=expected, envelope=envelope))

    def _newest(self, connection: sa.Connection) -> int:
        newest: int = connection.execute(
            sa.select(sa.func.coalesce(sa.func.max(self._table.c.sequence), 0))
        ).scalar_one()
        return newest
