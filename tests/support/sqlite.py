"""SQLite databases of daemons, looked into from outside."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a database that may only be read; `with` alone would leave it open."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        yield connection


@contextmanager
def writing(path: Path) -> Iterator[sqlite3.Connection]:
    """Change a database that a daemon uses, in one transaction."""
    with closing(sqlite3.connect(path)) as connection, connection:
        yield connection


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the write lock of a database, as a backup or a shell would."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")
