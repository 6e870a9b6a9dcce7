"""Rows for the store: short ways to say what a test puts in, and all of what it finds."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from support.consents import USE

from trisect.indicators.kinds import KINDS, Kind
from trisect.indicators.tokens import Token
from trisect.store.collections import Collection, Collections
from trisect.store.database import Database
from trisect.store.exchanges import Exchange, ExchangeState, Side
from trisect.store.intake import Imports, Progress, StoredEntry
from trisect.store.tables import collections, entries, hits

PHONE = KINDS[Kind.PHONE].number


def token(number: int) -> Token:
    """Make a token of a number; their order has nothing to do with the numbers'."""
    return Token(hashlib.sha256(f"token {number}".encode()).digest())


def entry(
    number: int, *, ref: str | None = None, category: str | None = None, subject: str | None = None
) -> StoredEntry:
    """Make the stored row of a number."""
    name = f"case-{number}" if ref is None else ref
    return (token(number), PHONE, name, subject, category, None, None, None, 50, "2026-01-01", None)


def batch(numbers: Iterable[int]) -> list[StoredEntry]:
    """Make the rows of some numbers, sorted by token as the store wants them."""
    return sorted((entry(number) for number in numbers), key=lambda row: row[0])


def make_collection(database: Database, name: str = "scams", basis: str = "art. 6") -> Collection:
    """Make a collection."""
    return Collections(database).create(
        name,
        public_id=f"public id of {name}",
        source="hotline",
        legal_basis=basis,
        retention_days=30,
        created_at="2026-11-01T00:00:00Z",
    )


def fill(
    database: Database,
    numbers: Iterable[int],
    *,
    name: str = "scams",
    epoch: int = 0,
    replace: bool = False,
    yes: bool = False,
) -> Progress:
    """Import some numbers in one batch and end the import."""
    imports = Imports(database)
    progress = imports.begin(make_collection(database, name).id, b"", replace=replace)
    progress = imports.add(progress, batch(numbers), [], epoch=epoch, day=20_784)
    imports.finish(progress, allow_large_drop=yes)
    return progress


def active(database: Database, name: str = "scams", *, epoch: int = 0) -> set[bytes]:
    """Give the active tokens of a collection."""
    tokens = Collections(database).snapshot(name, USE, epoch=epoch).tokens
    return {tokens[at : at + 32] for at in range(0, len(tokens), 32)}


def tokens(numbers: Iterable[int]) -> set[bytes]:
    """Give the tokens of some numbers."""
    return {token(number) for number in numbers}


def dump(database: Database, table: sa.Table = entries) -> list[tuple[Any, ...]]:
    """Give a whole table in the order of its primary key."""
    with database.read() as connection:
        query = sa.select(table).order_by(*table.primary_key.columns)
        return [tuple(row) for row in connection.execute(query)]


def everything(database: Database) -> list[list[tuple[Any, ...]]]:
    """Give all rows that an import or a roll may touch."""
    return [dump(database, table) for table in (entries, hits, collections)]


def exchange(exchange_id: str = "e1", *, collection: str = "scams", **fields: Any) -> Exchange:
    """Make an exchange that this end asks for."""
    return Exchange(
        **{
            "id": exchange_id,
            "side": Side.ASKER,
            "peer": "bank",
            "collection": collection,
            "public_id": f"public id of {collection}",
            "peer_collection": "mules",
            "purpose": "scam-prevention",
            "mode": "match",
            "engine": "ecdh",
            "key_check": "fingerprint",
            "state": ExchangeState.OFFERED,
            "asked": 3,
            "asked_padded": 16,
            "answered_padded": 0,
            "started_at": "2026-11-01T00:00:00Z",
            "expires_at": "2026-11-01T00:02:00Z",
            "offer": b"offer",
        }
        | fields
    )


def columns(rows: Sequence[Any], *names: str) -> list[tuple[Any, ...]]:
    """Give some fields of each row."""
    return [tuple(getattr(row, name) for name in names) for row in rows]
