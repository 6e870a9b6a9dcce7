"""What a node remembers of its exchanges, and their hits.

An exchange moves offered -> running -> (asker) complete, or (answerer) unconfirmed -> complete, or ends as
refused, failed or cancelled. Hits and the end of an exchange are one transaction: there is no partial result.
"""

from __future__ import annotations

import enum
import threading
from collections.abc import Collection, Generator, Sequence
from dataclasses import dataclass, fields
from typing import Any

import sqlalchemy as sa

from trisect.errors import ConflictError, NotFoundError
from trisect.indicators.kinds import kind_of_number
from trisect.rules.offers import ANSWERER, ASKER
from trisect.store.database import Database
from trisect.store.retention import supersede
from trisect.store.tables import collections, entries, exchanges, hits

_IN_CLAUSE = 500
HITS_PAGE = 2_000


class Side(enum.StrEnum):
    """Which end of the exchange this node is."""

    ASKER = ASKER
    ANSWERER = ANSWERER


class InRecord(enum.IntEnum):
    """Whether the record has this end's receipt."""

    PENDING = 0
    YES = 1
    NEVER = 2


class ExchangeState(enum.StrEnum):
    """Where an exchange stands."""

    OFFERED = "offered"
    RUNNING = "running"
    UNCONFIRMED = "unconfirmed"
    COMPLETE = "complete"
    REFUSED = "refused"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether nothing follows."""
        return self not in _OPEN


_OPEN = {ExchangeState.OFFERED, ExchangeState.RUNNING, ExchangeState.UNCONFIRMED}


@dataclass(frozen=True, slots=True)
class Exchange:
    """One exchange as this end knows it; `error` is a serialised `ErrorDetail`."""

    id: str
    side: Side
    peer: str
    collection: str
    peer_collection: str
    purpose: str
    mode: str
    engine: str
    key_check: str
    state: ExchangeState
    asked: int
    asked_padded: int
    answered_padded: int
    started_at: str
    expires_at: str
    offer: bytes
    answer: bytes | None = None
    permit: bytes | None = None
    terms: bytes | None = None
    error: bytes | None = None
    matched: int | None = None
    counted: int | None = None
    rounded_to: int | None = None
    bytes_sent: int = 0
    bytes_received: int = 0
    seconds: float = 0.0
    public_id: str | None = None
    version: int | None = None
    stale: int | None = None
    stale_at: str | None = None
    keep_until: str | None = None
    hits_deleted_at: str | None = None
    own_receipt: bytes | None = None
    peer_receipt: bytes | None = None
    recorded: int | None = None
    snapshot: bytes | None = None


_FIELDS = [field.name for field in fields(Exchange)]


@dataclass(frozen=True, slots=True)
class HitRow:
    """One of the asker's own entries that matched."""

    exchange_id: str
    collection: str
    kind: str
    ref: str
    peer: str
    purpose: str
    seen_at: str


