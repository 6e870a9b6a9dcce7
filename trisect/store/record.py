"""The public record as a daemon keeps it: entries, the tree over them, and signed heads.

An entry, its statement's number and the nodes that it completes are one transaction, durable when it is over: a
record that was torn anywhere is the one from before. Called from threads; one appends at a time.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial

import sqlalchemy as sa

from trisect.errors import NotFoundError, VerificationError
from trisect.record import entries, tree
from trisect.store.database import Database
from trisect.store.tables import RecordTables

PAGE = 500
HEADS_KEPT = 1_000


@dataclass(frozen=True, slots=True)
class NewEntry:
    """An entry to append.

    Attributes:
        entry: its bytes.
        statement: the sequence of the statement that it is of, None if it is of none.
        exchange: the id of the exchange that it is of, in hex; None if it is of none.
    """

    entry: bytes
    statement: int | None = None
    exchange: str | None = None


def numbered(found: Iterable[bytes], stated: int) -> list[NewEntry]:
    """Read entries that came as bytes; statements among them are numbered on from so many before."""
    new = []
    for entry in found:
        exchange = entries.exchange(entry)
        stated += exchange is None
        new.append(NewEntry(entry, stated if exchange is None else None, exchange))
    return new


class Record:
    """The record of one daemon: the coordinator's own, or a node's copy."""

    def __init__(self, database: Database, tables: RecordTables) -> None:
        self._database = database
        self._tables = tables
        self._appending = threading.Lock()

    def append(self, new: Sequence[NewEntry], *, root: bytes | None = None) -> range:
        """Append entries in one transaction; gives their numbers, from 0.

        Raises:
            VerificationError: with them the tree's root is not the one given, and nothing was appended.
        """
        with self._appending, self._database.write() as connection:
            frontier = tree.Frontier(self._size(connection), partial(self._node, connection))
            first = frontier.size
            nodes: list[tuple[int, int, bytes]] = []
            for one in new:
                nodes += frontier.append(tree.leaf_hash(one.entry))
            if root is not None and frontier.root != root:
                raise VerificationError("the record's entries are not those of its signed head")
            if new:
                connection.execute(
                    sa.insert(self._tables.entries),
                    [{"number": number, **asdict(one)} for number, one in enumerate(new, start=first)],
                )
                connection.execute(
                    sa.insert(self._tables.nodes),
                    [{"level": level, "position": at, "hash": found} for level, at, found in nodes],
                )
            return range(first, frontier.size)

    @property
    def size(self) -> int:
        """How many entries there are."""
        with self._database.read() as connection:
            return self._size(connection)

    def newest_statement(self) -> int:
        """Tell the sequence of the newest statement that has an entry, 0 without any."""
        newest = sa.select(sa.func.coalesce(sa.func.max(self._tables.entries.c.statement), 0))
        with self._database.read() as connection:
            found: int = connection.execute(newest).scalar_one()
            return found

    def entries(self, first: int, *, limit: int = PAGE) -> Sequence[bytes]:
        """Read entries from a number on."""
        query = (
            sa.select(self._tables.entries.c.entry)
            .where(self._tables.entries.c.number >= first)
            .order_by(self._tables.entries.c.number)
            .limit(limit)
        )
        with self._database.read() as connection:
            return list(connection.execute(query).scalars())

    def statements(self, after: int, *, limit: int = PAGE) -> Sequence[tuple[int, bytes]]:
        """Read the entries of statements after one, each with that statement's sequence."""
        table = self._tables.entries
        query = sa.select(table.c.statement, table.c.entry).where(table.c.statement > after)
        with self._database.read() as connection:
            found = connection.execute(query.order_by(table.c.statement).limit(limit))
            return [(row.statement, row.entry) for row in found]

    def of_exchange(self, exchange: str, below: int = tree.MAX_SIZE) -> Sequence[bytes]:
        """Read the entries of an exchange, its permit and what commits to receipts, among so many first entries."""
        table = self._tables.entries
        mine = sa.and_(table.c.exchange == exchange, table.c.number < below)
        query = sa.select(table.c.entry).where(mine).order_by(table.c.number)
        with self._database.read() as connection:
            return list(connection.execute(query).scalars())

    def root(self, size: int) -> bytes:
        """Compute the root over the first `size` entries."""
        with self._database.read() as connection:
            return tree.root(size, partial(self._node, connection))

    def inclusion(self, number: int, size: int) -> list[bytes]:
        """Prove an entry in the tree of a size.

        Raises:
            NotFoundError: there is no such entry in a record of that size, or no such size.
        """
        with self._database.read() as connection:
            _require(0 <= number < size <= self._size(connection))
            return tree.inclusion_proof(number, size, partial(self._node, connection))

    def consistency(self, first: int, second: int) -> list[bytes]:
        """Prove that the record of one size is the beginning of another.

        Raises:
            NotFoundError: one of them does not exist, or is without entries.
        """
        with self._database.read() as connection:
            _require(0 < first <= second <= self._size(connection))
            return tree.consistency_proof(first, second, partial(self._node, connection))

    def head(self, size: int | None = None) -> str | None:
        """Give the signed head of a size, by default the newest; None where there is none."""
        query = sa.select(self._tables.heads.c.note).order_by(self._tables.heads.c.size.desc()).limit(1)
        if size is not None:
            query = query.where(self._tables.heads.c.size == size)
        with self._database.read() as connection:
            return connection.execute(query).scalar_one_or_none()

    def heads(self) -> Iterator[str]:
        """Give all heads that are kept, the newest first."""
        query = sa.select(self._tables.heads.c.note).order_by(self._tables.heads.c.size.desc())
        with self._database.read() as connection:
            yield from connection.execute(query).scalars()

    def keep_head(self, size: int, note: str) -> None:
        """Keep a head, in place of a former one of that size; of many, the oldest go."""
        with self._database.write() as connection:
            newest = sa.select(self._tables.heads.c.size).order_by(self._tables.heads.c.size.desc())
            oldest = newest.offset(HEADS_KEPT).limit(1).scalar_subquery()
            connection.execute(sa.delete(self._tables.heads).where(self._tables.heads.c.size <= oldest))
            connection.execute(sa.delete(self._tables.heads).where(self._tables.heads.c.size == size))
            connection.execute(sa.insert(self._tables.heads).values(size=size, note=note))

    def cut(self, size: int) -> None:
        """Forget what comes after the first `size` entries of a copy that did not verify; the record itself is never cut."""
        table, nodes = self._tables.entries, self._tables.nodes
        with self._appending, self._database.write() as connection:
            connection.execute(sa.delete(table).where(table.c.number >= size))
            for level in range(tree.MAX_SIZE.bit_length()):
                if not connection.execute(
                    sa.delete(nodes).where(nodes.c.level == level, nodes.c.position >= size >> level)
                ).rowcount:
                    break

    def _size(self, connection: sa.Connection) -> int:
        newest = sa.select(sa.func.coalesce(sa.func.max(self._tables.entries.c.number) + 1, 0))
        found: int = connection.execute(newest).scalar_one()
        return found

    def _node(self, connection: sa.Connection, level: int, position: int) -> bytes:
        nodes = self._tables.nodes
        found: bytes = connection.execute(
            sa.select(nodes.c.hash).where(nodes.c.level == level, nodes.c.position == position)
        ).scalar_one()
        return found


def _require(exists: bool) -> None:  # noqa: FBT001  (a condition)
    if not exists:
        raise NotFoundError(
            "the record has no such entry or size", hint="`trisect record show` tells its size"
        )
