"""`kill -9` half-way through an import, then the same import again: the collection of an undisturbed one.

Half-way is when so many rows are committed; the node then waits for the database until the kill is done.
"""

from __future__ import annotations

import asyncio
import csv
import json
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from support.cluster import Cluster, run
from support.daemons import Daemon, Node
from support.nursery import BIN
from support.processes import CONVERTER, children
from support.sqlite import reading

pytestmark = pytest.mark.walk
ROWS = 8_000
"""More messages than a node converts ahead, so that the workers still have something to do half-way."""
FORMER_ROWS = 1_000
HALF_WAY = 1_500
COMMIT_ROWS = 1_000
"""The proxy's transactions; the government's have the size that real ones have."""
LONG = "x" * 1_600
"""Makes a row long, so that a message holds about 1,000 of them instead of 16,384."""
FROZEN_S = 30.0
LABELS = "token, epoch, kind, ref, subject, category, fraud_role, channel, ai_technique, confidence, first_seen, last_seen, state"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    def small_transactions(daemon: Daemon) -> None:
        if daemon.home.name == "proxy":
            daemon.tune({"nodes.intake.COMMIT_ROWS": COMMIT_ROWS})

    folder = tmp_path_factory.mktemp("imports")
    found = asyncio.run(Cluster.create(folder, ("government", "proxy"), prepare=small_transactions))
    yield found
    found.stop()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A list, and the whole list of a day later: a tenth has gone, much is new, some is double or bad."""
    folder = tmp_path_factory.mktemp("lists")
    former, later = folder / "former.csv", folder / "later.csv"
    _write(former, range(FORMER_ROWS), confidence=40)
    _write(later, range(FORMER_ROWS // 10, ROWS), confidence=80)
    return former, later


def _write(path: Path, numbers: range, *, confidence: int) -> None:
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["url", "ref", "confidence"])
        for number in numbers:
            writer.writerow([f"https://host-{number}.example.com/{LONG}", f"case-{number}", confidence])
            if number % 1_000 == 0:
                writer.writerow(
                    [f"HTTPS://HOST-{number}.example.com:443/{LONG}", f"again-{number}", confidence]
                )
                writer.writerow(["not a link", f"bad-{number}", confidence])


@pytest.fixture(scope="module")
def undisturbed(cluster: Cluster, files: tuple[Path, Path]) -> dict[bool, tuple[dict, list, str]]:
    """What imports that nobody kills give at another node: the answer, the rows and the rejects, by --replace."""
    former, later = files
    node = cluster["government"]
    given = {}
    for replace in (False, True):
        collection = f"list-{replace}".lower()
        if replace:
            imported(node, former, collection)
        data = imported(node, later, collection, *(["--replace"] if replace else []))
        given[replace] = (data, contents(node, collection), rejects(data))
    return given


def command(node: Node, file: Path, collection: str, *options: str) -> list[str]:
    place = str(node.home / f"{collection}.rejects.csv")
    return [
        *("--home", str(node.home), "--format", "json", "import", str(file), "--collection", collection),
        *("--kind", "url", "--rejects", place, *options),
    ]


def imported(node: Node, file: Path, collection: str, *options: str) -> dict[str, Any]:
    ended = run("trisect", *command(node, file, collection, *options))
    assert ended.returncode == 0, ended.stdout
    found: dict[str, Any] = json.loads(ended.stdout)["data"]
    return found


def rejects(data: dict[str, Any]) -> str:
    return Path(data["rejects_file"]).read_text()


def contents(node: Node, collection: str) -> list[tuple[Any, ...]]:
    """Read all that is stored of a collection; generations differ, since a disturbed import may have begun twice."""
    with reading(node.home / "node.db") as database:
        assert database.execute("PRAGMA quick_check").fetchone() == ("ok",)
        return database.execute(
            f"SELECT {LABELS} FROM entries WHERE collection_id = "
            "(SELECT id FROM collections WHERE name = ?) ORDER BY token",
            (collection,),
        ).fetchall()


def active(node: Node, collection: str) -> set[bytes]:
    """Give the tokens that a match would use."""
    return {row[0] for row in contents(node, collection) if row[-1] == 0}


@contextmanager
def frozen(node: Node, collection: str) -> Iterator[None]:
    """Hold the database's write lock from the moment at which half of an import is committed."""
    database = sqlite3.connect(node.home / "node.db", isolation_level=None, timeout=0)
    query = "SELECT rows FROM imports JOIN collections ON collections.id = collection_id WHERE name = ?"
    deadline = time.monotonic() + FROZEN_S
    try:
        while not (held := _lock_at(database, query, collection)):
            assert time.monotonic() < deadline, "the import never came half-way"
        assert HALF_WAY <= held < ROWS, "the import was done before it could be disturbed"
        yield
        database.execute("ROLLBACK")
    finally:
        database.close()


def _lock_at(database: sqlite3.Connection, query: str, collection: str) -> int:
    """Take the lock if half is committed; gives how much is, or 0 without the lock."""
    found = database.execute(query, (collection,)).fetchone()
    if found is None or found[0] < HALF_WAY:
        return 0
    try:
        database.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError:
        return 0
    return database.execute(query, (collection,)).fetchone()[0]


@pytest.mark.parametrize("replace", [False, True], ids=["into a new list", "replacing a list"])
@pytest.mark.parametrize("killed", ["command", "node", "worker"])
async def test_a_killed_import_repeated_gives_the_same_collection(
    cluster: Cluster, files: tuple[Path, Path], undisturbed, killed: str, replace: bool
):
    former, later = files
    node, collection = cluster["proxy"], f"{killed}-{replace}".lower()
    options = ["--replace"] if replace else []
    if replace:
        imported(node, former, collection)
    former_list = active(node, collection)
    importing = subprocess.Popen(
        [BIN / "trisect", *command(node, later, collection, *options)], stdout=subprocess.PIPE, text=True
    )
    with importing:
        with frozen(node, collection):
            match killed:
                case "command":
                    importing.kill()
                case "node":
                    node.kill()
                case "worker":
                    for worker in children(node.pid, CONVERTER):
                        worker.kill()
        said, _ = importing.communicate(timeout=60)
    if killed == "node":
        await node.start()
    _assert_ended(importing.returncode, said, killed)
    if replace:
        assert active(node, collection) == former_list, (
            "until the file is there whole, the former list counts"
        )
    data = imported(node, later, collection, *options)
    expected, rows, refused = undisturbed[replace]
    same = ("rows", "accepted", "duplicates", "rejected", "retracted")
    assert {name: data[name] for name in same} == {name: expected[name] for name in same}
    assert contents(node, collection) == rows
    assert rejects(data) == refused


def _assert_ended(code: int, said: str, killed: str) -> None:
    """Check that the first command has failed, and has told what helps."""
    if killed == "command":
        assert code == -9
        return
    error = json.loads(said)["error"]
    if killed == "worker":
        assert (code, error["code"]) == (1, "TRI-IMPORT-WORKER")
        assert "goes on where it stopped" in error["hint"]
    else:
        assert code, "the command did not notice that its node was killed"
        assert "the node" in error["message"]
