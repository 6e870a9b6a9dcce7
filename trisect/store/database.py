"""Connections, transactions, migrations, and the database's failures in our words.

SQLite: WAL, one writer at a time, and two durabilities. `durable` transactions survive a power cut once
they have returned (receipts, statements, standing); bulk ones survive a killed process, and after a power cut
the database is whole but may miss the last batches, whose progress row is missing with them.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event, exc

from trisect.errors import BadInputError, ConflictError, ExhaustedError, TrisectError, UnreachableError
from trisect.store import migrations

BUSY_TIMEOUT_S = 10
_SQLITE_FULL = ("disk is full", "disk I/O error")
_SQLITE_DAMAGED = ("file is not a database", "disk image is malformed")
_POSTGRES_LOCKED = "55P03"
_POSTGRES_FULL = ("53100", "53200", "53300")
_OUR_MISTAKES = (exc.ProgrammingError, exc.DataError, exc.NotSupportedError)


class DatabaseUnavailableError(UnreachableError):
    """The database cannot be reached or opened."""

    code = "TRI-DATABASE"


class Database:
    """One database of one daemon.

    Args:
        url: an SQLAlchemy URL of SQLite (`sqlite:///FILE`) or PostgreSQL (`postgresql+psycopg://...`).
    """

    def __init__(self, url: str) -> None:
        try:
            parsed = sa.engine.make_url(url)
        except exc.ArgumentError as error:
            raise BadInputError(
                "the database URL cannot be read",
                hint="use sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME",
            ) from error
        self.sqlite = parsed.get_backend_name() == "sqlite"
        if not self.sqlite and parsed.get_backend_name() != "postgresql":
            raise BadInputError(
                "the database is neither SQLite nor PostgreSQL",
                hint="use sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME",
            )
        if not self.sqlite:
            parsed = parsed.set(drivername="postgresql+psycopg")
        self.url = parsed
        self._writing = threading.Lock() if self.sqlite else None
        self._full = False
        patience = (
            {"timeout": BUSY_TIMEOUT_S}
            if self.sqlite
            else {"options": f"-c lock_timeout={BUSY_TIMEOUT_S}s", "connect_timeout": BUSY_TIMEOUT_S}
        )
        try:
            self.writer = sa.create_engine(
                parsed,
                connect_args=patience,
                # One writing connection keeps the pages it has read; another one's commit would drop them.
                **({"pool_size": 1, "max_overflow": 0} if self.sqlite else {"pool_pre_ping": True}),
            )
        except ModuleNotFoundError as error:
            raise BadInputError(
                "PostgreSQL needs the extra `postgres`", hint="pip install 'trisect[postgres]'"
            ) from error
        if self.sqlite:
            self._reader = sa.create_engine(parsed, connect_args=patience)
            for engine, begin in ((self.writer, "BEGIN IMMEDIATE"), (self._reader, "BEGIN")):
                event.listen(engine, "connect", _prepare_sqlite)
                event.listen(engine, "begin", partial(_begin_sqlite, begin))
        else:
            # One snapshot for all statements of a reading transaction; SQLite's WAL gives that by itself.
            self._reader = self.writer.execution_options(isolation_level="REPEATABLE READ")

    def migrate(self, tree: str) -> None:
        """Bring the schema to the newest version.

        Args:
            tree: the folder of migrations below `trisect/store/migrations`: `node` or `coordinator`.

        Raises:
            ConflictError: the database was made by a newer Trisect.
        """
        with _translated(), self.writer.begin() as connection:
            migrations.bring_up(connection, tree)

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """Open a transaction that sees one state of the database and changes nothing."""
        with _translated(), self._reader.connect() as connection:
            yield connection

    @contextmanager
    def write(self, *, durable: bool = True) -> Iterator[sa.Connection]:
        """Open a transaction that is committed when the block ends without an error."""
        try:
            with self._write(durable=durable) as connection:
                yield connection
        except ExhaustedError:
            self._full = True
            raise
        self._full = False

    @contextmanager
    def _write(self, *, durable: bool) -> Iterator[sa.Connection]:
        if self._writing is None:
            with _translated(), self.writer.begin() as connection:
                if not durable:
                    connection.exec_driver_sql("SET LOCAL synchronous_commit TO off")
                yield connection
            return
        with self._writing, _translated(), self.writer.connect() as connection:
            level = "FULL" if durable else "NORMAL"
            driver = connection.connection.driver_connection
            assert driver is not None  # noqa: S101  (an open connection has one)
            driver.execute(f"PRAGMA synchronous={level}")
            with connection.begin():
                yield connection

    def check(self) -> None:
        """Ask the database for a sign of life, and whether it takes writes again after one that it did not.

        Raises:
            DatabaseUnavailableError: it cannot be reached.
            ExhaustedError: its disk is still full, or it is still locked.
        """
        if not self._full:
            with self.read() as connection:
                connection.execute(sa.text("SELECT 1"))
            return
        with self.write() as connection:
            if self.sqlite:  # both ways write a few bytes and change nothing
                version = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
                connection.exec_driver_sql(f"PRAGMA user_version = {version}")
            else:
                connection.execute(sa.text("SELECT pg_current_xact_id()"))

    def close(self) -> None:
        """Close every connection."""
        self.writer.dispose()
        self._reader.dispose()


def sqlite_url(path: Path) -> str:
    """Give the URL of an SQLite file."""
    return f"sqlite:///{path}"


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    for pragma in (
        "journal_mode=WAL",
        "foreign_keys=ON",
        "secure_delete=ON",
        "cache_size=-32768",
        "wal_autocheckpoint=8000",  # pages; imports write the same ones again and again
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(statement: str, connection: sa.Connection) -> None:
    connection.exec_driver_sql(statement)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except exc.IntegrityError as error:
        raise ConflictError(
            "the database refused a row that contradicts another",
            hint="somebody else was first; look at the present state before you repeat the command",
        ) from _shorn(error)
    except _OUR_MISTAKES as error:
        _shorn(error)
        raise
    except exc.DBAPIError as error:
        raise _explained(error) from _shorn(error)
    except exc.TimeoutError as error:
        raise DatabaseUnavailableError(
            "no database connection became free in time",
            hint="try again; if it comes again, look for long queries and raise max_connections",
        ) from error


def _explained(error: exc.DBAPIError) -> TrisectError:
    text = str(error.orig)
    state = getattr(error.orig, "sqlstate", None) or ""
    if any(sign in text for sign in _SQLITE_FULL) or state in _POSTGRES_FULL:
        return ExhaustedError(
            "the database's disk is full or failing; the transaction was rolled back and nothing is lost",
            hint="free space on the volume of the database and repeat the command",
        )
    if "database is locked" in text or "database table is locked" in text or state == _POSTGRES_LOCKED:
        return ExhaustedError(
            f"the database is locked by another process for more than {BUSY_TIMEOUT_S} s",
            hint="end the program that holds it (a backup, a shell) and repeat the command",
        )
    if any(sign in text for sign in _SQLITE_DAMAGED):
        return DatabaseUnavailableError(
            "the database file is damaged or is no SQLite database", hint="restore it from its backup"
        )
    if "readonly database" in text:
        return DatabaseUnavailableError(
            "the database cannot be written", hint="check owner and mode of its file and folder"
        )
    return DatabaseUnavailableError(
        "the database cannot be used", hint="is it running, is the URL right, may this user open it?"
    )


def _shorn(error: exc.DBAPIError) -> exc.DBAPIError:
    """Leave kind and state of a driver's error; its text, statement and parameters hold tokens."""
    state = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "sqlite_errorname", None) or ""
    error.args = (f"{type(error.orig).__name__} {state}".rstrip(),)
    error.statement = error.params = error.orig = None
    error.hide_parameters = True
    error.__cause__ = error.__context__ = None
    return error
