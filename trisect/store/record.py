"""The public record as the coordinator keeps it: entries, the tree over them, and signed heads.

An entry, its statement's number and the nodes that it completes are one transaction, durable when it is over: a
record that was torn anywhere is the one from before. Called from threads; one appends at a time.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from trisect.errors import NotFoundError
from trisect.record import tree
from trisect.store.database import Database
from trisect.store.tables import record_entries, record_heads, record_nodes

PAGE = 500
HEADS_KEPT = 1_000


@dataclass(frozen=True, slots=True)
class NewEntry:
    """An entry to append.

    Attributes:
        entry: its bytes.
        statement: the sequence of the statement that it is of, None if it is of none.
    """

    entry: bytes
    statement: int | None = None


class Record:
    """One coordinator's record."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._appending = threading.Lock()

    def append(self, entries: Sequence[NewEntry]) -> range:
        """Append entries in one transaction; gives their numbers, from 0."""
        with self._appending, self._database.write() as connection:
            frontier = tree.Frontier(_size(connection), lambda *at: _node(connection, *at))
            first = frontier.size
            nodes: list[tuple[int, int, bytes]] = []
            for new in entries:
                nodes += frontier.append(tree.leaf_hash(new.entry))
            if entries:
                connection.execute(
                    sa.insert(record_entries),
                    [
                        {"number": number, "entry": new.entry, "statement": new.statement}
                        for number, new in enumerate(entries, start=first)
                    ],
                )
                connection.execute(
                    sa.insert(record_nodes),
                    [{"level": level, "position": at, "hash": found} for level, at, found in nodes],
                )
            return range(first, frontier.size)

    @property
    def size(self) -> int:
        """How many entries there are."""
        with self._database.read() as connection:
            return _size(connection)

    def newest_statement(self) -> int:
        """Tell the sequence of the newest statement that has an entry, 0 without any."""
        newest = sa.select(sa.func.coalesce(sa.func.max(record_entries.c.statement), 0))
        with self._database.read() as connection:
            found: int = connection.execute(newest).scalar_one()
            return found

    def entries(self, first: int, *, limit: int = PAGE) -> Sequence[bytes]:
        """Read entries from a number on."""
        query = (
            sa.select(record_entries.c.entry)
            .where(record_entries.c.number >= first)
            .order_by(record_entries.c.number)
            .limit(limit)
        )
        with self._database.read() as connection:
            return list(connection.execute(query).scalars())

    def root(self, size: int) -> bytes:
        """Compute the root over the first `size` entries."""
        with self._database.read() as connection:
            return tree.root(size, lambda *at: _node(connection, *at))

    def inclusion(self, number: int, size: int) -> list[bytes]:
        """Prove an entry in the tree of a size.

        Raises:
            NotFoundError: there is no such entry in a record of that size, or no such size.
        """
        with self._database.read() as connection:
            _require(0 <= number < size <= _size(connection))
            return tree.inclusion_proof(number, size, lambda *at: _node(connection, *at))

    def consistency(self, first: int, second: int) -> list[bytes]:
        """Prove that the record of one size is the beginning of another.

        Raises:
            NotFoundError: one of them does not exist, or is without entries.
        """
        with self._database.read() as connection:
            _require(0 < first <= second <= _size(connection))
            return tree.consistency_proof(first, second, lambda *at: _node(connection, *at))

    def head(self, size: int | None = None) -> str | None:
        """Give the signed head of a size, by default the newest; None where there is none."""
        query = sa.select(record_heads.c.note).order_by(record_heads.c.size.desc()).limit(1)
        if size is not None:
            query = query.where(record_heads.c.size == size)
        with self._database.read() as connection:
            return connection.execute(query).scalar_one_or_none()

    def keep_head(self, size: int, note: str) -> None:
        """Keep a head, in place of a former one of that size; of many, the oldest go."""
        with self._database.write() as connection:
            newest = sa.select(record_heads.c.size).order_by(record_heads.c.size.desc())
            oldest = newest.offset(HEADS_KEPT).limit(1).scalar_subquery()
            connection.execute(sa.delete(record_heads).where(record_heads.c.size <= oldest))
            connection.execute(sa.delete(record_heads).where(record_heads.c.size == size))
            connection.execute(sa.insert(record_heads).values(size=size, note=note))


def _size(connection: sa.Connection) -> int:
    newest = sa.select(sa.func.coalesce(sa.func.max(record_entries.c.number) + 1, 0))
    found: int = connection.execute(newest).scalar_one()
    return found


def _node(connection: sa.Connection, level: int, position: int) -> bytes:
    found: bytes = connection.execute(
        sa.select(record_nodes.c.hash).where(
            record_nodes.c.level == level, record_nodes.c.position == position
        )
    ).scalar_one()
    return found


def _require(exists: bool) -> None:  # noqa: FBT001  (a condition)
    if not exists:
        raise NotFoundError(
            "the record has no such entry or size", hint="`trisect record show` tells its size"
        )
