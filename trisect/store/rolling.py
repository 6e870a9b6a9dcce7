"""Pepper rotation in the store: the sealed chain of peppers, and rolling every stored token in place.

Every row carries its epoch, and a batch is one transaction, so a roll that was killed goes on where it
stopped. The token is part of the primary key: a rolled row is a new row in another place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from trisect.indicators.tokens import Token
from trisect.store.database import Database
from trisect.store.settings import Setting
from trisect.store.tables import entries, hits, suppressions

BATCH = 5_000
_ROLLED = (entries, hits, suppressions)


class Rolling:
    """The peppers of a node and the epoch of its rows."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._peppers = Setting(database, "peppers")

    def sealed_peppers(self) -> bytes | None:
        """Give the sealed chain as it was kept, or None before admission."""
        return self._peppers.read()

    def keep_peppers(self, sealed: bytes) -> None:
        """Keep the sealed chain in place of the former one."""
        self._peppers.keep(sealed)

    def behind(self, epoch: int) -> int:
        """Count the rows whose tokens are of an older epoch."""
        with self._database.read() as connection:
            return sum(
                connection.execute(
                    sa.select(sa.func.count()).select_from(table).where(table.c.epoch < epoch)
                ).scalar_one()
                for table in _ROLLED
            )

    def roll(self, epoch: int, climb: Callable[[Token, int], Token]) -> Sequence[int]:
        """Roll one batch of rows to an epoch.

        Args:
            epoch: the newest.
            climb: gives a token's successor at `epoch`, from the epoch it has.

        Returns:
            How many rows were rolled in each table; all zero when nothing is behind.
        """
        return [self._roll_batch(table, epoch, climb) for table in _ROLLED]

    def _roll_batch(self, table: sa.Table, epoch: int, climb: Callable[[Token, int], Token]) -> int:
        keys = sa.tuple_(*table.primary_key.columns)
        behind = sa.select(*table.primary_key.columns).where(table.c.epoch < epoch).limit(BATCH)
        with self._database.write() as connection:
            taken = connection.execute(sa.delete(table).where(keys.in_(behind)).returning(table)).all()
            if not taken:
                return 0
            rolled = sorted(
                (
                    row._asdict() | {"token": climb(Token(row.token), row.epoch), "epoch": epoch}
                    for row in taken
                ),
                key=lambda row: row["token"],
            )
            if table is suppressions:  # a withdrawal during a roll may have met a token and its successor
                _drop(connection, table, rolled)
            connection.execute(sa.insert(table), rolled)
            return len(rolled)


def _drop(connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Delete the rows that have the primary keys of these."""
    names = [column.name for column in table.primary_key.columns]
    same = sa.and_(*(table.c[name] == sa.bindparam(f"old_{name}") for name in names))
    connection.execute(
        sa.delete(table).where(same), [{f"old_{name}": row[name] for name in names} for row in rows]
    )
