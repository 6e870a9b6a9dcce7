"""Permits rest on a head of the record that counts and is fresh: without its witnesses exchanges end, and go on with them."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Iterator
from functools import partial

import pytest
from support.cluster import COMMON, NUMBERS, Cluster, trisect
from support.daemons import Daemon, Node, failure, until

from trisect.cli.demo import rules
from trisect.clock import system_clock
from trisect.errors import Fault
from trisect.rules.rulebook import Rulebook
from trisect.trust.filings import RulebookFiling
from trisect.wire.v1 import governance_pb2, governance_pb2_grpc

pytestmark = pytest.mark.walk
MAX_AGE_S = 10
LEAST = "trisect.rules.rulebook.LEAST_HEAD_AGE_S"


def hasty(daemon: Daemon) -> None:
    daemon.tune({LEAST: 1})


@pytest.fixture
def cluster(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """A rulebook that allows heads of ten seconds."""
    monkeypatch.setattr(LEAST, 1)

    async def create() -> Cluster:
        found = await Cluster.create(
            tmp_path_factory.mktemp("heads"), ("government", "telco", "proxy"), prepare=hasty
        )
        await found.list_hosts()
        return found

    found = asyncio.run(create())
    yield found
    found.stop()


async def shorten(cluster: Cluster) -> None:
    """Publish a second rulebook, by which heads age fast, and wait until every node goes by it."""
    first = rules.rulebook(system_clock().replace(microsecond=0))
    toml = first.toml.replace("version = 1", "version = 2")
    toml = toml.replace("[limits]\n", f"[limits]\nmax_head_age_s = {MAX_AGE_S}\n")
    second = Rulebook.parse(toml, first.policies.text)
    await cluster["government"].file(RulebookFiling.KIND, second.content)

    async def has_it(node: Node) -> bool:
        async with node.channel() as channel:
            stub = governance_pb2_grpc.GovernanceStub(channel)
            reply = await stub.GetRegime(governance_pb2.GetRegimeRequest(), timeout=30)
        return any(one.in_force and one.version == 2 for one in reply.rulebooks)

    for name, node in cluster.nodes.items():
        await until(partial(has_it, node), f"{name} to have the second rulebook")


async def test_a_head_that_nobody_cosigns_any_more_allows_no_exchange(cluster: Cluster) -> None:
    """The proxy is neither asker nor answerer; without its word, though, nobody knows what the record is."""
    telco, proxy = cluster["telco"], cluster["proxy"]
    await cluster["government"].offer_hosts(NUMBERS["proxy"])
    await shorten(cluster)

    async def stale() -> str:
        return {reason["check"]: reason["reason"] for reason in telco.ready()}.get("head", "")

    async def fresh() -> bool:
        return all(node.ready() == [] for node in cluster.nodes.values())

    assert (await telco.match("list", "government", "list")).matched == len(COMMON)
    proxy.kill()
    reason = await until(stale, "the head to grow old")
    assert f"the rulebook allows {MAX_AGE_S} seconds" in reason
    before = cluster.coordinator.relayed()
    error = await failure(telco.start_match("list", "government", "list"))
    assert (error.fault, error.message) == (Fault.STALE, reason)
    assert "witnesses' nodes have to be up" in error.hint
    asked = ("match", "--collection", "list", "--peer", "government", "--with", "list", "--purpose")
    code, said = await asyncio.to_thread(trisect, telco, *asked, "scam-prevention")
    assert (code, said["error"]["code"]) == (8, "TRI-STALE")
    assert cluster.coordinator.relayed() == before

    await proxy.start()
    await until(fresh, "the proxy to cosign again")
    since = system_clock()
    while system_clock() - since < dt.timedelta(seconds=MAX_AGE_S + 1):
        assert await fresh(), "nothing happens in the record, and its head is cosigned again and again"
        await asyncio.sleep(0.5)
    assert (await telco.match("list", "government", "list")).state == "complete"
