"""How long hits are kept: as their terms say, and longer only under a legal hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from trisect.errors import ConflictError, NotFoundError
from trisect.store.database import Database
from trisect.store.tables import exchanges, hits, holds, snapshots


@dataclass(frozen=True, slots=True)
class Hold:
    """A legal hold on the hits of one exchange, and on what this end committed to in it.

    Attributes:
        exchange_id: which.
        placed_by: who has placed it.
        reason: why.
        until: when it ends by itself, RFC 3339.
        placed_at: when it was placed.
    """

    exchange_id: str
    placed_by: str
    reason: str
    until: str
    placed_at: str


class Retention:
    """Deletes hits of one node in time. Called from threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def expire(self, now: str) -> Sequence[str]:
        """Delete all hits whose retention has ended and that no hold keeps; gives the ids of their exchanges."""
        held = sa.select(holds.c.exchange_id).where(holds.c.until > now)
        due = sa.select(exchanges.c.id).where(
            exchanges.c.keep_until <= now,
            exchanges.c.hits_deleted_at.is_(None),
            exchanges.c.id.not_in(held),
        )
        with self._database.read() as connection:
            found = list(connection.execute(due).scalars())
        for exchange_id in found:
            with self._database.write() as connection:
                _drop(connection, [exchange_id], now)
                connection.execute(sa.delete(holds).where(holds.c.exchange_id == exchange_id))
        return found

    def drop(self, exchange_id: str, now: str) -> None:
        """Delete the hits of an exchange before their retention ends.

        Raises:
            NotFoundError: it has none here, or a legal hold keeps them.
        """
        with self._database.write() as connection:
            if not _drop(connection, [exchange_id], now):
                raise NotFoundError(
                    "that exchange has no hits here that could be dropped",
                    hint="`trisect exchange show` tells whether they are gone already, or held",
                )

    def hold(self, hold: Hold) -> None:
        """Place a legal hold on hits and on the snapshot of this end, in place of a former one.

        Raises:
            NotFoundError: there is no such exchange.
            ConflictError: neither is kept here any more, or ever was.
        """
        kept = sa.select(snapshots.c.root).where(snapshots.c.root == exchanges.c.snapshot).exists()
        with self._database.write() as connection:
            row = connection.execute(
                sa.select(exchanges.c.keep_until, exchanges.c.hits_deleted_at, kept.label("snapshot")).where(
                    exchanges.c.id == hold.exchange_id
                )
            ).one_or_none()
            if row is None:
                raise NotFoundError(
                    "there is no exchange of that id here", hint="`trisect exchange list` names all"
                )
            if (row.keep_until is None or row.hits_deleted_at is not None) and not row.snapshot:
                raise ConflictError(
                    "this exchange has no hits here that could be held, nor a snapshot",
                    hint="only what is still kept can be held; `trisect exchange show` tells",
                )
            connection.execute(sa.delete(holds).where(holds.c.exchange_id == hold.exchange_id))
            connection.execute(
                sa.insert(holds).values(
                    exchange_id=hold.exchange_id,
                    placed_by=hold.placed_by,
                    reason=hold.reason,
                    until=hold.until,
                    placed_at=hold.placed_at,
                )
            )

    def release(self, exchange_id: str) -> None:
        """End a legal hold; raises NotFoundError where there is none."""
        with self._database.write() as connection:
            gone = connection.execute(sa.delete(holds).where(holds.c.exchange_id == exchange_id))
            if not gone.rowcount:
                raise NotFoundError(
                    "no hold is on the hits of that exchange",
                    hint="`trisect exchange show` tells whether its hits are held",
                )

    def held(self, exchange_id: str) -> Hold | None:
        """Give the hold on an exchange's hits, None where there is none."""
        query = sa.select(holds).where(holds.c.exchange_id == exchange_id)
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
            return Hold(**row._asdict()) if row else None


def supersede(connection: sa.Connection, exchange_id: str, now: str) -> None:
    """Drop the stale hits of earlier matches that an exchange repeats; in the transaction that completes it."""
    new, old = exchanges.alias("new"), exchanges
    same = [old.c[name] == new.c[name] for name in ("peer", "public_id", "peer_collection", "purpose")]
    query = sa.select(old.c.id).where(new.c.id == exchange_id, *same, old.c.id != new.c.id, old.c.stale > 0)
    _drop(connection, list(connection.execute(query).scalars()), now)


def _drop(connection: sa.Connection, exchange_ids: Sequence[str], now: str) -> int:
    """Delete hits that no hold keeps; gives of how many exchanges."""
    held = sa.select(holds.c.exchange_id).where(holds.c.until > now)
    due = sa.and_(
        exchanges.c.id.in_(exchange_ids),
        exchanges.c.keep_until.is_not(None),
        exchanges.c.hits_deleted_at.is_(None),
        exchanges.c.id.not_in(held),
    )
    found = list(connection.execute(sa.select(exchanges.c.id).where(due)).scalars())
    connection.execute(sa.delete(hits).where(hits.c.exchange_id.in_(found)))
    connection.execute(sa.update(exchanges).where(exchanges.c.id.in_(found)).values(hits_deleted_at=now))
    return len(found)
