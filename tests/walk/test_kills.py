"""`kill -9` of every process at every named phase of an exchange: never a partial or wrong result.

A phase is an event that the relay holds until the kill is done; a row whose event never comes fails. Whatever
was killed is started again, and then both ends must have ended the exchange, with the exact hits or none.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from pathlib import Path

import psutil
import pytest
import sqlalchemy as sa
from support import hostile_coordinator
from support.cluster import COMMON, Cluster, foul_relay
from support.daemons import Daemon, until, until_gone
from support.holding import held

from trisect.psi.points import BLOCK_POINTS
from trisect.record import entries
from trisect.rules.permit import Permit
from trisect.store.budgets import Account, Budgets
from trisect.store.database import Database, sqlite_url
from trisect.store.record import Record
from trisect.store.tables import coordinator_budgets, coordinator_record, node_budgets
from trisect.wire.v1 import matching_pb2, node_admin_pb2

pytestmark = pytest.mark.walk
SETTLED_S = 30.0
OPEN = {"offered", "running", "unconfirmed"}
PROCESSES = ("telco", "proxy", "coordinator", "government")
WORKERS = ("worker of telco", "worker of proxy")
ROWS = [
    *((event, process) for event in hostile_coordinator.EVENTS for process in (*PROCESSES, *WORKERS)),
    # A node that is told to stop must not deny a result that its peer may have.
    ("responses end", "stop of proxy"),
    ("responses end", "stop of telco"),
    ("receipt passes", "stop of proxy"),
    ("receipt passes", "stop of telco"),
]
HALVES = ("setup half passed", "requests half passed", "responses half passed")
LONG_ROWS = [
    ("setup half passed", "proxy"),
    ("requests half passed", "telco"),
    ("responses half passed", "coordinator"),
    *((event, process) for event in HALVES for process in WORKERS),
]
AT_WORK = {
    "worker of telco": {"asker begins", "setup passes", "requests end", "responses end", *HALVES},
    "worker of proxy": {"requests end", "setup half passed", "requests half passed"},
}
"""When a worker has something left to do; at any other event the nursery dies alone, and the next exchange needs another."""
MAY_BE_DONE = {("setup passes", "worker of proxy"), ("responses half passed", "worker of proxy")}
"""Where the relay holds what the worker has sent, and not what it still answers: it may have come to its end."""
LONG = BLOCK_POINTS + 100
"""As many entries as pad to two blocks."""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory):
    async def create() -> Cluster:
        folder = tmp_path_factory.mktemp("kills")
        found = await Cluster.create(folder, ("government", "telco", "proxy"), prepare=foul_relay)
        await found.list_hosts()
        for name, first in (("telco", 0), ("proxy", LONG - 30)):
            values = [f"long-{number}.example.com" for number in range(first, first + LONG)]
            await found[name].import_values("long", values)
            await found[name].share("long", "all")
        return found

    found = asyncio.run(create())
    yield found
    found.stop()


async def kill(cluster: Cluster, process: str) -> Daemon | None:
    """Kill a daemon, or the workers of one and their nursery; gives the daemon to start again."""
    if process in WORKERS:
        node = cluster[process.removeprefix("worker of ")]

        async def present() -> psutil.Process | None:
            return node.psi_nursery()

        nursery = await until(present, f"the nursery of the {process}")
        for killed in (nursery, *nursery.children()):
            with contextlib.suppress(psutil.NoSuchProcess):
                killed.send_signal(signal.SIGKILL)
            await until_gone(killed.pid)
        return None
    if process.startswith("stop of "):
        daemon = cluster[process.removeprefix("stop of ")]
        daemon.terminate()
        return daemon
    daemon = cluster.coordinator if process == "coordinator" else cluster[process]
    daemon.kill()
    return daemon


@pytest.mark.parametrize(("event", "process"), ROWS)
async def test_a_kill_leaves_the_exact_result_or_none(
    cluster: Cluster, tmp_path: Path, event: str, process: str
):
    await killed_at(cluster, tmp_path, event, process, "list", COMMON)


@pytest.mark.parametrize(("event", "process"), LONG_ROWS)
async def test_a_kill_in_the_middle_of_many_blocks(
    cluster: Cluster, tmp_path: Path, event: str, process: str
):
    expected = {f"r-{number}" for number in range(LONG - 30, LONG)}
    await killed_at(cluster, tmp_path, event, process, "long", expected)


async def test_a_rotation_in_the_middle_brings_every_hit(cluster: Cluster, tmp_path: Path):
    """The tokens that were asked are of another epoch than the entries when the result comes."""
    known = {found.exchange_id for found in await exchanges(cluster, "telco")}
    async with held(cluster, "setup passes", tmp_path) as reached:
        asking = asyncio.create_task(cluster["telco"].match("list", "proxy", "list"))
        await asyncio.wait_for(reached.wait(), 20)
        await cluster["government"].admin("RotatePepper", node_admin_pb2.RotatePepperRequest())
        await cluster["telco"].until_rolled(1)
    exchange = await asking
    assert exchange.exchange_id not in known
    assert (exchange.state, exchange.matched) == ("complete", 30), (
        exchange.error.message,
        (await cluster["proxy"].exchange(exchange.exchange_id)).error.message,
    )
    assert {hit.ref for hit in await cluster["telco"].hits(exchange.exchange_id)} == COMMON


async def test_no_kill_has_given_anything_back(cluster: Cluster):
    """After all of them: what the record permits is charged at the coordinator, what was computed at the answerer."""

    def ledger(daemon: Daemon, name: str, table: sa.Table) -> int:
        with contextlib.closing(Database(sqlite_url(daemon.home / name))) as database:
            rows = Budgets(database, table).since("")
        return sum(
            one.elements for one in rows if one.account == Account("telco", "proxy", "scam-prevention")
        )

    with contextlib.closing(Database(sqlite_url(cluster.coordinator.home / "coordinator.db"))) as database:
        record = Record(database, coordinator_record)
        found = [
            Permit.peek(entry)
            for first in range(0, record.size, 500)
            for entry in record.entries(first)
            if entries.kind(entry) == Permit.KIND
        ]
    permitted = [one for one in found if one.asker == "telco"]
    ended = [one for one in await exchanges(cluster, "telco") if one.state == "complete"]
    assert len(permitted) > len(ended) > 10
    computed = sum(one.asked_padded for one in ended if one.end == "asker")
    at_coordinator = ledger(cluster.coordinator, "coordinator.db", coordinator_budgets)
    at_answerer = ledger(cluster["proxy"], "node.db", node_budgets)
    assert computed <= at_answerer <= at_coordinator
    assert at_coordinator >= sum(one.budget for one in permitted)


async def killed_at(
    cluster: Cluster, tmp_path: Path, event: str, process: str, collection: str, expected: set[str]
) -> None:
    """Kill a process at an event of an exchange, and check what both ends make of it."""
    known = {found.exchange_id for found in await exchanges(cluster, "telco")}
    async with held(cluster, event, tmp_path) as reached:
        asking = asyncio.create_task(attempt(cluster, collection))
        await asyncio.wait_for(reached.wait(), 60)
        killed = await kill(cluster, process)
        if killed is not None:
            await killed.start()
        back_at = asyncio.get_running_loop().time()

    async def settled() -> bool:
        return (
            not {found.state for name in ("telco", "proxy") for found in await exchanges(cluster, name)}
            & OPEN
        )

    async with asyncio.timeout_at(back_at + SETTLED_S):
        await asking
        for node in cluster.nodes.values():
            await until(node.is_admitted, f"{node.name} to be back")
        await until(settled, "both ends to have ended the exchange")
    (ours,) = [found for found in await exchanges(cluster, "telco") if found.exchange_id not in known]
    theirs = [found for found in await exchanges(cluster, "proxy") if found.exchange_id == ours.exchange_id]
    hits = {hit.ref for hit in await cluster["telco"].hits(ours.exchange_id)}
    if ours.state == "complete":
        assert hits == expected
        assert [found.state for found in theirs] == ["complete"]
    else:
        assert ours.state == "failed"
        assert ours.error.message
        assert hits == set()
        assert [found.state for found in theirs] in ([], ["failed"])
        assert all(found.error.message for found in theirs)
    if process in WORKERS:
        ends = {"worker of telco": ours, "worker of proxy": theirs[0]}
        lost = event in AT_WORK[process]
        if (event, process) in MAY_BE_DONE:
            lost = ours.state == "failed"
        assert ours.state == ("failed" if lost else "complete"), ours.error.message
        assert ends[process].error.code == ("TRI-WORKER" if lost else "")
    good = await cluster["telco"].match("list", "proxy", "list")
    assert (good.state, good.matched) == ("complete", 30)


async def attempt(cluster: Cluster, collection: str) -> None:
    """Start a match and wait for its end; either may be cut off by the kill."""
    import grpc.aio

    with contextlib.suppress(grpc.aio.AioRpcError, OSError, AssertionError):
        await cluster["telco"].match(collection, "proxy", collection)


async def exchanges(cluster: Cluster, name: str) -> list[matching_pb2.Exchange]:
    reply = await cluster[name].matching("ListExchanges", matching_pb2.ListExchangesRequest(limit=1000))
    return list(reply.exchanges)
