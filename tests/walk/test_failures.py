"""A full disk or a locked database at a node, or at the coordinator.

Each is told clearly with its cure, loses nothing, and is over when its cause is.
"""

from __future__ import annotations

import asyncio
import csv
import json
import resource
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, AsyncExitStack, contextmanager
from pathlib import Path

import pytest
from support.cluster import Cluster, join, run, trisect
from support.daemons import Daemon, until
from support.failing import (
    assert_matches,
    connected,
    create,
    database,
    is_ready,
    locked,
    match,
    restart,
    shows,
    stored,
)
from support.sqlite import reading
from walk.test_kills import held

from trisect.wire.v1 import matching_pb2

pytestmark = pytest.mark.walk
ROWS = 8_000
LONG = "x" * 1_600
"""Makes a row long, so that a message holds about 1,000 of them."""
SOME_MESSAGES_BYTES = 400_000


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    found = asyncio.run(create(tmp_path_factory.mktemp("failures")))
    yield found
    found.stop()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("lists") / "long.csv"
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["url", "ref"])
        writer.writerows([f"https://host-{at}.example.com/{LONG}", f"case-{at}"] for at in range(ROWS))
    return path


ALL = {f"case-{number}" for number in range(ROWS)}


@contextmanager
def full_disk(daemon: Daemon, left_bytes: int = 0) -> Iterator[None]:
    """Let a running daemon's files grow by so many bytes and no more, as on a full volume."""
    log = database(daemon).with_suffix(".db-wal")
    limit = (log.stat().st_size if log.exists() else 0) + left_bytes
    before = resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        yield
    finally:
        resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE, before)


async def test_a_disk_that_fills_up_during_an_import(cluster: Cluster, file: Path):
    node = cluster["telco"]
    await restart(node, {"nodes.intake.COMMIT_ROWS": 1_000})
    pid, arguments = node.pid, ("import", file, "--collection", "big", "--kind", "url")
    with full_disk(node, SOME_MESSAGES_BYTES):
        code, said = trisect(node, *arguments)
        assert (code, said["error"]["code"]) == (1, "TRI-EXHAUSTED")
        assert "disk is full" in said["error"]["message"]
        assert "free space" in said["error"]["hint"]
        half = stored(node, "big")
        assert set() < half < ALL
        assert (await node.status()).admitted, "the node goes on"
        assert trisect(node, *arguments)[0] == 1
        assert half <= stored(node, "big") < ALL
    code, said = trisect(node, *arguments)
    assert (code, said["status"]) == (0, "ok")
    assert [said["data"][name] for name in ("rows", "accepted", "duplicates")] == [ROWS, ROWS, 0]
    assert stored(node, "big") == ALL
    assert node.state["pid"] == pid
    assert stored(node, "list") == {f"r-{number}" for number in range(60)}


@pytest.mark.parametrize("side", ["telco", "proxy"], ids=["asker", "answerer"])
async def test_a_disk_that_is_full_when_an_exchange_writes_its_result(
    cluster: Cluster, tmp_path: Path, side: str
):
    node = cluster[side]
    await restart(node)
    await connected(cluster)
    pid = node.pid
    async with AsyncExitStack() as full, held(cluster, "setup passes", tmp_path) as reached:
        exchange_id = await cluster["telco"].start_match("list", "proxy", "list")
        await asyncio.wait_for(reached.wait(), 20)
        full.enter_context(full_disk(node))
        full.push_async_callback(shows, node, "database", "disk is full")
        full.push_async_callback(cluster["telco"].outcome, exchange_id)
    assert await cluster["telco"].hits(exchange_id) == [], "no part of a result is released"
    await is_ready(node)
    await assert_matches(cluster)
    assert node.state["pid"] == pid
    await restart(node)

    async def settled() -> bool:
        ends = [await cluster[name].exchange(exchange_id) for name in ("telco", "proxy")]
        return {end.state for end in ends} == {"failed"}

    await until(settled, "both ends to call the exchange failed")
    assert await cluster["telco"].hits(exchange_id) == []


