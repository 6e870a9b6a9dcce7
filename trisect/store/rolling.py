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
        with self._database.write() as connection:
            rows = connection.execute(sa.select(table).where(table.c.epoch < epoch).limit(BATCH)).all()
            if not rows:
                return 0
            keys = list(table.primary_key.columns)
            same = sa.and_(*(column == sa.bindparam(f"old_{column.name}") for column in keys))
            connection.execute(
                sa.delete(table).where(same),
                [_key(keys, row._asdict()) for row in rows],
            )
            new = sorted(
                (
                    row._asdict() | {"token": climb(Token(row.token), row.epoch), "epoch": epoch}
                    for row in rows
                ),
                key=lambda row: row["token"],
            )
            if (
                table is suppressions
            ):  # a withdrawal in the middle of a roll may meet a token and its successor
                connection.execute(sa.delete(table).where(same), [_key(keys, row) for row in new])
            connection.execute(sa.insert(table), new)
            return len(rows)


def _key(keys: Sequence[sa.Column[Any]], row: Mapping[str, Any]) -> dict[str, Any]:
    return {f"old_{column.name}": row[column.name] for column in keys}
