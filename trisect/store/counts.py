"""What an answerer has told of counts: one answer for each asker, collection, purpose and budget day.

A second answer with noise of its own, or over a list that has changed by an entry, would tell more than the rulebook's
epsilon allows. So the first is told again, and none at all once somebody in the collection has taken a consent back.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass

import sqlalchemy as sa

from trisect.errors import ConflictError, DeniedError
from trisect.store.database import Database
from trisect.store.tables import collections, counts

RULE = "one-count-a-day"


@dataclass(frozen=True, slots=True)
class Counting:
    """What there is one answer for.

    Attributes:
        asker: who asks.
        collection: opaque id of the answerer's.
        purpose: of the exchange.
        day: the budget day (YYYY-MM-DD, UTC).
    """

    asker: str
    collection: str
    purpose: str
    day: str


class Counts:
    """The answers of one node. Called from threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def told(self, counting: Counting, asked_collection: str) -> int | None:
        """Give what was told before of this; None where nothing was.

        Raises:
            DeniedError: it was about another collection of the asker, or may not be told again.
        """
        with self._database.read() as connection:
            row = connection.execute(sa.select(counts).where(*_where(counting))).one_or_none()
        return None if row is None else _may_tell(row, asked_collection)

    def settle(
        self, counting: Counting, asked_collection: str, count: int, unchanged_since: int | None
    ) -> int:
        """Keep what is about to be told, unless something was; gives what is told. Durable when this returns.

        Args:
            counting: what it is an answer for.
            asked_collection: opaque id of the asker's.
            count: noised and rounded.
            unchanged_since: the version that the answerer's collection must still have, None where it may differ.

        Raises:
            DeniedError: as `told`.
            ConflictError: the collection has changed since.
        """
        with self._database.write() as connection:
            query = sa.select(collections.c.version).where(collections.c.public_id == counting.collection)
            # Nobody changes it before this is told (PostgreSQL; SQLite has one writer). Collections are locked first.
            query = query.with_for_update(key_share=True)
            version = connection.execute(query).scalar_one_or_none()
            if unchanged_since not in {None, version}:
                raise ConflictError(
                    "the answerer's collection changed while the count ran", hint="start the count again"
                )
            connection.execute(sa.delete(counts).where(counts.c.day < _day_before(counting.day)))
            with connection.begin_nested() as point:
                try:
                    kept = {"asked_collection": asked_collection, "count": count, "withdrawn": False}
                    connection.execute(sa.insert(counts).values(**asdict(counting), **kept))
                except sa.exc.IntegrityError:
                    point.rollback()  # told meanwhile, in an exchange beside this one
            row = connection.execute(sa.select(counts).where(*_where(counting))).one()
            return _may_tell(row, asked_collection)


def withdraw(connection: sa.Connection, changed: list[str]) -> None:
    """Let nothing be told again of collections (opaque ids) in which somebody has taken a consent back."""
    connection.execute(sa.update(counts).where(counts.c.collection.in_(changed)).values(withdrawn=True))


def _may_tell(row: sa.Row[tuple[object, ...]], asked_collection: str) -> int:
    if row.withdrawn:
        raise DeniedError(
            "this count was told today, and somebody in the collection has taken a consent back since",
            hint="count again after midnight UTC",
            rule=RULE,
        )
    if row.asked_collection != asked_collection:
        raise DeniedError(
            "today's count of that collection for this purpose was about another collection of yours",
            hint="count again after midnight UTC, or for another purpose",
            rule=RULE,
        )
    return int(row._mapping["count"])  # noqa: SLF001  (SQLAlchemy's documented name; `count` is a method of tuples)


def _day_before(day: str) -> str:
    return (dt.date.fromisoformat(day) - dt.timedelta(days=1)).isoformat()


def _where(counting: Counting) -> list[sa.ColumnElement[bool]]:
    return [counts.c[name] == value for name, value in asdict(counting).items()]
