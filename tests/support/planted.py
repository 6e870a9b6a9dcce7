"""The watch over every consortium of the walk tests: what it was given must be nowhere when it stops.

`watched` looks on while tests import values into nodes, and when a cluster stops it searches all that its
daemons kept and served. The search is the one that `trisect demo` ships.
"""

from __future__ import annotations

import contextlib
import tomllib
import urllib.error
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path

import pytest
import sqlalchemy as sa
from support.cluster import Cluster
from support.daemons import Daemon, Node

from trisect.cli.demo.scan import Finding, Place, find, places
from trisect.daemon import ask
from trisect.errors import VerificationError
from trisect.store.database import Database, sqlite_url
from trisect.store.keystore import KEYSTORE_FILE, load
from trisect.store.rolling import Rolling
from trisect.store.tables import entries
from trisect.trust.peppers import recover

PAGES = ("/live", "/ready", "/metrics")
SAMPLE = 50
"""So many values of one batch, and tokens of one node, are searched: a leak shows with any of them."""


@dataclass
class Watch:
    """What the nodes below one folder have been given, and what may be nowhere."""

    values: set[str] = field(default_factory=set)
    canonical: set[str] = field(default_factory=set)

    def plant(self, *values: str, canonical: Iterable[str] = ()) -> None:
        """Remember values as they are spelled, and their canonical forms."""
        self.values.update(values)
        self.canonical.update(canonical)

    def leaks(self, cluster: Cluster, served: Iterable[Place] = ()) -> list[Finding]:
        """Search homes and databases of all daemons, and what was served or said, for whatever may not be there.

        Values, canonical forms and peppers may be nowhere; tokens in no log, on no page and nowhere at the
        coordinator.
        """
        served = list(served)
        kept = {daemon.home.name: [*home_places(daemon), *tables(daemon)] for daemon in cluster.daemons}
        everything = [*served, *(place for found in kept.values() for place in found)]
        open_places = [*served, *kept[cluster.coordinator.home.name]]
        open_places += [place for found in kept.values() for place in found if ".log" in place[0]]
        secrets = {
            "value": [value.encode() for value in self.values],
            "canonical form": [value.removeprefix("+").encode() for value in self.canonical],
            "pepper": peppers(cluster),
        }
        tokens = [token for node in cluster.nodes.values() for token in tokens_of(node)]
        return [*find(everything, secrets)[0], *find(open_places, {"token": tokens})[0]]


_watches: dict[Path, Watch] = {}


def watch(cluster: Cluster) -> Watch:
    """Give the watch over one cluster."""
    return _watches.setdefault(cluster.folder, Watch())


def home_places(daemon: Daemon) -> list[Place]:
    """Read a daemon's home."""
    return [(f"{daemon.home.name}/{name}", data) for name, data in places(daemon.home)]


def pages(daemon: Daemon) -> list[Place]:
    """Read what a daemon serves over HTTP; nothing, if it does not run."""
    found: list[Place] = []
    if daemon.process is None or daemon.process.poll() is not None:
        return found
    for page in PAGES:
        name = f"{daemon.home.name}'s {page}"
        with contextlib.suppress(OSError, ValueError, KeyError):
            try:
                with ask(daemon.state["http"] + page, timeout_s=5) as reply:
                    found.append((name, reply.read()))
            except urllib.error.HTTPError as refused:
                found.append((name, refused.read()))
    return found


def database_of(daemon: Daemon) -> str:
    """Give the URL of a daemon's database; empty where it has none yet."""
    settings, file = daemon.home / "config.toml", daemon.home / "node.db"
    found = tomllib.loads(settings.read_text()).get("database", "") if settings.exists() else ""
    return found or (sqlite_url(file) if file.exists() else "")


def tables(daemon: Daemon) -> list[Place]:
    """Read every table of a PostgreSQL database, as text and in binary; SQLite's are in the home."""
    url = database_of(daemon)
    if not url.startswith("postgresql"):
        return []
    found: list[Place] = []
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection, connection.connection.driver_connection.cursor() as cursor:
        for table in sa.inspect(connection).get_table_names():
            for form in ("text", "binary"):
                with cursor.copy(f'COPY "{table}" TO STDOUT (FORMAT {form})') as rows:
                    found.append((f"{daemon.home.name}'s table {table}, {form}", b"".join(rows)))
    return found


def tokens_of(node: Node) -> list[bytes]:
    """Read some tokens of a node."""
    url = database_of(node)
    if not url:
        return []
    with sa.create_engine(url, poolclass=sa.NullPool).connect() as connection:
        query = sa.select(entries.c.token).order_by(entries.c.token).limit(SAMPLE)
        return list(connection.execute(query).scalars())


def peppers(cluster: Cluster) -> list[bytes]:
    """Read the consortium's peppers from the first node that has them; none before it was founded."""
    for node in cluster.nodes.values():
        if url := database_of(node):
            database = Database(url)
            with contextlib.closing(database), contextlib.suppress(VerificationError):
                sealed = Rolling(database).sealed_peppers() or b""
                return [
                    bytes(pepper) for pepper in recover(sealed, load(node.home / KEYSTORE_FILE)["storage"])
                ]
    return []


@contextlib.contextmanager
def watched() -> Iterator[None]:
    """Have every cluster of this test process searched when it stops; raises AssertionError there."""
    with pytest.MonkeyPatch.context() as patch:
        _note_imports(patch)
        _note_single_entries(patch)
        _search_at_the_end(patch)
        yield


def _note_imports(patch: pytest.MonkeyPatch) -> None:
    original = Node.import_batches

    @wraps(original)
    def import_batches(self, collection, batches, *, kind, **options):
        def noted():
            for batch in batches:
                found = batch.columns.get("value", [])
                _watch_of(self).plant(*found[:: max(1, len(found) // SAMPLE)])
                yield batch

        return original(self, collection, noted(), kind=kind, **options)

    patch.setattr(Node, "import_batches", import_batches)


def _note_single_entries(patch: pytest.MonkeyPatch) -> None:
    original = Node.lists

    @wraps(original)
    async def lists(self, method, request):
        if getattr(request, "value", ""):
            _watch_of(self).plant(request.value)
        return await original(self, method, request)

    patch.setattr(Node, "lists", lists)


def _search_at_the_end(patch: pytest.MonkeyPatch) -> None:
    original = Cluster.stop

    @wraps(original)
    def stop(self):
        try:
            served = [page for daemon in self.daemons for page in pages(daemon)]
        finally:
            original(self)
        found = watch(self).leaks(self, served)
        assert not found, f"what was imported shows where it must not: {found[:10]}"

    patch.setattr(Cluster, "stop", stop)


def _watch_of(node: Node) -> Watch:
    return _watches.setdefault(node.home.parent, Watch())
