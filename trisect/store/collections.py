"""A node's named lists: what they are, with whom they are shared, and their entries.

Not here: the import of many rows (`trisect.store.intake`) and pepper rotation (`trisect.store.rolling`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from trisect.errors import ConflictError, NotFoundError
from trisect.indicators.kinds import Kind, kind_of_number
from trisect.indicators.labels import Channel, State
from trisect.indicators.tokens import Token
from trisect.rules.vocabulary import on_consent
from trisect.store import presence
from trisect.store.consents import Use
from trisect.store.database import Database
from trisect.store.presence import STAGED, STATE_NUMBERS, bump
from trisect.store.tables import collections, entries, imports, rejects, sharings, suppressions

LABEL_FIELDS = ("channel", "category", "fraud_role", "ai_technique")
"""Fields of a label that are counted."""
_ACTIVE = STATE_NUMBERS[State.ACTIVE]
_STATES = {number: state for state, number in STATE_NUMBERS.items()}


@dataclass(frozen=True, slots=True)
class Collection:
    """One collection. `public_id` is what others see of it; `version` rises with every change."""

    id: int
    public_id: str
    name: str
    source: str
    legal_basis: str
    retention_days: int
    created_at: str
    version: int
    generation: int


@dataclass(frozen=True, slots=True)
class SharingRow:
    """With whom (a party's name, `role:ROLE` or `all`), for what purpose and in which mode, on which signed terms."""

    recipient: str
    purpose: str
    mode: str
    terms: bytes | None = None


@dataclass(frozen=True, slots=True)
class EntryRow:
    """What a collection says about one indicator, without the token."""

    collection: str
    kind: str
    ref: str
    state: State
    category: str
    fraud_role: str
    channel: str
    ai_technique: str
    confidence: int | None
    first_seen: str
    last_seen: str
    contested_at: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The active tokens of one collection at one moment, 32 bytes each in ascending order, one after the other.

    Attributes:
        consents: the consent epochs that were known before it was taken, where it is kept on consent.
    """

    collection: Collection
    epoch: int
    tokens: bytes
    kinds: frozenset[Kind]
    consents: str = ""

    @property
    def size(self) -> int:
        """How many tokens there are."""
        return len(self.tokens) // 32


class Collections:
    """Collections, sharings and single entries."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(
        self,
        name: str,
        *,
        public_id: str,
        source: str,
        legal_basis: str,
        retention_days: int,
        created_at: str,
    ) -> Collection:
        """Make a collection, or give the one of that name as it is."""
        with self._database.write() as connection:
            found = _find(connection, name)
            if found is not None:
                return found
            connection.execute(
                sa.insert(collections).values(
                    name=name,
                    public_id=public_id,
                    source=source,
                    legal_basis=legal_basis,
                    retention_days=retention_days,
                    created_at=created_at,
                    version=0,
                    generation=0,
                )
            )
            return _require(connection, name)

    def get(self, name: str) -> Collection:
        """Look a collection up; raises NotFoundError."""
        with self._database.read() as connection:
            return _require(connection, name)

    def list(self) -> Sequence[tuple[Collection, int, int]]:
        """List all collections by name, each with its numbers of active and of retracted entries."""
        is_active = entries.c.state == _ACTIVE
        is_retracted = entries.c.state == STATE_NUMBERS[State.RETRACTED]
        counts = (
            sa.select(
                entries.c.collection_id,
                sa.func.sum(sa.case((is_active, 1), else_=0)).label("active"),
                sa.func.sum(sa.case((is_retracted, 1), else_=0)).label("retracted"),
            )
            .group_by(entries.c.collection_id)
            .subquery()
        )
        query = (
            sa.select(collections, counts.c.active, counts.c.retracted)
            .outerjoin(counts, counts.c.collection_id == collections.c.id)
            .order_by(collections.c.name)
        )
        with self._database.read() as connection:
            found = []
            for row in connection.execute(query):
                fields = row._asdict()
                active, retracted = fields.pop("active") or 0, fields.pop("retracted") or 0
                found.append((Collection(**fields), int(active), int(retracted)))
            return found

    def delete(self, name: str) -> int:
        """Delete a collection with all it holds; gives the number of entries that went."""
        with self._database.write() as connection:
            found = _require(connection, name)
            running = sa.select(imports.c.id).where(imports.c.collection_id == found.id)
            connection.execute(sa.delete(rejects).where(rejects.c.import_id.in_(running)))
            connection.execute(sa.delete(imports).where(imports.c.collection_id == found.id))
            connection.execute(sa.delete(sharings).where(sharings.c.collection_id == found.id))
            gone = connection.execute(sa.delete(entries).where(entries.c.collection_id == found.id)).rowcount
            connection.execute(sa.delete(collections).where(collections.c.id == found.id))
            return gone

    def sharings(self, name: str) -> Sequence[SharingRow]:
        """List with whom a collection is shared."""
        with self._database.read() as connection:
            found = _require(connection, name)
            rows = connection.execute(
                sa.select(sharings.c.recipient, sharings.c.purpose, sharings.c.mode, sharings.c.terms)
                .where(sharings.c.collection_id == found.id)
                .order_by(sharings.c.recipient, sharings.c.purpose, sharings.c.mode)
            )
            return [SharingRow(*row) for row in rows]

    def share(self, name: str, rows: Sequence[SharingRow]) -> None:
        """Add sharings; what is shared already is shared on the new terms."""
        with self._database.write() as connection:
            found = _require(connection, name)
            for row in rows:
                connection.execute(sa.delete(sharings).where(*_sharing_key(found.id, row)))
                connection.execute(
                    sa.insert(sharings).values(
                        collection_id=found.id,
                        recipient=row.recipient,
                        purpose=row.purpose,
                        mode=row.mode,
                        terms=row.terms,
                    )
                )

    def unshare(self, name: str, recipient: str, purpose: str | None) -> int:
        """Take sharings back, for one purpose or for all; gives how many there were."""
        with self._database.write() as connection:
            found = _require(connection, name)
            where = [sharings.c.collection_id == found.id, sharings.c.recipient == recipient]
            if purpose is not None:
                where.append(sharings.c.purpose == purpose)
            return connection.execute(sa.delete(sharings).where(*where)).rowcount

    def snapshot(self, name: str, use: Use, *, epoch: int) -> Snapshot:
        """Read all tokens of a collection that may be used, at one moment.

        Raises:
            NotFoundError: no such collection.
            ConflictError: some entry has not yet been rolled to this pepper epoch.
        """
        with self._database.read() as connection:
            found = _require(connection, name)
            mine = entries.c.collection_id == found.id
            rolling = (sa.and_(mine, entries.c.epoch != epoch), suppressions.c.epoch != epoch)
            for behind in rolling:
                if connection.execute(sa.select(sa.literal(1)).where(behind).limit(1)).first() is not None:
                    raise ConflictError(
                        "the collection is being rolled to another pepper epoch", hint="try again in a moment"
                    )
            query = sa.select(entries.c.token).where(_usable(found, use)).order_by(entries.c.token)
            rows = connection.execution_options(yield_per=10_000).execute(query).scalars()
            tokens = bytearray()
            for some in rows.partitions():
                tokens += b"".join(some)
            return Snapshot(found, epoch, bytes(tokens), _kinds(connection, _usable(found, use)))

    def kinds(self, name: str) -> frozenset[Kind]:
        """Tell of what kinds the active entries of a collection are."""
        with self._database.read() as connection:
            return _kinds(connection, _active(_require(connection, name)))

    def labels(self, name: str, channel: Channel | None = None) -> Mapping[str, Mapping[str, int]]:
        """Count what the active entries of a collection say, by field and value; nothing said is empty.

        Args:
            name: of the collection.
            channel: count only entries that name it.
        """
        found: dict[str, dict[str, int]] = {}
        with self._database.read() as connection:
            mine = _active(_require(connection, name))
            if channel is not None:
                mine = sa.and_(mine, entries.c.channel == channel.value)
            for field in LABEL_FIELDS:
                column = sa.func.coalesce(entries.c[field], "")
                query = sa.select(column, sa.func.count()).where(mine).group_by(column).order_by(column)
                found[field] = {value: count for value, count in connection.execute(query)}  # noqa: C416  (rows are no pairs to mypy)
        return found

    def still_usable(self, snapshot: Snapshot, use: Use, climb: Callable[[Token], Token]) -> bool:
        """Tell whether everybody whose indicators are in a snapshot still consents; always so on another basis.

        Args:
            snapshot: as it was taken.
            use: what it is used for, at this moment.
            climb: gives a token of the snapshot as it is after a rotation since.
        """
        if not on_consent(snapshot.collection.legal_basis):
            return True
        query = sa.select(entries.c.token).where(_usable(snapshot.collection, use))
        with self._database.read() as connection:
            usable = frozenset(connection.execute(query).scalars())
        size = len(snapshot.tokens)
        return all(climb(Token(snapshot.tokens[at : at + 32])) in usable for at in range(0, size, 32))

    def entries_of(self, token: Token) -> Sequence[EntryRow]:
        """List what every collection says about a token."""
        return self._entries(entries.c.token == token)

    def entries_by_ref(self, name: str, ref: str) -> Sequence[EntryRow]:
        """List the entries of a collection with a reference."""
        return self._entries(collections.c.name == name, entries.c.ref == ref)

    def set_state(
        self,
        name: str,
        state: State,
        *,
        token: Token | None = None,
        ref: str | None = None,
        only: State | None = None,
        now: str,
    ) -> Sequence[EntryRow]:
        """Change the state of the entries of a collection with that token or that reference, `now` (RFC 3339).

        Raises:
            NotFoundError: there is none.
            ConflictError: none of them has the state that they must `only` have before.
        """
        chosen = entries.c.token == token if token is not None else entries.c.ref == ref
        with self._database.write() as connection:
            found = _require(connection, name)
            there = sa.and_(entries.c.collection_id == found.id, chosen, entries.c.state != STAGED)
            before = sa.true() if only is None else entries.c.state == STATE_NUMBERS[only]
            moved = presence.to_state(state, bump(connection, found.id), now)
            changed = connection.execute(sa.update(entries).where(there, before).values(**moved))
            if not changed.rowcount:
                if connection.execute(sa.select(entries.c.token).where(there).limit(1)).first():
                    raise ConflictError(
                        f"that entry of collection {name} is not {only}",
                        hint="`trisect entry show` tells its state; `trisect entry add` lists what was lifted anew",
                    )
                raise NotFoundError(
                    f"collection {name} has no such entry",
                    hint="check spelling, kind and collection; it may have been retracted",
                )
        return self._entries(collections.c.name == name, chosen)

    def _entries(self, *where: sa.ColumnElement[bool]) -> Sequence[EntryRow]:
        query = (
            sa.select(entries, collections.c.name)
            .join(collections, collections.c.id == entries.c.collection_id)
            .where(*where, entries.c.state != STAGED)
            .order_by(collections.c.name, entries.c.ref)
            .limit(1_000)
        )
        with self._database.read() as connection:
            return [_entry_row(row) for row in connection.execute(query)]


