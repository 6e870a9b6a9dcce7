"""A relay that tampers with frames, and a peer that sends malformed PSI messages: never a wrong result.

Each row must have done its harm (or the test fails), both nodes keep their process, no hit is released, and
the next exchange between the same two is good.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import grpc.aio
import pytest
from support import hostile_coordinator, hostile_node
from support.cluster import COMMON, Cluster, foul_relay, trisect
from support.daemons import Daemon, Node, until
from support.holding import held

from nodes.keys import NodeKeys
from trisect.rpc import tls
from trisect.rules.offers import Receipt
from trisect.wire.v1 import matching_pb2, relay_pb2_grpc

pytestmark = pytest.mark.walk


def misbehaving(daemon: Daemon) -> None:
    """Make coordinator and proxy such as misbehave when told to, and nodes such as do not wait long."""
    foul_relay(daemon)
    if daemon.home.name == "proxy":
        daemon.tune({"nodes.exchanges.recovery.EVERY_S": 0.2})
        daemon.script = Path(hostile_node.__file__)
    if isinstance(daemon, Node):
        with (daemon.home / "config.toml").open("a") as config:
            config.write("[timeouts]\npeer_idle_s = 2\n")


@pytest.fixture(scope="module")
def foul(tmp_path_factory: pytest.TempPathFactory):
    """Telco is honest; the coordinator and the proxy misbehave when told to."""

    async def create() -> Cluster:
        folder = tmp_path_factory.mktemp("foul")
        cluster = await Cluster.create(folder, ("government", "telco", "proxy"), prepare=misbehaving)
        await cluster.list_hosts()
        assert (await cluster["telco"].match("list", "proxy", "list")).matched == 30
        assert (await cluster["proxy"].match("list", "telco", "list")).matched == 30
        return cluster

    cluster = asyncio.run(create())
    yield cluster
    cluster.stop()


@contextlib.asynccontextmanager
async def unharmed(cluster: Cluster, asker: str = "telco", answerer: str = "proxy") -> AsyncIterator[None]:
    """Both nodes outlive what the block does to them: the same processes then complete a good exchange."""
    ends = (cluster[asker], cluster[answerer])
    pids = [node.state["pid"] for node in ends]
    yield
    good = await cluster[asker].match("list", answerer, "list")
    assert (good.state, good.matched) == ("complete", 30)
    assert [node.state["pid"] for node in ends] == pids == [node.pid for node in ends]
    for node in ends:
        assert "nobody foresaw" not in node.log()


async def harmless(cluster: Cluster, asker: str, answerer: str, villain) -> None:
    """Run a sabotaged exchange and then a good one."""
    async with unharmed(cluster, asker, answerer):
        await sabotaged(cluster, asker, answerer, villain)


async def sabotaged(cluster: Cluster, asker: str, answerer: str, villain) -> None:
    """Run an exchange that fails at both ends, without a hit."""
    exchange_id = await cluster[asker].start_match("list", answerer, "list")
    ended = await cluster[asker].outcome(exchange_id)
    assert villain.has_misbehaved, "the row never did its harm"
    assert ended.state == "failed", ended
    assert await cluster[asker].hits(exchange_id) == []

    async def answerer_has_ended() -> bool:
        return (await cluster[answerer].exchange(exchange_id)).state == "failed"

    await until(answerer_has_ended, "the answerer to end the exchange as failed")


FRAME_ROWS = [
    (party, frame, action)
    for party in ("telco", "proxy")
    for frame in (0, 1)
    for action in hostile_coordinator.ACTIONS
    # Nothing to swap, to mark or to go back to there; and what follows a final frame is never read.
    if (action, frame)
    not in {
        ("mark as final", 1),
        ("unmark final", 0),
        ("swap with next", 1),
        ("duplicate", 1),
        ("rewind", 0),
    }
]


@pytest.mark.parametrize(("party", "frame", "action"), FRAME_ROWS)
async def test_a_relay_that_tampers_causes_an_abort(foul: Cluster, party, frame, action):
    foul.coordinator.misbehave(mutate=action, party=party, frame=frame)
    await harmless(foul, "telco", "proxy", foul.coordinator)


@pytest.mark.parametrize("party", ["telco", "proxy"])
async def test_no_second_stream_joins_an_end(foul: Cluster, tmp_path: Path, party: str):
    """With the party's own certificate and in the middle of its exchange: as one that comes back, or a stolen key."""
    keys = NodeKeys.load(foul[party].home)
    address = foul.coordinator.state["address"]
    async with (
        held(foul, "responses end", tmp_path) as reached,
        tls.coordinator_channel(address, keys.authority, keys.tls) as channel,
    ):
        exchange_id = await foul["telco"].start_match("list", "proxy", "list")
        await asyncio.wait_for(reached.wait(), 20)
        second = relay_pb2_grpc.RelayStub(channel).Exchange(metadata=(("trisect-exchange", exchange_id),))
        with pytest.raises(grpc.aio.AioRpcError, match="this end of the exchange has joined before"):
            await asyncio.wait_for(second.read(), 20)
    assert (await foul["telco"].outcome(exchange_id)).state == "complete"
    assert {hit.ref for hit in await foul["telco"].hits(exchange_id)} == COMMON


# An asker's blinded points are random to everybody else: in another order, or made up, they only hurt itself.
ASKER_ROWS = [
    ("REQUEST", action)
    for action in hostile_node.ACTIONS
    if action not in {"unsorted", "rotated", "random points"}
]
ANSWERER_ROWS = [(tag, action) for tag in ("SETUP", "RESPONSE") for action in hostile_node.ACTIONS]


