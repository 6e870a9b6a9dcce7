"""Imports: batches of entries and their progress in one transaction each, so that a killed import goes on.

A batch is committed with its counts, rejects and number, or not at all. Every import has a generation; each
row it brings carries it, so that `--replace` knows which rows the new file no longer has: those of earlier
generations; what others bring while it runs stays. Until a replacing file is there whole, its new rows are
staged, and matches see the former list.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import NamedTuple, TypeAlias

import sqlalchemy as sa

from trisect.errors import ConflictError, DeniedError
from trisect.indicators.labels import State
from trisect.store import presence
from trisect.store.database import Database
from trisect.store.presence import ACTIVE, RETRACTED, STAGED, STATE_NUMBERS, bump
from trisect.store.tables import collections, entries, imports, rejects

_IN_CLAUSE = 500
LARGEST_UNASKED_DROP = 0.2

StoredEntry: TypeAlias = tuple[
    bytes,
    int,
    str,
    str | None,
    str | None,
    str | None,
    str | None,
    str | None,
    int | None,
    str | None,
    str | None,
]
"""token, kind number, ref, subject, category, fraud_role, channel, ai_technique, confidence, first and last seen."""

_INSERT_COLUMNS = "token, kind, ref, subject, category, fraud_role, channel, ai_technique, confidence, first_seen, last_seen"


class LargeDropError(DeniedError):
    """A replacing import would retract more than a fifth of the list."""

    code = "TRI-LARGE-DROP"


class RejectRow(NamedTuple):
    """One row that was not taken: where it stands, its kind as far as known, and why."""

    where: str
    kind: str
    reason: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an import has come."""

    id: int
    collection_id: int
    generation: int
    replace: bool
    batches_done: int
    rows: int
    accepted: int
    duplicates: int
    rejected: int