def _active(collection: Collection) -> sa.ColumnElement[bool]:
    return sa.and_(entries.c.collection_id == collection.id, entries.c.state == _ACTIVE)


def _usable(collection: Collection, use: Use) -> sa.ColumnElement[bool]:
    """Give the condition under which an entry of a collection enters a snapshot."""
    active = _active(collection)
    return sa.and_(active, use.allows_entry()) if on_consent(collection.legal_basis) else active


def _kinds(connection: sa.Connection, which: sa.ColumnElement[bool]) -> frozenset[Kind]:
    numbers = connection.execute(sa.select(entries.c.kind).distinct().where(which)).scalars()
    return frozenset(kind_of_number(number) for number in numbers)


def _find(connection: sa.Connection, name: str) -> Collection | None:
    row = connection.execute(sa.select(collections).where(collections.c.name == name)).one_or_none()
    return Collection(**row._asdict()) if row else None


def _require(connection: sa.Connection, name: str) -> Collection:
    found = _find(connection, name)
    if found is None:
        raise NotFoundError(
            "there is no collection of that name here", hint="`trisect collection list` names all"
        )
    return found


def _sharing_key(collection_id: int, row: SharingRow) -> list[sa.ColumnElement[bool]]:
    return [
        sharings.c.collection_id == collection_id,
        sharings.c.recipient == row.recipient,
        sharings.c.purpose == row.purpose,
        sharings.c.mode == row.mode,
    ]


def _entry_row(row: sa.Row[tuple[object, ...]]) -> EntryRow:
    fields = row._mapping  # noqa: SLF001  (SQLAlchemy's documented name)
    return EntryRow(
        collection=fields["name"],
        kind=kind_of_number(fields["kind"]).value,
        ref=fields["ref"],
        state=_STATES[fields["state"]],
        category=fields["category"] or "",
        fraud_role=fields["fraud_role"] or "",
        channel=fields["channel"] or "",
        ai_technique=fields["ai_technique"] or "",
        confidence=fields["confidence"],
        first_seen=fields["first_seen"] or "",
        last_seen=fields["last_seen"] or "",
        contested_at=fields["contested_at"] or "",
    )
