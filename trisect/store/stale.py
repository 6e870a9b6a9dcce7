"""Hits that have gone stale: an entry of the answerer's snapshot was contested, lifted, retracted or revoked since.

The answerer cannot know which entries matched, so it counts what has left its list since each snapshot and tells the
asker how many; the asker keeps that with its exchange until it has dropped the hits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import sqlalchemy as sa

from trisect.rules.vocabulary import Mode
from trisect.store.database import Database
from trisect.store.exchanges import ExchangeState, Side
from trisect.store.tables import collections, entries, exchanges, stale_hits

_RAN = (ExchangeState.COMPLETE.value, ExchangeState.UNCONFIRMED.value)
_ANSWERED = sa.and_(exchanges.c.side == Side.ANSWERER.value, exchanges.c.mode == Mode.MATCH.value)


@dataclass(frozen=True, slots=True)
class Stale:
    """What an answerer tells of one exchange.

    Attributes:
        offer: the asker's signed offer.
        count: entries that have left the list since its snapshot, at most so many of them matched.
        told: of how many the asker has taken note.
        since: when it did so first; while it did not, when the first was found.
        kept: whether the asker may keep hits: it has not said that they are dropped, and their time is not over.
        filed: the count that stands in the record, 0 where none does.
    """

    exchange_id: str
    peer: str
    offer: bytes
    count: int
    told: int
    since: str
    kept: bool
    filed: int


class StaleHits:
    """Both sides of one node. Called from threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def askers(self, after: str) -> Sequence[str]:
        """List who has matched lists here since a time."""
        query = sa.select(exchanges.c.peer).distinct()
        query = query.where(_ANSWERED, exchanges.c.state.in_(_RAN), exchanges.c.started_at > after)
        with self._database.read() as connection:
            return connection.execute(query).scalars().all()

    def look(self, *, after: str, now: str) -> int:
        """Count what has left since the snapshots of matches that began after a time; gives how many are new."""
        new, due = 0, self._due(after)
        if not due:
            return new
        counts: dict[tuple[int, int], int] = {}  # exchanges of one snapshot share it
        with self._database.write() as connection:
            for row in due:
                snapshot = (row.collection_id, row.version)
                if snapshot not in counts:
                    counts[snapshot] = _gone(connection, *snapshot)
                count, known = counts[snapshot], row.known
                mine = stale_hits.c.exchange_id == row.id
                if known is None:
                    connection.execute(
                        sa.insert(stale_hits).values(
                            exchange_id=row.id, version=row.newest, count=count, told=0, since=now, filed=0
                        )
                    )
                else:
                    changes = {"version": row.newest, "count": max(count, known)}
                    if not known:
                        changes["since"] = now
                    connection.execute(sa.update(stale_hits).where(mine).values(**changes))
                new += count > (known or 0)
        return new

    def _due(self, after: str) -> Sequence[Any]:
        """List the answered matches whose collection has changed since they were last looked at."""
        looked = sa.func.coalesce(stale_hits.c.version, exchanges.c.version)
        query = (
            sa.select(
                exchanges.c.id,
                exchanges.c.version,
                collections.c.id.label("collection_id"),
                collections.c.version.label("newest"),
                stale_hits.c.count.label("known"),
            )
            .join(collections, collections.c.public_id == exchanges.c.public_id)
            .outerjoin(stale_hits, stale_hits.c.exchange_id == exchanges.c.id)
            .where(
                _ANSWERED,
                exchanges.c.state.in_(_RAN),
                exchanges.c.started_at > after,
                stale_hits.c.dropped_at.is_(None),
                looked < collections.c.version,
            )
        )
        with self._database.read() as connection:
            return connection.execute(query).all()

    def unsettled(self, after: str) -> Sequence[Stale]:
        """List the exchanges whose asker keeps hits that may be stale, and those that the record still says so of.

        Args:
            after: hits of matches that began before are deleted, by every rulebook that was in force.
        """
        kept = sa.and_(
            stale_hits.c.count > 0,
            stale_hits.c.dropped_at.is_(None),
            exchanges.c.state.in_(_RAN),
            exchanges.c.started_at > after,
        ).label("kept")
        query = (
            sa.select(stale_hits, exchanges.c.peer, exchanges.c.offer, kept)
            .join(exchanges, exchanges.c.id == stale_hits.c.exchange_id)
            .where(sa.or_(kept, stale_hits.c.filed > 0))
            .order_by(stale_hits.c.since, stale_hits.c.exchange_id)
        )
        names = [field.name for field in fields(Stale)]
        with self._database.read() as connection:
            rows = connection.execute(query).mappings()
            return [Stale(**{name: row[name] for name in names}) for row in rows]

    def told(self, exchange_id: str, count: int, dropped_at: str | None, now: str) -> None:
        """Keep that an asker has taken note of so many, and since when it has dropped its hits.

        Its time to drop them begins when it is told first.
        """
        since = sa.case((stale_hits.c.told == 0, now), else_=stale_hits.c.since)
        self._change(exchange_id, told=count, dropped_at=dropped_at, since=since)

    def filed(self, exchange_id: str, count: int) -> None:
        """Keep what stands in the record."""
        self._change(exchange_id, filed=count)

    def _change(self, exchange_id: str, **changes: object) -> None:
        with self._database.write() as connection:
            connection.execute(
                sa.update(stale_hits).where(stale_hits.c.exchange_id == exchange_id).values(**changes)
            )

    def heard(self, exchange_id: str, count: int, now: str) -> str | None:
        """As the asker, keep what the answerer tells; gives when the hits were dropped, None while they are kept."""
        mine = exchanges.c.id == exchange_id
        query = sa.select(exchanges.c.stale, exchanges.c.hits_deleted_at).where(mine)
        with self._database.read() as connection:
            row = connection.execute(query).one()
        if row.hits_deleted_at is not None or count <= (
            row.stale or 0
        ):  # whoever repeats itself costs no write
            return row.hits_deleted_at  # type: ignore[no-any-return]  # a column of text
        with self._database.write() as connection:
            row = connection.execute(query).one()
            if row.hits_deleted_at is None and count > (row.stale or 0):
                connection.execute(
                    sa.update(exchanges)
                    .where(mine)
                    .values(stale=count, stale_at=sa.func.coalesce(exchanges.c.stale_at, now))
                )
            found: str | None = row.hits_deleted_at
            return found


def _gone(connection: sa.Connection, collection_id: int, version: int) -> int:
    """Count the entries that a snapshot of that version held and that have left since."""
    gone = sa.select(sa.func.count()).where(
        entries.c.collection_id == collection_id,
        entries.c.gone_since > version,
        entries.c.active_since <= version,
    )
    return int(connection.execute(gone).scalar_one())
