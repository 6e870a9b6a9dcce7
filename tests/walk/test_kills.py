"""`kill -9` of every process at every named phase of an exchange: never a partial or wrong result.

A phase is an event that the relay holds until the kill is done; a row whose event never comes fails. Whatever
was killed is started again, and then both ends must have ended the exchange, with the exact hits or none.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
from support import hostile_coordinator
from support.cluster import Cluster, Daemon, until

from trisect.wire.v1 import matching_pb2

pytestmark = pytest.mark.walk
SCRIPT = Path(hostile_coordinator.__file__)
SETTLED_S = 30.0
EXPECTED = {f"r-{number}" for number in range(30, 60)}
OPEN = {"offered", "running", "unconfirmed"}
PROCESSES = ("telco", "bank", "coordinator", "government")
ROWS = [(event, process) for event in hostile_coordinator.EVENTS for process in PROCESSES] + [
    # The answerer's worker has done its work when its last response passes, and may be gone.
    ("setup passes", "worker of telco"),
    ("setup passes", "worker of bank"),
    ("requests end", "worker of telco"),
    ("requests end", "worker of bank"),
    ("responses end", "worker of telco"),
]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory):
    async def create() -> Cluster:
        found = await Cluster.create(tmp_path_factory.mktemp("kills"), ("government", "telco", "bank"))
        found.coordinator.terminate()
        found.coordinator.script = SCRIPT
        await found.coordinator.start()
        for node in found.nodes.values():
            await until(node.is_admitted, f"{node.name} to come back")
        for name, numbers in (("telco", range(60)), ("bank", range(30, 90))):
            await found[name].import_values("list", [f"host-{number}.example.com" for number in numbers])
            await found[name].share("list", "all")
        return found

    found = asyncio.run(create())
    yield found
    found.stop()


@contextlib.asynccontextmanager
async def held(cluster: Cluster, event: str, tmp_path: Path) -> AsyncIterator[asyncio.Event]:
    """Have the relay hold at an event; gives what is set when it has come. It goes on when the block ends."""
    reached, go = asyncio.Event(), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert (await reader.readline()).decode().strip() == event
        reached.set()
        await go.wait()
        with contextlib.suppress(ConnectionError):
            writer.write(b"go\n")
            await writer.drain()
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    place = Path(os.path.relpath(tmp_path / "hold.sock"))
    place = place if len(str(place)) < 100 else Path("/tmp") / f"hold-{os.getpid()}-{id(go)}.sock"
    server = await asyncio.start_unix_server(serve, place)
    try:
        cluster.coordinator.misbehave(hold=event, socket=str(place.absolute()))
        yield reached
    finally:
        go.set()
        server.close()
        await server.wait_closed()
        place.unlink(missing_ok=True)


def kill(cluster: Cluster, process: str) -> Daemon | None:
    """Kill a daemon, or the worker that computes for one; gives the daemon to start again."""
    if process.startswith("worker of "):
        node = cluster[process.removeprefix("worker of ")]
        workers = [
            child for child in psutil.Process(node.pid).children() if "nodes.psi_worker" in child.cmdline()
        ]
        busy = max(workers, key=lambda child: sum(child.cpu_times()[:2]))
        busy.send_signal(signal.SIGKILL)
        return None
    daemon = cluster.coordinator if process == "coordinator" else cluster[process]
    daemon.kill()
    return daemon


@pytest.mark.parametrize(("event", "process"), ROWS)
async def test_a_kill_leaves_the_exact_result_or_none(
    cluster: Cluster, tmp_path: Path, event: str, process: str
):
    known = {found.exchange_id for found in await exchanges(cluster, "telco")}
    async with held(cluster, event, tmp_path) as reached:
        asking = asyncio.create_task(attempt(cluster))
        await asyncio.wait_for(reached.wait(), 20)
        killed = kill(cluster, process)
        if killed is not None:
            await killed.start()
    await asking
    for node in cluster.nodes.values():
        await until(node.is_admitted, f"{node.name} to be back", SETTLED_S)

    async def settled() -> bool:
        return (
            not {found.state for name in ("telco", "bank") for found in await exchanges(cluster, name)} & OPEN
        )

    await until(settled, "both ends to have ended the exchange", SETTLED_S)
    (ours,) = [found for found in await exchanges(cluster, "telco") if found.exchange_id not in known]
    theirs = [found for found in await exchanges(cluster, "bank") if found.exchange_id == ours.exchange_id]
    hits = {hit.ref for hit in await cluster["telco"].hits(ours.exchange_id)}
    if ours.state == "complete":
        assert hits == EXPECTED
        assert [found.state for found in theirs] == ["complete"]
    else:
        assert ours.state == "failed"
        assert ours.error_message
        assert hits == set()
        assert [found.state for found in theirs] in ([], ["failed"])
    good = await cluster["telco"].match("list", "bank", "list")
    assert (good.state, good.matched) == ("complete", 30)


async def attempt(cluster: Cluster) -> None:
    """Start a match and wait for its end; either may be cut off by the kill."""
    import grpc.aio

    with contextlib.suppress(grpc.aio.AioRpcError, OSError, AssertionError):
        await cluster["telco"].match("list", "bank", "list")


async def exchanges(cluster: Cluster, name: str) -> list[matching_pb2.Exchange]:
    reply = await cluster[name].matching("ListExchanges", matching_pb2.ListExchangesRequest(limit=1000))
    return list(reply.exchanges)