@pytest.mark.parametrize(("tag", "action"), ASKER_ROWS)
async def test_a_malformed_asker_harms_nobody(foul: Cluster, tag, action):
    foul["proxy"].misbehave(mutate=action, tag=tag, block=0)
    await harmless(foul, "proxy", "telco", foul["proxy"])


@pytest.mark.parametrize(("tag", "action"), ANSWERER_ROWS)
async def test_a_malformed_answerer_harms_nobody(foul: Cluster, tag, action):
    foul["proxy"].misbehave(mutate=action, tag=tag, block=0)
    await harmless(foul, "telco", "proxy", foul["proxy"])


@pytest.mark.parametrize(("asker", "answerer"), [("proxy", "telco"), ("telco", "proxy")])
async def test_an_end_that_commits_to_nothing_gets_nothing(foul: Cluster, asker: str, answerer: str):
    foul["proxy"].misbehave(mutate=hostile_node.SHORT_COMMITMENT)
    await harmless(foul, asker, answerer, foul["proxy"])


@pytest.mark.parametrize("action", hostile_coordinator.CALL_ACTIONS)
async def test_a_relay_that_tampers_with_offers_starts_nothing(foul: Cluster, action):
    async with unharmed(foul):
        await fails_to_start(foul, action)


async def fails_to_start(foul: Cluster, action: str) -> None:
    known = {found.exchange_id for found in await exchanges(foul, "telco")}
    foul.coordinator.misbehave(calls={"OFFER": action})
    with pytest.raises(grpc.aio.AioRpcError):
        await foul["telco"].start_match("list", "proxy", "list")
    assert foul.coordinator.has_misbehaved
    (ours,) = [found for found in await exchanges(foul, "telco") if found.exchange_id not in known]
    assert ours.state in {"failed", "refused"}
    assert await foul["telco"].hits(ours.exchange_id) == []

    async def nothing_runs_at_the_answerer() -> bool:
        return not {found.state for found in await exchanges(foul, "proxy")} & {"offered", "running"}

    await until(nothing_runs_at_the_answerer, "the answerer to end what it had accepted")


@pytest.mark.parametrize("action", hostile_coordinator.CALL_ACTIONS)
async def test_a_relay_that_tampers_with_receipts_delays_them_only(foul: Cluster, action):
    async with unharmed(foul):
        foul.coordinator.misbehave(calls={"RECEIPT": action})
        exchange = await foul["telco"].match("list", "proxy", "list")
        assert foul.coordinator.has_misbehaved
        assert exchange.state == "complete"
        assert {hit.ref for hit in await foul["telco"].hits(exchange.exchange_id)} == COMMON
        await until(lambda: is_complete(foul, "proxy", exchange.exchange_id), "the receipt to be given again")


@pytest.mark.parametrize("action", hostile_coordinator.CALL_ACTIONS)
async def test_no_relay_can_tell_an_answerer_that_its_exchange_failed(foul: Cluster, action):
    """The asker holds the hits and its receipt is kept from the answerer, which is told what the relay likes."""
    async with unharmed(foul):
        await tells_lies(foul, action)


async def tells_lies(foul: Cluster, action: str) -> None:
    done = foul.coordinator.home / hostile_coordinator.DONE
    done.unlink(missing_ok=True)
    if action in {"answer to an earlier one", "earlier question"}:
        await settle_by_inquiry(foul)
    foul.coordinator.misbehave(calls={"RECEIPT": "lose the question", "INQUIRE": action}, stay=True)
    exchange = await foul["telco"].match("list", "proxy", "list")
    assert exchange.state == "complete"

    async def told_twice() -> bool:
        return done.exists() and done.read_text().count(f"INQUIRE: {action}") >= 2

    await until(told_twice, "the answerer to have inquired twice")
    assert (await foul["proxy"].exchange(exchange.exchange_id)).state == "unconfirmed"
    foul.coordinator.behave()
    await until(lambda: is_complete(foul, "proxy", exchange.exchange_id), "the answerer to learn the truth")


async def settle_by_inquiry(foul: Cluster) -> None:
    """Let one exchange be settled by an honest inquiry, so that there is an earlier one."""
    foul.coordinator.misbehave(calls={"RECEIPT": "lose the question"}, stay=True)
    exchange = await foul["telco"].match("list", "proxy", "list")
    await until(lambda: is_complete(foul, "proxy", exchange.exchange_id), "the answerer to inquire")
    foul.coordinator.behave()


async def is_complete(cluster: Cluster, name: str, exchange_id: str) -> bool:
    return (await cluster[name].exchange(exchange_id)).state == "complete"


async def exchanges(cluster: Cluster, name: str) -> list[matching_pb2.Exchange]:
    reply = await cluster[name].matching("ListExchanges", matching_pb2.ListExchangesRequest(limit=1000))
    return list(reply.exchanges)


async def test_a_receipt_that_contradicts_is_a_breach_that_everybody_can_check(foul: Cluster):
    foul["proxy"].misbehave(mutate=hostile_node.OTHER_RECEIPT)
    exchange_id = await foul["proxy"].start_match("list", "telco", "list")

    async def told_to_all() -> list[dict]:
        code, told = await asyncio.to_thread(trisect, foul["government"], "breach", "list")
        assert code == 0, told
        return [one for one in told["data"]["breaches"] if one["party"] == "proxy"]

    (breach,) = await until(told_to_all, "the breach to be filed")
    assert (breach["state"], breach["ground"], breach["issuer"]) == ("open", "receipts", "telco")
    (theirs, ours) = (Receipt.peek(base64.b64decode(one)) for one in breach["proofs"])
    assert theirs.exchange.hex() == ours.exchange.hex() == exchange_id
    assert theirs.elements_evaluated == ours.elements_evaluated - 1
    assert (await foul["telco"].exchange(exchange_id)).state == "unconfirmed"
