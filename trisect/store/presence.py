"""When entries are in force: their states, and from which version of their collection to which.

A snapshot of version v held an entry that has been active since v or before, and is gone since a later version, if at
all. An entry that is kept on consent was in it only if its person consented, so what is gone counts at most.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from trisect.indicators.labels import State
from trisect.store.database import Database
from trisect.store.tables import collections, entries

STATE_NUMBERS = {State.ACTIVE: 0, State.CONTESTED: 1, State.EXPIRED: 2, State.RETRACTED: 3, State.LIFTED: 5}
ACTIVE, RETRACTED = STATE_NUMBERS[State.ACTIVE], STATE_NUMBERS[State.RETRACTED]
_CONTESTED, _LIFTED = STATE_NUMBERS[State.CONTESTED], STATE_NUMBERS[State.LIFTED]
BATCH = 5_000
"""Entries that one transaction deletes."""
STAGED = 4
"""State of a row that a `--replace` has brought and that counts only when the whole file is there."""


def to_state(state: State, version: int, now: str) -> dict[str, Any]:
    """Give what entries are written with that change their state with a version of their collection, `now`."""
    contested_at = sa.func.coalesce(entries.c.contested_at, now) if state is State.CONTESTED else None
    moved = entering(version) if state is State.ACTIVE else leaving(version)
    number: Any = STATE_NUMBERS[state]
    if state is State.RETRACTED:  # that ends a contest too; and no import lists again what was contested
        number = sa.case((entries.c.state.in_((_LIFTED, _CONTESTED)), _LIFTED), else_=RETRACTED)
    return {**moved, "state": number, "contested_at": contested_at}


def entering(version: int) -> dict[str, Any]:
    """Give what entries are written with that come into force."""
    return {"active_since": version, "gone_since": None}


def leaving(version: int) -> dict[str, Any]:
    """Give what entries are written with that leave; those that were not active had left before.

    One that is active leaves now, even if it has a version already: of two consents only one may have been taken back.
    """
    return {"gone_since": sa.case((entries.c.state == ACTIVE, version), else_=entries.c.gone_since)}


def come_back(connection: sa.Connection, which: sa.ColumnElement[bool]) -> None:
    """Note that active entries which could not be used may be used again."""
    version = sa.select(collections.c.version).where(collections.c.id == entries.c.collection_id)
    gone = sa.and_(which, entries.c.state == ACTIVE, entries.c.gone_since.is_not(None))
    moved = {"active_since": version.scalar_subquery(), "gone_since": None}
    connection.execute(sa.update(entries).where(gone).values(**moved))


def hold(connection: sa.Connection, which: sa.ColumnElement[bool]) -> None:
    """Lock collections before their entries, in one order, so that two writers never wait for each other (PostgreSQL)."""
    query = sa.select(collections.c.id).where(which).order_by(collections.c.id)
    connection.execute(query.with_for_update(key_share=True)).all()


def bump(connection: sa.Connection, collection_id: int) -> int:
    """Raise a collection's version; gives the new one."""
    raised = sa.update(collections).where(collections.c.id == collection_id)
    raised = raised.values(version=collections.c.version + 1)
    return int(connection.execute(raised.returning(collections.c.version)).scalar_one())


class Lapsing:
    """Entries of one node whose time is over. Called from threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def expire(self, today: int) -> dict[str, int]:
        """Delete the entries that have been kept for their collection's retention; gives how many, by collection.

        Args:
            today: in days since 1970-01-01 (UTC).
        """
        gone = {}
        with self._database.read() as connection:
            query = sa.select(collections.c.id, collections.c.name, collections.c.retention_days)
            found = connection.execute(query).all()
        for one in found:
            due = sa.and_(
                entries.c.collection_id == one.id, entries.c.listed_on <= today - one.retention_days
            )
            if count := self._expire(one.id, due):
                gone[one.name] = count
        return gone

    def _expire(self, collection_id: int, due: sa.ColumnElement[bool]) -> int:
        """Delete in small transactions, so that nobody waits long for the database; gives how many."""
        gone = 0
        some = sa.select(entries.c.token).where(due).limit(BATCH)
        with self._database.read() as connection:
            if connection.execute(some.limit(1)).first() is None:
                return gone
        while True:
            mine = sa.and_(entries.c.collection_id == collection_id, entries.c.token.in_(some))
            with self._database.write() as connection:
                hold(connection, collections.c.id == collection_id)
                count = connection.execute(sa.delete(entries).where(mine)).rowcount
                if count:
                    bump(connection, collection_id)
            if not count:
                return gone
            gone += count

    def oldest(self, collection_id: int) -> int | None:
        """Tell on which day the oldest entry of a collection was listed last; None where it has none."""
        query = sa.select(sa.func.min(entries.c.listed_on)).where(entries.c.collection_id == collection_id)
        with self._database.read() as connection:
            found: int | None = connection.execute(query).scalar_one()
            return found

    def lapse(self, before: str) -> dict[str, int]:
        """Lift what was contested before a time (RFC 3339) and is undecided; gives how many, by collection."""
        due = sa.and_(entries.c.state == _CONTESTED, entries.c.contested_at <= before)
        owners = sa.select(entries.c.collection_id).distinct().where(due)
        query = sa.select(collections.c.id, collections.c.name).where(collections.c.id.in_(owners))
        with self._database.read() as connection:
            if not (found := connection.execute(query).all()):
                return {}
        lapsed = {}
        with self._database.write() as connection:
            for one in found:
                moved = to_state(State.LIFTED, bump(connection, one.id), before)
                mine = sa.and_(due, entries.c.collection_id == one.id)
                lapsed[one.name] = connection.execute(sa.update(entries).where(mine).values(**moved)).rowcount
        return lapsed
