"""What was spent of budgets, by account and budget day; charged durably before anything is evaluated.

A charge is never taken back: what was in flight when a daemon was killed stays charged.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from trisect.store.database import Database

DAYS_KEPT = 400


@dataclass(frozen=True, slots=True)
class Account:
    """Whose elements are counted: of one asker at one answerer, for one purpose."""

    asker: str
    answerer: str
    purpose: str


@dataclass(frozen=True, slots=True)
class Spent:
    """What one account has spent on one day."""

    account: Account
    day: str
    elements: int


class Budgets:
    """The accounts of one daemon. Called from threads."""

    def __init__(self, database: Database, table: sa.Table) -> None:
        self._database = database
        self._table = table

    def spent(self, account: Account, day: str) -> int:
        """Tell what was spent of an account on a day (YYYY-MM-DD, UTC)."""
        with self._database.read() as connection:
            return self._spent(connection, account, day)

    def charge(self, account: Account, day: str, elements: int, limit: int) -> bool:
        """Charge an account unless that would bring it above its limit; gives whether it was charged."""
        table, where = self._table, self._where(account, day)
        with self._database.write() as connection:
            if not connection.execute(sa.select(sa.literal(1)).where(*where)).one_or_none():
                connection.execute(sa.delete(table).where(table.c.day < _oldest(day)))
                self._open(connection, account, day)
            charged = connection.execute(
                sa.update(table)
                .where(*where, table.c.elements + elements <= limit)
                .values(elements=table.c.elements + elements)
            )
            return charged.rowcount == 1

    def since(self, day: str) -> Sequence[Spent]:
        """List what was spent from a day on, newest day first."""
        table = self._table
        query = sa.select(table).where(table.c.day >= day, table.c.elements > 0)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(table.c.day.desc(), table.c.asker, table.c.answerer))
            return [
                Spent(Account(row.asker, row.answerer, row.purpose), row.day, row.elements) for row in rows
            ]

    def _open(self, connection: sa.Connection, account: Account, day: str) -> None:
        """Make an account's row; another connection may be making it at the same moment."""
        row = {
            "asker": account.asker,
            "answerer": account.answerer,
            "purpose": account.purpose,
            "day": day,
            "elements": 0,
        }
        with connection.begin_nested() as point:
            try:
                connection.execute(sa.insert(self._table).values(**row))
            except sa.exc.IntegrityError:
                point.rollback()

    def _spent(self, connection: sa.Connection, account: Account, day: str) -> int:
        query = sa.select(self._table.c.elements).where(*self._where(account, day))
        return connection.execute(query).scalar_one_or_none() or 0

    def _where(self, account: Account, day: str) -> list[sa.ColumnElement[bool]]:
        table = self._table
        return [
            table.c.asker == account.asker,
            table.c.answerer == account.answerer,
            table.c.purpose == account.purpose,
            table.c.day == day,
        ]


def _oldest(day: str) -> str:
    return (dt.date.fromisoformat(day) - dt.timedelta(days=DAYS_KEPT)).isoformat()
