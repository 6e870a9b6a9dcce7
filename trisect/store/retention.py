"""How long hits are kept: as their terms say, and longer only under a legal hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from trisect.errors import ConflictError, NotFoundError
from trisect.store.database import Database
from trisect.store.tables import exchanges, hits, holds


@dataclass(frozen=True, slots=True)
class Hold:
    """A legal hold on the hits of one exchange.

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
                connection.execute(sa.delete(hits).where(hits.c.exchange_id == exchange_id))
                connection.execute(sa.delete(holds).where(holds.c.exchange_id == exchange_id))
                connection.execute(
                    sa.update(exchanges).where(exchanges.c.id == exchange_id).values(hits_deleted_at=now)
                )
        return found

    def hold(self, hold: Hold) -> None:
        """Place a legal hold, in place of a former one.

        Raises:
            NotFoundError: there is no such exchange.
            ConflictError: its hits are gone already, or it has none to keep.
        """
        with self._database.write() as connection:
            row = connection.execute(
                sa.select(exchanges.c.keep_until, exchanges.c.hits_deleted_at).where(
                    exchanges.c.id == hold.exchange_id
                )
            ).one_or_none()
            if row is None:
                raise NotFoundError(
                    "there is no exchange of that id here", hint="`trisect exchange list` names all"
                )
            if row.keep_until is None or row.hits_deleted_at is not None:
                raise ConflictError(
                    "this exchange has no hits here that could be held",
                    hint="only hits that are still kept can be held; `trisect exchange show` tells",
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
