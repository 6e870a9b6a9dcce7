"""What goes wrong around a node, or the coordinator: full disk, locked database, wrong clocks, expired certificate, absent peer.

Each is told clearly with its cure, loses nothing, and is over when its cause is.
"""

from __future__ import annotations

import asyncio
import csv
import datetime as dt
import json
import resource
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
from support import tuned_daemon
from support.cluster import COMMON, Cluster, foul_relay, join, run, trisect
from support.daemons import Daemon, Node, until
from walk.test_kills import held

from coordinator import authority
from nodes.keys import NodeKeys
from trisect.cli.checks import home
from trisect.trust import certificates
from trisect.trust.certificates import Caller, Principal, TlsIdentity
from trisect.wire.v1 import matching_pb2

pytestmark = pytest.mark.walk
ROWS = 8_000
LONG = "x" * 1_600
"""Makes a row long, so that a message holds about 1,000 of them."""
SOME_MESSAGES_BYTES = 400_000
EAGER = {"nodes.members.SYNC_EVERY_S": 1.0, "nodes.witness.LOOK_EVERY_S": 1.0}
QUICK = {"nodes.readiness.DATABASE_CHECK_S": 0.2}
OFFLINE_S = 5.0
HOURS_S = 2 * 3_600


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A telco and a proxy with thirty hosts in common; the relay holds where a test asks for it."""

    async def create() -> Cluster:
        folder = tmp_path_factory.mktemp("failures")
        found = await Cluster.create(folder, ("government", "telco", "proxy"), prepare=foul_relay)
        await found.list_hosts()
        return found

    found = asyncio.run(create())
    yield found
    found.stop()


async def connected(cluster: Cluster, names: Sequence[str] = ("government", "telco", "proxy")) -> None:
    for name in names:
        await until(cluster[name].is_admitted, f"{name} to be back")


async def restart(daemon: Daemon, plan: dict[str, float] | None = None) -> None:
    """Start a daemon anew, tuned; one that has ended well leaves an empty write-ahead log."""
    daemon.terminate()
    daemon.tune(QUICK | (plan or {}))
    await daemon.start()


def match(node: Node, peer: str) -> tuple[int, dict[str, Any]]:
    return trisect(
        node,
        *("match", "--collection", "list", "--peer", peer, "--with", "list", "--purpose", "scam-prevention"),
    )


async def assert_matches(cluster: Cluster) -> None:
    """Check that everything works, with the exact result."""
    exchange = await cluster["telco"].match("list", "proxy", "list")
    assert (exchange.state, exchange.error.message) == ("complete", "")
    assert {hit.ref for hit in await cluster["telco"].hits(exchange.exchange_id)} == COMMON


def reasons(daemon: Daemon) -> dict[str, str]:
    return {one["check"]: one["reason"] for one in daemon.ready()}


async def shows(daemon: Daemon, check: str, text: str) -> str:
    async def found() -> str:
        reason = reasons(daemon).get(check, "")
        return reason if text in reason else ""

    return await until(found, f"/ready of {daemon.home.name} to say {text!r}")


async def is_ready(daemon: Daemon) -> None:
    async def nothing() -> bool:
        return not daemon.ready()

    await until(nothing, f"{daemon.home.name} to be ready")


def doctored(node: Node) -> dict[str, dict[str, Any]]:
    """Give what the doctor finds wrong at a node, by name of the check."""
    code, said = trisect(node, "doctor")
    assert code == 1
    return {check["name"]: check for check in said["data"]["checks"] if not check["ok"]}


def stored(node: Node, collection: str) -> set[str]:
    with sqlite3.connect(f"file:{node.home / 'node.db'}?mode=ro", uri=True) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        query = "SELECT ref FROM entries WHERE state = 0 AND collection_id = (SELECT id FROM collections WHERE name = ?)"
        return {ref for (ref,) in database.execute(query, (collection,))}


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


def database(daemon: Daemon) -> Path:
    (found,) = daemon.home.glob("*.db")
    return found


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


@contextmanager
def locked(daemon: Daemon) -> Iterator[None]:
    """Hold the write lock of a daemon's database, as a backup or a shell would."""
    other = sqlite3.connect(database(daemon), isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")
    finally:
        other.close()


async def test_a_database_that_another_program_has_locked(cluster: Cluster, tmp_path: Path):
    node, file = cluster["telco"], tmp_path / "hosts.csv"
    file.write_text("".join(f"host-{number}.example.com\n" for number in range(100)))
    await restart(node, {"trisect.store.database.BUSY_TIMEOUT_S": 0.3})
    await connected(cluster)
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
    with sqlite3.connect(f"file:{database(coordinator)}?mode=ro", uri=True) as found:
        assert found.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return {
            table: found.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("invitations", "enrolled", "statements")
        }


@pytest.mark.parametrize(
    ("shift_s", "where", "unsettled"),
    [
        (HOURS_S, "ahead of", set()),
        # What was published an hour ago is not in force yet for a clock that is two hours behind.
        (-HOURS_S, "behind", {"rulebook", "notice"}),
    ],
    ids=["ahead", "behind"],
)
async def test_a_node_whose_clock_is_hours_off(
    cluster: Cluster, shift_s: int, where: str, unsettled: set[str]
):
    node = cluster["telco"]
    await restart(node, {tuned_daemon.SHIFT: shift_s})
    await connected(cluster)
    reason = await shows(node, "clock", f"{where} the coordinator's")
    assert "NTP" in reason
    assert set(reasons(node)) == {"clock"} | unsettled
    assert not cluster["proxy"].ready(), "the others' clocks are right"
    for asker, answerer in ((node, "proxy"), (cluster["proxy"], "telco")):
        code, said = match(asker, answerer)
        assert (code, said["error"]["code"]) == (8, "TRI-STALE")
        assert "set the clocks" in said["error"]["hint"]
    found = doctored(node)
    assert found["ready:clock"]["detail"] == reason
    assert "time synchronisation" in found["ready:clock"]["cure"]
    await restart(node)
    await is_ready(node)
    await assert_matches(cluster)


async def test_an_end_that_cannot_take_in_the_newest_pepper_refuses_the_other(cluster: Cluster):
    """Its tokens are of another epoch, so that nothing would be found."""
    government, asker, answerer = (cluster[name] for name in ("government", "telco", "proxy"))
    await restart(answerer, EAGER | {"trisect.store.database.BUSY_TIMEOUT_S": 0.3})
    await connected(cluster)
    epoch = (await asker.peppers()).epoch
    with locked(answerer):
        assert trisect(government, "pepper", "rotate", "--yes")[0] == 0
        await asker.until_rolled(epoch + 1)
        code, said = match(asker, "proxy")
        assert (code, said["error"]["code"]) == (8, "TRI-STALE")
        assert (
            f"stale pepper epoch: the offer has {epoch + 1}, here it is {epoch}" in said["error"]["message"]
        )
        assert "try again then" in said["error"]["hint"]
    await answerer.until_rolled(epoch + 1)
    await is_ready(answerer)
    await assert_matches(cluster)


async def test_a_coordinator_whose_clock_is_hours_ahead(cluster: Cluster, tmp_path: Path):
    node = cluster["telco"]
    await restart(cluster.coordinator, {tuned_daemon.SHIFT: HOURS_S})
    reason = await shows(node, "clock", "certificate does not hold at this machine's time")
    assert reason in (await node.status()).links[0].detail
    refused = match(node, "proxy")
    invitation = await cluster.coordinator.invite("newcomer", "proxy")
    ended = run(
        *("trisect-node", "join", "--home", tmp_path / "newcomer", "--invitation", "-", "--format", "json"),
        stdin=invitation,
    )
    for code, said in (refused, (ended.returncode, json.loads(ended.stdout))):
        assert (code, said["error"]["code"]) == (2, "TRI-AUTH")
        assert "certificate does not hold" in said["error"]["message"]
        assert "set the clocks" in said["error"]["hint"]
    await restart(cluster.coordinator)
    await connected(cluster)
    await is_ready(node)
    await assert_matches(cluster)


def let_expire(cluster: Cluster, node: Node, consortium: str) -> None:
    """Give a stopped node the certificate that it had if it had been off for a fortnight."""
    keys, root = NodeKeys.load(node.home), authority.load(cluster.coordinator.home)
    whom = Principal(consortium, Caller.PARTY, node.name)
    old = certificates.issue(
        root,
        certificates.signing_request(keys.tls.key),
        whom,
        now=dt.datetime.now(dt.UTC) - dt.timedelta(days=14),
        life=dt.timedelta(days=7),
    )
    keys.with_tls(TlsIdentity(keys.tls.key, old)).save(node.home)


async def test_a_certificate_that_expired_while_the_node_was_off(cluster: Cluster):
    node = cluster["telco"]
    consortium = (await node.status()).consortium
    node.terminate()
    let_expire(cluster, node, consortium)
    (finding,) = [one for one in home.findings(node.home) if one.name == "certificate"]
    assert "new invitation" in finding.cure
    await node.start()
    await shows(node, "certificate", "expired at")
    code, said = trisect(node, "status")
    assert code == 0
    (link,) = said["data"]["links"]
    assert not link["connected"]
    assert "certificate expired" in link["detail"]
    assert "new invitation" in link["detail"]
    code, said = match(node, "proxy")
    assert (code, said["error"]["code"]) == (2, "TRI-AUTH")
    assert "certificate expired" in said["error"]["message"]
    assert "trisect-node join" in said["error"]["hint"]
    invitation = await cluster.coordinator.invite("telco", "provider")
    joining = ("trisect-node", "join", "--home", node.home, "--invitation", "-", "--format", "json")
    ended = run(*joining, stdin=invitation)
    assert (ended.returncode, json.loads(ended.stdout)["error"]["code"]) == (1, "TRI-CONFLICT")
    node.terminate()
    other = run(*joining, stdin=await cluster.coordinator.invite("newcomer", "proxy"))
    assert (other.returncode, json.loads(other.stdout)["error"]["code"]) == (1, "TRI-CONFLICT")
    ended = run(*joining, stdin=invitation)
    assert ended.returncode == 0, ended.stdout
    await node.start()
    await connected(cluster)
    await is_ready(node)
    assert stored(node, "list") == {f"r-{number}" for number in range(60)}
    await assert_matches(cluster)


async def test_a_peer_that_is_offline_is_named_within_seconds(cluster: Cluster):
    for stop in (cluster["proxy"].terminate, cluster["proxy"].kill):
        stop()
        async with asyncio.timeout(OFFLINE_S):  # without the command's own start
            with pytest.raises(grpc.aio.AioRpcError, match="the node of proxy is offline"):
                await cluster["telco"].start_match("list", "proxy", "list")
        code, said = match(cluster["telco"], "proxy")
        assert (code, said["error"]["code"]) == (2, "TRI-UNREACHABLE")
        assert said["error"]["message"] == "the coordinator says: the node of proxy is offline"
        assert "ask proxy to start its node" in said["error"]["hint"]
        await cluster["proxy"].start()
        await connected(cluster)
    await assert_matches(cluster)
