"""What a node repeats by itself: it runs when due, says how it went, outlives `kill -9`, and ends when removed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.cluster import Cluster, run
from support.daemons import Daemon, Node, until

from trisect.wire.v1 import matching_pb2, schedules_pb2, schedules_pb2_grpc

pytestmark = pytest.mark.walk
EVERY = "1s"
"""Less than the ten seconds below which a node refuses a schedule, unless it is tuned."""


def impatient(daemon: Daemon) -> None:
    if daemon.home.name == "telco":
        daemon.tune({"nodes.schedules.SHORTEST_S": 1})


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    async def create() -> Cluster:
        folder = tmp_path_factory.mktemp("schedules")
        found = await Cluster.create(folder, ("government", "telco", "proxy"), prepare=impatient)
        await found.list_hosts()
        return found

    found = asyncio.run(create())
    yield found
    found.stop()


def schedule(node: Node, *arguments: object) -> tuple[int, dict[str, Any]]:
    """Run `trisect schedule`; gives its exit code, and its data or its error."""
    ended = run("trisect", "--home", node.home, "--format", "json", "schedule", *arguments)
    said = json.loads(ended.stdout)
    return ended.returncode, said.get("data") or said["error"]


def add_match(node: Node, every: str = EVERY) -> tuple[int, dict[str, Any]]:
    asked = ("--collection", "list", "--peer", "proxy", "--with", "list", "--purpose", "scam-prevention")
    return schedule(node, "add", "match", "--every", every, *asked)


def add_import(node: Node, file: Path) -> str:
    code, data = schedule(
        node,
        *("add", "import", file, "--every", EVERY),
        *("--collection", file.stem, "--kind", "domain", "--replace"),
    )
    assert code == 0, data
    return str(data["id"])


def listed(node: Node) -> dict[str, dict[str, Any]]:
    code, data = schedule(node, "list")
    assert code == 0
    return {one["id"]: one for one in data["schedules"]}


async def told(node: Node, schedule_id: str) -> schedules_pb2.Schedule:
    """Ask the node itself, which is quicker than the command."""
    async with node.channel() as channel:
        stub = schedules_pb2_grpc.SchedulesStub(channel)
        reply = await stub.ListSchedules(schedules_pb2.ListSchedulesRequest(), timeout=30)
    (found,) = [one for one in reply.schedules if one.id == schedule_id]
    return found


async def result(node: Node, schedule_id: str, *words: str) -> str:
    """Wait until the last run of a schedule ended with these words; gives its whole result."""

    async def said() -> str:
        found = (await told(node, schedule_id)).last_result
        return found if all(word in found for word in words) else ""

    return await until(said, f"a scheduled run to end with {words}")


async def complete(node: Node) -> set[str]:
    reply = await node.matching("ListExchanges", matching_pb2.ListExchangesRequest(limit=1_000))
    return {found.exchange_id for found in reply.exchanges if found.state == "complete"}


async def more(node: Node, known: set[str], count: int) -> set[str]:
    async def found() -> set[str]:
        new = await complete(node) - known
        return new if len(new) >= count else set()

    return await until(found, f"{count} more exchanges to be complete")


async def removed(node: Node, schedule_id: str) -> None:
    code, data = schedule(node, "remove", schedule_id)
    assert (code, data) == (0, {"id": schedule_id})
    code, error = schedule(node, "remove", schedule_id)
    assert (code, error["code"]) == (4, "TRI-UNKNOWN")
    assert schedule_id not in listed(node)


async def test_a_match_is_repeated_until_it_is_removed(cluster: Cluster, tmp_path: Path):
    node, proxy = cluster["telco"], cluster["proxy"]
    code, added = add_match(node)
    assert (code, added["every_s"], added["match"]["peer"]) == (0, 1, "proxy")
    ran = await more(node, set(), 2)
    assert {hit.ref for hit in await node.hits(min(ran))} == {f"r-{number}" for number in range(30, 60)}
    assert ran <= await complete(proxy), "with the right peer, which has recorded them too"
    assert "30 hits" in await result(node, added["id"], "exchange")

    proxy.kill()
    assert await result(node, added["id"], "failed", "proxy is offline")
    await proxy.start()
    await result(node, added["id"], "30 hits")

    node.kill()
    await node.start()
    assert listed(node)[added["id"]]["match"] == added["match"]
    await more(node, await complete(node), 2)

    await removed(node, added["id"])
    marker = tmp_path / "marker.csv"
    marker.write_text("host-1.example.com\n")
    counting = add_import(node, marker)
    await result(node, counting, "1 known")  # by its second run, whatever was under way has ended
    ended, before = await complete(node), (await told(node, counting)).next_at

    async def again() -> bool:
        return (await told(node, counting)).next_at > before

    await until(again, "the other schedule to run again")
    assert await complete(node) == ended
    await removed(node, counting)


async def test_an_import_reads_its_file_anew_each_time(cluster: Cluster, tmp_path: Path):
    node, file = cluster["telco"], tmp_path / "daily.csv"
    file.write_text("".join(f"host-{number}.example.com\n" for number in range(20)))
    repeating = add_import(node, file)
    await result(node, repeating, "20 rows: ")
    later = tmp_path / "later.csv"
    later.write_text("".join(f"host-{number}.example.com\n" for number in range(2, 23)))
    later.replace(file)
    await result(node, repeating, "21 rows: ")
    file.unlink()
    await result(node, repeating, "failed", "cannot read the file")
    shown = run("trisect", "--home", node.home, "--format", "json", "collection", "show", "daily")
    assert json.loads(shown.stdout)["data"]["entries"] == 21
    await removed(node, repeating)


def test_what_could_never_run_is_refused_at_once(cluster: Cluster, tmp_path: Path):
    proxy = cluster["proxy"]
    code, error = add_match(proxy, "9s")
    assert (code, error["code"]) == (4, "TRI-INPUT")
    assert "at most every 10 s" in error["message"]
    code, error = schedule(
        proxy, "add", "import", tmp_path / "none.csv", "--every", "1h", "--collection", "none"
    )
    assert (code, error["code"]) == (4, "TRI-INPUT")
    assert listed(proxy) == {}