async def test_a_database_that_another_program_has_locked(cluster: Cluster, tmp_path: Path):
    node, file = cluster["telco"], tmp_path / "hosts.csv"
    file.write_text("".join(f"host-{number}.example.com\n" for number in range(100)))
    await restart(node, {"trisect.store.database.BUSY_TIMEOUT_S": 0.3})
    await connected(cluster)

    async def ready() -> bool:
        return not node.ready()

    await until(ready, "the node to have all that a match needs, the newest head of the record too")
    pid, importing = node.pid, ("import", file, "--collection", "locked-out", "--kind", "domain")
    known = await node.matching("ListExchanges", matching_pb2.ListExchangesRequest(limit=1_000))
    with locked(node):
        for code, said in (trisect(node, *importing), match(node, "proxy")):
            assert (code, said["error"]["code"]) == (1, "TRI-EXHAUSTED")
            assert "locked by another process" in said["error"]["message"]
            assert "end the program that holds it" in said["error"]["hint"]
        await shows(node, "database", "locked")
        assert stored(node, "list") == {f"r-{number}" for number in range(60)}, "reading goes on"
    await is_ready(node)
    assert await node.matching("ListExchanges", matching_pb2.ListExchangesRequest(limit=1_000)) == known
    code, said = trisect(node, *importing)
    assert (code, said["data"]["accepted"]) == (0, 100)
    assert len(stored(node, "locked-out")) == 100
    await assert_matches(cluster)
    assert node.state["pid"] == pid


@pytest.mark.parametrize(
    ("spoil", "message", "cure"),
    [
        (full_disk, "disk is full", "free space"),
        (locked, "locked by another process", "end the program that holds it"),
    ],
)
async def test_a_coordinator_that_cannot_write(
    cluster: Cluster,
    tmp_path: Path,
    spoil: Callable[[Daemon], AbstractContextManager[None]],
    message: str,
    cure: str,
):
    coordinator, government = cluster.coordinator, cluster["government"]
    quick = {"coordinator.app.DATABASE_CHECK_S": 0.2, "trisect.store.database.BUSY_TIMEOUT_S": 0.3}
    await restart(coordinator, quick)
    await connected(cluster)
    name = spoil.__name__.replace("_", "-")
    inviting = ("invite", "--party", name, "--role", "provider")
    invitation = await coordinator.invite(f"late-{name}", "provider")
    joined = join(tmp_path / name, await coordinator.invite(name, "provider"))
    admitting = ("party", "admit", name, "--fingerprint", joined["fingerprint"])
    joining = ("--home", tmp_path / "late", "--invitation", "-", "--format", "json")
    before = rows(coordinator)
    pid = coordinator.pid
    with spoil(coordinator):
        refused = run("trisect-node", "join", *joining, stdin=invitation)
        for code, said in (
            trisect(coordinator, *inviting),
            trisect(government, *admitting),
            (refused.returncode, json.loads(refused.stdout)),
        ):
            assert (code, said["error"]["code"]) == (1, "TRI-EXHAUSTED")
            assert message in said["error"]["message"]
            assert cure in said["error"]["hint"]
        await shows(coordinator, "database", message)
        assert rows(coordinator) == before
        assert {party.name for party in (await coordinator.status()).parties} >= {"telco", name}
    await is_ready(coordinator)
    assert trisect(coordinator, *inviting)[1]["status"] == "ok"
    assert trisect(government, *admitting)[1]["data"]["key_check"] == "fingerprint"
    assert join(tmp_path / "late", invitation)["state"] == "pending"
    assert coordinator.state["pid"] == pid
    await assert_matches(cluster)


def rows(coordinator: Daemon) -> dict[str, int]:
    """Count what a coordinator has kept."""
    with reading(database(coordinator)) as found:
        assert found.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return {
            table: found.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("invitations", "enrolled", "statements")
        }