class Exchanges:
    """All exchanges of a node, newest first where listed."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._adding = threading.Lock()

    def add(self, exchange: Exchange) -> None:
        """Record a new exchange.

        Raises:
            ConflictError: its id has been used; offers are single-use.
        """
        with self._adding, self._database.write() as connection:
            known = connection.execute(
                sa.select(exchanges.c.id).where(exchanges.c.id == exchange.id)
            ).one_or_none()
            if known is not None:
                raise ConflictError(
                    "an offer with this id has come before; offers are single-use",
                    hint="start the match again, which makes a new offer",
                )
            newest = sa.select(sa.func.coalesce(sa.func.max(exchanges.c.number), 0) + 1).scalar_subquery()
            connection.execute(sa.insert(exchanges).values(number=newest, **_values(exchange)))

    def update(self, exchange_id: str, **changes: Any) -> Exchange:
        """Change fields of an exchange that has not ended.

        Raises:
            ConflictError: it has ended, so that nothing changes any more.
        """
        with self._database.write() as connection:
            return _update(connection, exchange_id, changes)

    def confirm(self, exchange_id: str, receipt: bytes) -> Exchange | None:
        """Complete an answerer's exchange with the asker's receipt; None where another call has done it.

        The receipt may come of itself while the asker is being asked for it.

        Raises:
            ConflictError: it has ended otherwise.
        """
        try:
            return self.update(exchange_id, state=ExchangeState.COMPLETE, peer_receipt=receipt)
        except ConflictError:
            if self.get(exchange_id).state is ExchangeState.COMPLETE:
                return None
            raise

    def give_up(self, exchange_id: str, state: ExchangeState, error: bytes, *, unconfirmed: bool) -> Exchange:
        """End an exchange without a result.

        Args:
            exchange_id: which.
            state: what it ends as.
            error: serialised `ErrorDetail`.
            unconfirmed: whether one may be ended whose asker may hold the result.

        Raises:
            ConflictError: it has ended, or is unconfirmed.
        """
        ending = _OPEN if unconfirmed else _OPEN - {ExchangeState.UNCONFIRMED}
        with self._database.write() as connection:
            return _update(connection, exchange_id, {"state": state, "error": error}, ending)

    def complete(self, exchange_id: str, tokens: Sequence[bytes], *, now: str, **changes: Any) -> Exchange:
        """End an asker's match with its hits, all or nothing; stale hits of earlier ones that it repeats go.

        Entries that were deleted while it ran, as when their retention ended, are no hits and are not counted.

        Args:
            exchange_id: which.
            tokens: the asker's matched tokens, of the epoch that its entries are stored in.
            now: the time, RFC 3339.
            changes: further fields to set.

        Raises:
            ConflictError: the exchange has ended, or its collection is gone.
        """
        asked = sa.select(collections.c.id).join(exchanges, exchanges.c.public_id == collections.c.public_id)
        with self._database.write() as connection:
            mine = connection.execute(asked.where(exchanges.c.id == exchange_id)).scalar_one_or_none()
            for at in range(0, len(tokens), _IN_CLAUSE):
                found = sa.select(
                    sa.literal(exchange_id), entries.c.token, entries.c.epoch, entries.c.kind, entries.c.ref
                ).where(entries.c.collection_id == mine, entries.c.token.in_(tokens[at : at + _IN_CLAUSE]))
                connection.execute(
                    sa.insert(hits).from_select(["exchange_id", "token", "epoch", "kind", "ref"], found)
                )
            count = sa.select(sa.func.count()).where(hits.c.exchange_id == exchange_id)
            matched = connection.execute(count).scalar_one()
            ended = {"state": ExchangeState.COMPLETE, "matched": matched, **changes}
            done = _update(connection, exchange_id, ended)
            if mine is None:
                raise ConflictError(
                    f"collection {done.collection} was deleted while its match ran",
                    hint="start the match anew",
                )
            supersede(connection, exchange_id, now)
            return done

    def permits_since(self, moment: str) -> Sequence[bytes]:
        """List the permits under which this end has asked since a moment."""
        query = sa.select(exchanges.c.permit).where(
            exchanges.c.side == Side.ASKER.value,
            exchanges.c.permit.is_not(None),
            exchanges.c.started_at >= moment,
        )
        with self._database.read() as connection:
            return list(connection.execute(query).scalars())

    def get(self, exchange_id: str) -> Exchange:
        """Look an exchange up; raises NotFoundError."""
        with self._database.read() as connection:
            row = connection.execute(sa.select(exchanges).where(exchanges.c.id == exchange_id)).one_or_none()
        if row is None:
            raise NotFoundError(
                "there is no exchange of that id here", hint="`trisect exchange list` names all"
            )
        return _exchange(row)

    def list(self, *, limit: int = 50) -> Sequence[Exchange]:
        """List the newest exchanges."""
        query = sa.select(exchanges).order_by(exchanges.c.number.desc()).limit(limit)
        with self._database.read() as connection:
            return [_exchange(row) for row in connection.execute(query)]

    def open(self) -> Sequence[Exchange]:
        """List the exchanges that have not ended."""
        query = sa.select(exchanges).where(exchanges.c.state.in_([state.value for state in _OPEN]))
        with self._database.read() as connection:
            return [_exchange(row) for row in connection.execute(query)]

    def unsettled(self) -> Sequence[Exchange]:
        """List the answered exchanges that are unconfirmed, and the asked ones without the peer's receipt."""
        unconfirmed = exchanges.c.state == ExchangeState.UNCONFIRMED.value
        unreceipted = sa.and_(
            exchanges.c.side == Side.ASKER.value,
            exchanges.c.state == ExchangeState.COMPLETE.value,
            exchanges.c.peer_receipt.is_(None),
        )
        with self._database.read() as connection:
            query = sa.select(exchanges).where(sa.or_(unconfirmed, unreceipted))
            return [_exchange(row) for row in connection.execute(query)]

    def unrecorded(self, before: str) -> Sequence[Exchange]:
        """List the exchanges whose receipt of this end is not known to be in the record, complete or begun before a moment."""
        complete = exchanges.c.state == ExchangeState.COMPLETE.value
        waiting = sa.and_(
            exchanges.c.state == ExchangeState.UNCONFIRMED.value, exchanges.c.started_at < before
        )
        query = sa.select(exchanges).where(
            exchanges.c.recorded == InRecord.PENDING.value, sa.or_(complete, waiting)
        )
        with self._database.read() as connection:
            return [_exchange(row) for row in connection.execute(query.order_by(exchanges.c.number))]

    def set_recorded(self, exchange_id: str, recorded: InRecord) -> None:
        """Remember whether the record has this end's receipt of an exchange, or never will."""
        with self._database.write() as connection:
            connection.execute(
                sa.update(exchanges).where(exchanges.c.id == exchange_id).values(recorded=recorded.value)
            )

    def set_peer_receipt(self, exchange_id: str, receipt: bytes) -> None:
        """Keep the peer's receipt for an exchange that is complete here."""
        with self._database.write() as connection:
            connection.execute(
                sa.update(exchanges)
                .where(exchanges.c.id == exchange_id, exchanges.c.peer_receipt.is_(None))
                .values(peer_receipt=receipt)
            )

    def hits(self, exchange_id: str | None) -> Generator[Sequence[HitRow], None, None]:
        """Page through the hits of one exchange or of all, oldest exchange first."""
        query = (
            sa.select(
                exchanges.c.id,
                exchanges.c.collection,
                hits.c.kind,
                hits.c.ref,
                exchanges.c.peer,
                exchanges.c.purpose,
                exchanges.c.started_at,
            )
            .join(exchanges, exchanges.c.id == hits.c.exchange_id)
            .order_by(exchanges.c.number, hits.c.ref, hits.c.kind)
        )
        if exchange_id is not None:
            query = query.where(exchanges.c.id == exchange_id)
        with self._database.read() as connection:
            rows = connection.execution_options(yield_per=HITS_PAGE).execute(query)
            for page in rows.partitions():
                yield [HitRow(row[0], row[1], kind_of_number(row[2]).value, *row[3:]) for row in page]


def _update(
    connection: sa.Connection,
    exchange_id: str,
    changes: dict[str, Any],
    states: Collection[ExchangeState] = _OPEN,
) -> Exchange:
    row = connection.execute(
        sa.update(exchanges)
        .where(exchanges.c.id == exchange_id, exchanges.c.state.in_([state.value for state in states]))
        .values(**{name: _plain(value) for name, value in changes.items()})
        .returning(*exchanges.c)
    ).one_or_none()
    if row is None:
        raise ConflictError("the exchange has ended already", hint="`trisect exchange show` tells how")
    return _exchange(row)


def _values(exchange: Exchange) -> dict[str, Any]:
    return {name: _plain(getattr(exchange, name)) for name in _FIELDS}


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, enum.Enum) else value


def _exchange(row: sa.Row[tuple[object, ...]]) -> Exchange:
    found = row._mapping  # noqa: SLF001  (SQLAlchemy's documented name)
    values = {name: found[name] for name in _FIELDS}
    return Exchange(**values | {"side": Side(values["side"]), "state": ExchangeState(values["state"])})
