"""SIGTERM drains and SIGHUP reloads: real daemons, and exchanges that a relay holds in the middle."""

from __future__ import annotations

import asyncio
import re
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import grpc.aio
import pytest
from support.cluster import Cluster, foul_relay
from support.daemons import Daemon, Node, failure, hosts, until
from support.holding import held

from trisect.wire.v1 import collections_pb2, collections_pb2_grpc, matching_pb2

pytestmark = pytest.mark.walk
LONG_S = 600.0
"""Longer than any test waits."""
VALUES = hosts(range(20))


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory):
    async def create() -> Cluster:
        folder = tmp_path_factory.mktemp("signals")
        found = await Cluster.create(folder, ("government", "telco", "proxy"), prepare=patient)
        for node in found.nodes.values():
            await node.import_values("list", VALUES)
            await node.share("list", "all")
        return found

    found = asyncio.run(create())
    yield found
    for daemon in found.daemons:  # a second signal: nothing that a failed test has left may hold this up
        if daemon.process is not None and daemon.process.poll() is None:
            daemon.process.terminate()
    found.stop()


def patient(daemon: Daemon) -> None:
    foul_relay(daemon)
    configure(daemon, drain_s=LONG_S)


def configure(daemon: Daemon, **settings: object) -> None:
    """Set top-level keys of a configuration."""
    path = daemon.home / "config.toml"
    text = path.read_text()
    for key, value in settings.items():
        text = re.sub(rf"^{key} = .*\n", "", text, flags=re.MULTILINE)
        text = f"{key} = {value}\n{text}"
    path.write_text(text)


async def restarted(node: Node) -> None:
    """Have a node running with its configuration as it is now."""
    if node.process is not None and node.process.poll() is None:
        await asyncio.to_thread(node.terminate)
    await node.start()
    await until(node.is_admitted, f"{node.name} to be back")


def tell(daemon: Daemon, number: signal.Signals) -> None:
    assert daemon.process is not None
    daemon.process.send_signal(number)


async def ended(daemon: Daemon) -> int:
    assert daemon.process is not None
    return await asyncio.to_thread(daemon.process.wait, 20)


async def test_what_changes_meanwhile_belongs_to_the_next_exchange(cluster: Cluster, tmp_path: Path):
    """An exchange is about both lists as they were when it was offered and accepted."""
    telco, proxy = cluster["telco"], cluster["proxy"]
    for node in (telco, proxy):
        await node.import_values("moving", hosts(range(100, 120)))
        await node.share("moving", "all")
    async with held(cluster, "setup passes", tmp_path) as reached:
        exchange_id = await telco.start_match("moving", "proxy", "moving")
        await asyncio.wait_for(reached.wait(), 30)
        for node in (telco, proxy):
            await node.import_values("moving", hosts(range(102, 125)), replace=True)
    assert (await telco.outcome(exchange_id)).matched == 20
    assert len(await telco.hits(exchange_id)) == 20
    assert (await telco.match("moving", "proxy", "moving")).matched == 23


async def drains(daemon: Daemon) -> None:
    async def says_so() -> bool:
        return "draining" in {reason["check"] for reason in await asyncio.to_thread(daemon.ready)}

    await until(says_so, f"{daemon.home.name} to drain")


async def logged(daemon: Daemon, words: str, times: int = 1) -> None:
    async def there() -> bool:
        return daemon.log().count(words) >= times

    await until(there, f"{words} in the log of {daemon.home.name}")


async def back(cluster: Cluster) -> None:
    """Have everything running and connected again."""
    for daemon in cluster.daemons:
        assert daemon.process is not None
        if daemon.process.poll() is not None:
            await daemon.start()
    for node in cluster.nodes.values():
        await until(node.is_admitted, f"{node.name} to be back")


@pytest.mark.parametrize("party", ["telco", "proxy"])
async def test_a_node_ends_what_runs_and_begins_nothing(cluster: Cluster, tmp_path: Path, party: str):
    telco, proxy, stopping = cluster["telco"], cluster["proxy"], cluster[party]
    async with held(cluster, "setup passes", tmp_path) as reached:
        exchange_id = await telco.start_match("list", "proxy", "list")
        await asyncio.wait_for(reached.wait(), 20)
        tell(stopping, signal.SIGTERM)
        await drains(stopping)
        refused = await failure(stopping.start_match("list", "government", "list"))
        assert "being stopped" in refused.message
        assert "being stopped" in (await failure(stopping.import_values("other", VALUES))).message
        error = await failure(cluster["government"].start_match("list", party, "list"))
        assert f"{party} refuses: this node is being stopped" in error.message
        assert (await stopping.exchange(exchange_id)).state in {"running", "unconfirmed"}, "one may look"
        watching = asyncio.create_task(telco.outcome(exchange_id))
    done = await watching
    assert (done.state, done.matched) == ("complete", len(VALUES)), done.error.message
    assert await ended(stopping) == 0
    assert "in the middle of work" not in stopping.log()
    await back(cluster)

    async def settled() -> bool:
        return (await proxy.exchange(exchange_id)).state == "complete"

    await until(settled, "the answerer to be confirmed")


async def test_a_second_signal_ends_it_at_once(cluster: Cluster, tmp_path: Path):
    proxy = cluster["proxy"]
    async with held(cluster, "asker begins", tmp_path) as reached:
        exchange_id = await cluster["telco"].start_match("list", "proxy", "list")
        await asyncio.wait_for(reached.wait(), 20)
        tell(proxy, signal.SIGTERM)
        await drains(proxy)
        tell(proxy, signal.SIGTERM)
        assert await ended(proxy) == 0
    assert (await cluster["telco"].outcome(exchange_id)).state == "failed"
    await back(cluster)
    found = await proxy.exchange(exchange_id)
    assert (found.state, found.error.code) == ("failed", "TRI-INTERRUPTED")