class Imports:
    """Running imports."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, collection_id: int, fingerprint: bytes, *, replace: bool = False) -> Progress:
        """Start an import, or find the unfinished one of the same fingerprint.

        A replacing import ends all others of its collection that replace and have not finished.

        Args:
            collection_id: where the rows go.
            fingerprint: SHA-256 over file and options; empty never resumes.
            replace: the file is the whole list.
        """
        with self._database.write() as connection:
            row = connection.execute(
                sa.select(imports).where(
                    imports.c.collection_id == collection_id, imports.c.fingerprint == fingerprint
                )
            ).first()
            if row is not None and fingerprint:
                return _progress(row)
            if replace:
                _abandon_replacements(connection, collection_id)
            generation = connection.execute(
                sa.update(collections)
                .where(collections.c.id == collection_id)
                .values(generation=collections.c.generation + 1)
                .returning(collections.c.generation)
            ).scalar_one()
            return _progress(
                connection.execute(
                    sa.insert(imports)
                    .values(
                        collection_id=collection_id,
                        fingerprint=fingerprint,
                        generation=generation,
                        replace=replace,
                        **dict.fromkeys(("batches_done", "rows", "accepted", "duplicates", "rejected"), 0),
                    )
                    .returning(*imports.c)
                ).one()
            )

    def rejects(self, import_id: int) -> Sequence[RejectRow]:
        """List what an import has rejected so far, in order."""
        query = (
            sa.select(rejects.c.place, rejects.c.kind, rejects.c.reason)
            .where(rejects.c.import_id == import_id)
            .order_by(rejects.c.position)
        )
        with self._database.read() as connection:
            return [RejectRow(*row) for row in connection.execute(query)]

    def relist(self, collection_id: int, token: bytes) -> None:
        """Let an entry that was lifted be listed again; somebody wants it by name."""
        lifted = sa.and_(
            entries.c.collection_id == collection_id,
            entries.c.token == token,
            entries.c.state == STATE_NUMBERS[State.LIFTED],
        )
        with self._database.write() as connection:
            connection.execute(sa.update(entries).where(lifted).values(state=RETRACTED))

    def add(
        self,
        progress: Progress,
        rows: Sequence[StoredEntry],
        refused: Sequence[RejectRow],
        *,
        epoch: int,
        day: int,
        batches: int = 1,
    ) -> Progress:
        """Commit the next batches.

        Args:
            progress: what `begin` or the last `add` gave.
            rows: entries sorted by token, without duplicates among them.
            refused: rows that were rejected.
            epoch: pepper epoch of the tokens.
            day: today, in days since 1970-01-01 (UTC).
            batches: how many of the source's batches these are.
        """
        distinct = _first_of_each(rows)
        with self._database.write(durable=False) as connection:
            accepted = self._insert(connection, progress, distinct, epoch, day)
            if refused:
                connection.execute(
                    sa.insert(rejects),
                    [
                        {
                            "import_id": progress.id,
                            "position": progress.rejected + at,
                            "place": row.where,
                            "kind": row.kind,
                            "reason": row.reason,
                        }
                        for at, row in enumerate(refused)
                    ],
                )
            if accepted:
                bump(connection, progress.collection_id)
            done = connection.execute(
                sa.update(imports)
                .where(imports.c.id == progress.id, imports.c.batches_done == progress.batches_done)
                .values(
                    batches_done=progress.batches_done + batches,
                    rows=progress.rows + len(rows) + len(refused),
                    accepted=progress.accepted + accepted,
                    duplicates=progress.duplicates + len(rows) - accepted,
                    rejected=progress.rejected + len(refused),
                )
                .returning(*imports.c)
            ).one_or_none()
            if done is None:
                raise _overtaken()
            return _progress(done)

    def finish(self, progress: Progress, *, allow_large_drop: bool = False) -> tuple[int, int]:
        """End an import; a replacing one puts its rows in force and retracts what it did not bring.

        Returns:
            How many entries were retracted, and the collection's version.

        Raises:
            LargeDropError: `replace` would retract more than a fifth of the list and nobody has said yes.
            ConflictError: another replacing import has begun since.
        """
        mine = entries.c.collection_id == progress.collection_id
        active = sa.and_(mine, entries.c.state == ACTIVE)
        missing = sa.and_(active, entries.c.generation < progress.generation)
        with self._database.write() as connection:
            retracted = 0
            if progress.replace:
                count = sa.select(sa.func.count()).select_from(entries)
                before = connection.execute(count.where(active)).scalar_one()
                drop = connection.execute(count.where(missing)).scalar_one()
                if drop > before * LARGEST_UNASKED_DROP and not allow_large_drop:
                    raise LargeDropError(
                        f"--replace would retract {drop} of {before} entries, more than a fifth",
                        hint="check that the file is the whole list; then repeat with --yes",
                    )
                version = bump(connection, progress.collection_id)
                gone = presence.leaving(version)
                retracted = connection.execute(
                    sa.update(entries).where(missing).values(state=RETRACTED, **gone)
                ).rowcount
                staged = sa.and_(mine, entries.c.generation == progress.generation, entries.c.state == STAGED)
                there = presence.entering(version)
                connection.execute(sa.update(entries).where(staged).values(state=ACTIVE, **there))
            connection.execute(sa.delete(rejects).where(rejects.c.import_id == progress.id))
            if not connection.execute(sa.delete(imports).where(imports.c.id == progress.id)).rowcount:
                raise _overtaken()
            version = connection.execute(
                sa.select(collections.c.version).where(collections.c.id == progress.collection_id)
            ).scalar_one()
            return retracted, version

    def _insert(
        self,
        connection: sa.Connection,
        progress: Progress,
        rows: Sequence[StoredEntry],
        epoch: int,
        day: int,
    ) -> int:
        """Insert what is new; what was there is marked as seen in this generation, and revived if retracted."""
        if not rows:
            return 0
        version = _next_version(connection, progress)
        mark = "?" if self._database.sqlite else "%s"
        fixed = (progress.collection_id, epoch, _arriving(progress), progress.generation, version, day)
        statement = (
            f"INSERT INTO entries ({_INSERT_COLUMNS}, "  # noqa: S608
            "collection_id, epoch, state, generation, active_since, listed_on) "
            f"VALUES ({', '.join([mark] * 17)}) ON CONFLICT (collection_id, token) DO NOTHING"
        )
        result = connection.exec_driver_sql(statement, [(*row, *fixed) for row in rows])
        if result.rowcount == len(rows):
            return len(rows)
        self._relabel(connection, progress, rows, mark)
        return result.rowcount + self._touch(connection, progress, [row[0] for row in rows], version, day)

    @staticmethod
    def _relabel(
        connection: sa.Connection, progress: Progress, rows: Sequence[StoredEntry], mark: str
    ) -> None:
        """Give rows that were known before this import the reference and label that it brings."""
        names = _INSERT_COLUMNS.split(", ")[1:]
        statement = (
            f"UPDATE entries SET {', '.join(f'{name} = {mark}' for name in names)} "  # noqa: S608
            f"WHERE collection_id = {mark} AND token = {mark} AND generation < {mark}"
        )
        connection.exec_driver_sql(
            statement, [(*row[1:], progress.collection_id, row[0], progress.generation) for row in rows]
        )

    @staticmethod
    def _touch(
        connection: sa.Connection, progress: Progress, tokens: Sequence[bytes], version: int, day: int
    ) -> int:
        """Mark known rows as present in this generation; gives how many retracted ones came back."""
        revived = 0
        there = {} if progress.replace else presence.entering(version)
        for at in range(0, len(tokens), _IN_CLAUSE):
            older = sa.and_(
                entries.c.collection_id == progress.collection_id,
                entries.c.token.in_(tokens[at : at + _IN_CLAUSE]),
                entries.c.generation < progress.generation,
            )
            back = sa.update(entries).where(older, entries.c.state.in_((RETRACTED, STAGED)))
            revived += connection.execute(
                back.values(state=_arriving(progress), generation=progress.generation, listed_on=day, **there)
            ).rowcount
            seen = sa.update(entries).where(older)
            connection.execute(seen.values(generation=progress.generation, listed_on=day))
        return revived


def _next_version(connection: sa.Connection, progress: Progress) -> int:
    query = sa.select(collections.c.version).where(collections.c.id == progress.collection_id)
    return (connection.execute(query).scalar_one_or_none() or 0) + 1  # a deleted collection is told later


def _overtaken() -> ConflictError:
    return ConflictError(
        "another import of the same file runs, or one that replaces the whole list has begun",
        hint="wait until it has ended; then repeat this one if it still counts",
    )


def _abandon_replacements(connection: sa.Connection, collection_id: int) -> None:
    """Forget replacing imports that never ended; what they had staged never came to count."""
    staged = sa.and_(entries.c.collection_id == collection_id, entries.c.state == STAGED)
    connection.execute(sa.update(entries).where(staged).values(state=RETRACTED))
    stale = sa.and_(imports.c.collection_id == collection_id, imports.c.replace)
    connection.execute(
        sa.delete(rejects).where(rejects.c.import_id.in_(sa.select(imports.c.id).where(stale)))
    )
    connection.execute(sa.delete(imports).where(stale))


def _arriving(progress: Progress) -> int:
    return STAGED if progress.replace else ACTIVE


def _first_of_each(rows: Sequence[StoredEntry]) -> Sequence[StoredEntry]:
    if not any(left[0] == right[0] for left, right in pairwise(rows)):
        return rows
    return [next(same) for _, same in groupby(rows, key=lambda row: row[0])]


def _progress(row: sa.Row[tuple[object, ...]]) -> Progress:
    fields = dict(row._mapping)  # noqa: SLF001  (SQLAlchemy's documented name)
    del fields["fingerprint"]
    return Progress(**fields)
