"""Hits that have gone stale: an entry of the answerer's snapshot was contested, lifted, retracted or revoked since.

The answerer cannot know which entries matched, so it counts what has left its list since each snapshot and tells the
asker how many; the asker keeps that with its exchange until it has dropped the hits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from trisect.rules.vocabulary import Mode
from trisect.store.database import Database
from trisect.store.exchanges import ExchangeState, Side
from trisect.store.tables import collections, entries, exchanges, stale_hits


@dataclass(frozen=True, slots=True)
class Stale:
    """What an answerer tells of one exchange.

    Attributes:
        count: entries that have left the list since its snapshot, at most so many of them matched.
        told: of how many the asker has been told.
        since: when the asker was told first; while it was not, when the first was found.
        dropped_at: when the asker has dropped its hits, by its own word; None while it keeps them.
        filed: the count that stands in the record, 0 where none does.
    """

    exchange_id: str
    count: int
    told: int
    since: str
    dropped_at: str | None
    filed: int


class StaleHits:
    """Both sides of one node. Called from threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def look(self, *, after: str, now: str) -> int:
        """Count what has left since the snapshots of matches that began after a time; gives how many are new."""
        new = 0
        for row in self._due(after):
            gone = sa.select(sa.func.count()).where(
                entries.c.collection_id == row.collection_id,
                entries.c.gone_since > row.version,
                entries.c.active_since <= row.version,
            )
            with self._database.write() as connection:
                count = connection.execute(gone).scalar_one()
                mine = stale_hits.c.exchange_id == row.id
                known = connection.execute(sa.select(stale_hits.c.count).where(mine)).scalar_one_or_none()
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
            )
            .join(collections, collections.c.public_id == exchanges.c.public_id)
            .outerjoin(stale_hits, stale_hits.c.exchange_id == exchanges.c.id)
            .where(
                exchanges.c.side == Side.ANSWERER.value,
                exchanges.c.mode == Mode.MATCH.value,
                exchanges.c.state.in_([ExchangeState.COMPLETE.value, ExchangeState.UNCONFIRMED.value]),
                exchanges.c.started_at > after,
                stale_hits.c.dropped_at.is_(None),
                looked < collections.c.version,
            )
        )
        with self._database.read() as connection:
            return connection.execute(query).all()

    def unsettled(self) -> Sequence[Stale]:
        """List the exchanges whose asker keeps hits that may be stale, and those that the record still says so of."""
        open_ = sa.and_(stale_hits.c.count > 0, stale_hits.c.dropped_at.is_(None))
        query = sa.select(stale_hits).where(sa.or_(open_, stale_hits.c.filed > 0))
        with self._database.read() as connection:
            return [
                Stale(row.exchange_id, row._mapping["count"], row.told, row.since, row.dropped_at, row.filed)  # noqa: SLF001
                for row in connection.execute(query)
            ]

    def told(self, exchange_id: str, count: int, dropped_at: str | None, now: str) -> None:
        """Keep that an asker has been told of so many, and since when it has dropped its hits.

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
        with self._database.write() as connection:
            row = connection.execute(
                sa.select(exchanges.c.stale, exchanges.c.hits_deleted_at).where(mine)
            ).one()
            if row.hits_deleted_at is None and count > (row.stale or 0):
                connection.execute(
                    sa.update(exchanges)
                    .where(mine)
                    .values(stale=count, stale_at=sa.func.coalesce(exchanges.c.stale_at, now))
                )
            found: str | None = row.hits_deleted_at
            return found