async def test_a_stop_waits_no_longer_than_configured(cluster: Cluster, tmp_path: Path):
    proxy = cluster["proxy"]
    configure(proxy, drain_s=0.2)
    await restarted(proxy)
    async with held(cluster, "asker begins", tmp_path) as reached:
        await cluster["telco"].start_match("list", "proxy", "list")
        await asyncio.wait_for(reached.wait(), 20)
        tell(proxy, signal.SIGTERM)
        assert await ended(proxy) == 0
    assert "the node stops in the middle of work" in proxy.log()
    configure(proxy, drain_s=LONG_S)
    await back(cluster)


async def test_the_coordinator_lets_a_relayed_exchange_end(cluster: Cluster, tmp_path: Path):
    telco, coordinator = cluster["telco"], cluster.coordinator
    async with held(cluster, "setup passes", tmp_path) as reached:
        exchange_id = await telco.start_match("list", "proxy", "list")
        await asyncio.wait_for(reached.wait(), 20)
        tell(coordinator, signal.SIGTERM)
        await drains(coordinator)
        error = await failure(telco.start_match("list", "government", "list"))
        assert "the coordinator is being stopped" in error.message
        assert "being stopped" in (await failure(coordinator.invite("late", "proxy"))).message
    done = await telco.outcome(exchange_id)
    assert (done.state, done.matched) == ("complete", len(VALUES)), done.error.message
    assert await ended(coordinator) == 0
    await back(cluster)


async def test_a_node_lets_an_import_end(cluster: Cluster):
    government = cluster["government"]
    go = asyncio.Event()

    async def requests() -> AsyncIterator[collections_pb2.ImportRequest]:
        begin = collections_pb2.ImportBegin(collection="late", kind="domain")
        yield collections_pb2.ImportRequest(begin=begin)
        await go.wait()
        for number in range(2):
            value = f"late-{number}.example.com"
            rows = collections_pb2.RawBatch(value=[value], ref=[f"late-{number}"], where=[str(number)])
            yield collections_pb2.ImportRequest(batch=rows)
        yield collections_pb2.ImportRequest(finish=collections_pb2.ImportFinish())

    async with government.channel() as channel:
        steps = collections_pb2_grpc.CollectionsStub(channel).Import(requests(), timeout=60)
        last = await steps.read()
        tell(government, signal.SIGTERM)
        await drains(government)
        go.set()
        while (step := await steps.read()) is not grpc.aio.EOF:
            last = step
        assert (last.finished, last.accepted) == (True, 2)
    assert await ended(government) == 0
    await back(cluster)


async def test_with_nothing_running_all_stop_at_once(cluster: Cluster):
    """`drain_s` is ten minutes, and nobody waits for it; nor for links, which never end by themselves."""
    await back(cluster)
    for daemon in (cluster["telco"], cluster.coordinator):
        tell(daemon, signal.SIGTERM)
        assert await ended(daemon) == 0
    await back(cluster)


async def test_a_node_reloads_what_may_change(cluster: Cluster):
    telco = cluster["telco"]
    configure(telco, log_level='"error"')
    await restarted(telco)
    before = telco.log().count("the daemon serves")
    await restarted(telco)
    assert telco.log().count("the daemon serves") == before, "the level is above that"
    assert (await telco.match("list", "proxy", "list")).state == "complete"

    path = telco.home / "config.toml"
    former = path.read_text()
    configure(telco, log_level='"info"')
    path.write_text(path.read_text() + "\n[limits]\nmin_set = 30\nimport_workers = 1\n")
    tell(telco, signal.SIGHUP)
    await logged(telco, "changed settings that need a restart")
    assert '"changed":"log_level, limits.min_set"' in telco.log()
    assert '"settings":"limits.import_workers"' in telco.log()
    error = await failure(telco.start_match("list", "proxy", "list"))
    assert "fewer entries than the minimum of 30" in error.message
    assert "30" in (await failure(cluster["proxy"].start_match("list", "telco", "list"))).message

    # What is wrong changes nothing, however much of it is right.
    path.write_text('log_level = "debug"\nmin_sett = 1\n' + former)
    tell(telco, signal.SIGHUP)
    await logged(telco, "was not reloaded")
    path.write_text("this is no TOML")
    tell(telco, signal.SIGHUP)
    await logged(telco, "was not reloaded", 2)
    assert "minimum of 30" in (await failure(telco.start_match("list", "proxy", "list"))).message

    path.write_text(former)
    configure(telco, log_level='"info"')
    tell(telco, signal.SIGHUP)
    await logged(telco, '"changed":"limits.min_set"')
    assert (await telco.match("list", "proxy", "list")).state == "complete"


async def test_the_coordinator_reloads_what_may_change(cluster: Cluster):
    coordinator, telco = cluster.coordinator, cluster["telco"]
    path = coordinator.home / "config.toml"
    former = path.read_text()
    path.write_text(former.replace("[relay]\n", "[relay]\ncall_timeout_s = 0.000001\n"))
    tell(coordinator, signal.SIGHUP)
    await logged(coordinator, '"changed":"relay.call_timeout_s"')
    assert "did not answer in time" in (await failure(telco.start_match("list", "proxy", "list"))).message
    path.write_text(former + "nonsense")
    tell(coordinator, signal.SIGHUP)
    await logged(coordinator, "was not reloaded")
    path.write_text(former)
    tell(coordinator, signal.SIGHUP)
    await logged(coordinator, '"changed":"relay.call_timeout_s"', 2)
    request = matching_pb2.ListExchangesRequest(limit=1)
    assert (await telco.match("list", "proxy", "list")).state == "complete"
    assert (await telco.matching("ListExchanges", request)).exchanges
