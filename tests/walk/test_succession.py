"""New keys of a party over real processes: nothing that was begun is lost, and the old key counts for nothing."""

from __future__ import annotations

import asyncio
import json
import os
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
from support import hostile_coordinator
from support.cluster import NUMBERS as LISTED
from support.cluster import Cluster, foul_relay, run
from support.daemons import Daemon, Node, failure, until
from support.holding import held
from support.sqlite import reading

from nodes.keys import NodeKeys
from trisect.clock import system_clock, to_text
from trisect.errors import Fault
from trisect.rpc import tls
from trisect.rules.offers import OFFER_LIFE, Offer, Reason, Refusal
from trisect.trust import documents
from trisect.trust.keys import IdentityKey, PartyName
from trisect.trust.statements import Succession
from trisect.wire.v1 import directory_pb2, directory_pb2_grpc, node_admin_pb2, relay_pb2, relay_pb2_grpc

pytestmark = pytest.mark.walk
NUMBERS = LISTED | {"bank": range(60)}
CURIOUS = {"nodes.members.SYNC_EVERY_S": 1.0}
LOST = "lose the question"


def curious(daemon: Daemon) -> None:
    """Have nodes that look for statements often: the relay that is held tells them of none."""
    foul_relay(daemon)
    if isinstance(daemon, Node):
        daemon.tune(CURIOUS)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A telco and a proxy with thirty hosts in common; the coordinator holds and loses what a test asks for."""

    async def create() -> Cluster:
        folder = tmp_path_factory.mktemp("succession")
        found = await Cluster.create(folder, ("government", "telco", "proxy"), prepare=curious)
        await found.list_hosts()
        return found

    found = asyncio.run(create())
    yield found
    found.stop()


def trisect(node: Node, *arguments: object) -> tuple[int, dict[str, Any]]:
    ended = run("trisect", "--home", node.home, "--format", "json", *arguments)
    return ended.returncode, json.loads(ended.stdout)


async def succeed(node: Node) -> tuple[int, dict[str, Any]]:
    return await asyncio.to_thread(trisect, node, "party", "succeed", "--yes")


async def fingerprint(node: Node) -> str:
    return (await node.status()).fingerprint


async def shown(node: Node, party: str) -> node_admin_pb2.PartyInfo:
    reply = await node.admin("ListParties", node_admin_pb2.ListPartiesRequest())
    return next(one for one in reply.parties if one.name == party)


async def known_everywhere(cluster: Cluster, party: str, expected: str) -> None:
    for node in cluster.nodes.values():

        async def knows(node: Node = node) -> bool:
            return (await shown(node, party)).fingerprint == expected

        await until(knows, f"{node.name} to know the new key of {party}")


async def assert_match(cluster: Cluster, asker: str, answerer: str) -> None:
    exchange = await cluster[asker].match("list", answerer, "list")
    assert (exchange.state, exchange.matched) == ("complete", 30), exchange.error.message
    refs = {f"r-{at}" for at, number in enumerate(NUMBERS[asker]) if number in set(NUMBERS[answerer])}
    assert {hit.ref for hit in await cluster[asker].hits(exchange.exchange_id)} == refs


async def both_directions(cluster: Cluster, one: str = "telco", other: str = "proxy") -> None:
    await assert_match(cluster, one, other)
    await assert_match(cluster, other, one)


def successions(daemon: Daemon, party: str) -> list[Succession]:
    """Give the successions of a party that a daemon has stored, oldest first."""
    place = next(daemon.home.glob("*.db"))
    with reading(place) as database:
        rows = database.execute("SELECT envelope FROM statements ORDER BY sequence").fetchall()
    found = [documents.peek(envelope) for (envelope,) in rows]
    statements = [Succession.from_body(body) for kind, body in found if kind == Succession.KIND]
    return [statement for statement in statements if statement.party == party]


async def spent(cluster: Cluster) -> set[int]:
    """Tell what is charged to the telco at the proxy, as both ends' ledgers have it."""
    told = [await asyncio.to_thread(trisect, cluster[name], "budget", "show") for name in ("telco", "proxy")]
    return {one["elements"] for _, said in told for one in said["data"]["spent"] if one["asker"] == "telco"}


async def test_both_fingerprints_are_told_and_matches_go_on(cluster: Cluster):
    """And a new key, with the new certificate that it brings, has no new budget."""
    telco = cluster["telco"]
    await both_directions(cluster)
    (before,) = await spent(cluster)
    former, grants = await fingerprint(telco), (await shown(telco, "telco")).pepper_epoch
    storage = NodeKeys.load(telco.home).storage
    code, said = await succeed(telco)
    assert code == 0, said
    told = said["data"]["fingerprint"]
    assert said["data"] == {"party": "telco", "fingerprint": told, "former_fingerprint": former}
    assert told == await fingerprint(telco) != former
    await known_everywhere(cluster, "telco", told)
    seen = await shown(cluster["government"], "telco")
    assert list(seen.former_fingerprints)[-1] == former
    assert (seen.state, seen.key_check, seen.pepper_epoch) == ("active", "fingerprint", grants)
    assert NodeKeys.load(telco.home).storage == storage
    assert await spent(cluster) == {before}
    await both_directions(cluster)
    assert await spent(cluster) == {2 * before}


async def test_what_was_unconfirmed_is_settled_under_the_new_key(cluster: Cluster):
    """Receipts that the former key has signed reach the peers after the succession, in both directions."""
    telco, proxy = cluster["telco"], cluster["proxy"]
    cluster.coordinator.misbehave(calls={"RECEIPT": LOST, "INQUIRE": LOST}, stay=True)
    asked = await telco.match("list", "proxy", "list")
    answered = await proxy.match("list", "telco", "list")
    code, said = await succeed(telco)
    assert code == 0, said
    await known_everywhere(cluster, "telco", said["data"]["fingerprint"])
    open_ends = [
        (await node.exchange(exchange.exchange_id)).state
        for node, exchange in ((proxy, asked), (telco, answered))
    ]
    assert open_ends == ["unconfirmed", "unconfirmed"]
    cluster.coordinator.behave()

    async def settled() -> bool:
        return all([
            receipts(node, exchange.exchange_id) == 2
            and (await node.exchange(exchange.exchange_id)).state == "complete"
            for node in (telco, proxy)
            for exchange in (asked, answered)
        ])  # fmt: skip

    await until(settled, "every receipt to be at both ends", 60)


def receipts(node: Node, exchange_id: str) -> int:
    query = "SELECT own_receipt, peer_receipt FROM exchanges WHERE id = ?"
    with reading(node.home / "node.db") as database:
        return sum(receipt is not None for receipt in database.execute(query, (exchange_id,)).fetchone())


async def test_the_new_key_may_say_that_an_exchange_of_the_old_one_is_void(cluster: Cluster, tmp_path: Path):
    telco, proxy = cluster["telco"], cluster["proxy"]
    async with held(cluster, "responses end", tmp_path) as reached:
        exchange_id = await telco.start_match("list", "proxy", "list")
        await asyncio.wait_for(reached.wait(), 60)
        cluster.coordinator.misbehave(calls={"INQUIRE": LOST}, stay=True)
        telco.kill()
        await telco.start()
    await until(telco.is_admitted, "the telco to come back")
    code, said = await succeed(telco)
    assert code == 0, said
    await known_everywhere(cluster, "telco", said["data"]["fingerprint"])
    assert (await proxy.exchange(exchange_id)).state == "unconfirmed"
    cluster.coordinator.behave()

    async def told() -> str:
        return (await proxy.exchange(exchange_id)).error.message

    assert "the asker has signed" in await until(told, "the proxy to learn that there is no result", 60)
    assert (await proxy.exchange(exchange_id)).state == "failed"


async def test_certificates_are_renewed_with_the_new_key(cluster: Cluster):
    telco = cluster["telco"]
    code, said = await succeed(telco)
    assert code == 0, said
    await asyncio.to_thread(telco.terminate)
    telco.tune(CURIOUS | {"nodes.link.RENEW_AFTER": 0.0})
    before = telco.log().count("the certificate was renewed")
    try:
        await telco.start()

        async def renewed() -> bool:
            return telco.log().count("the certificate was renewed") > before

        await until(renewed, "a renewal")
    finally:
        await asyncio.to_thread(telco.terminate)
        telco.tune(CURIOUS)
        await telco.start()
    await until(telco.is_admitted, "the telco to come back")
    assert await fingerprint(telco) == said["data"]["fingerprint"]
    await both_directions(cluster)


async def test_the_old_key_counts_for_nothing(cluster: Cluster):
    """Whoever has it, and even the party's certificate, makes no statement and no offer with it."""
    telco, proxy = cluster["telco"], cluster["proxy"]
    former = NodeKeys.load(telco.home)
    await assert_match(cluster, "telco", "proxy")
    code, said = await succeed(telco)
    assert code == 0, said
    await known_everywhere(cluster, "telco", said["data"]["fingerprint"])
    present, proxys = NodeKeys.load(telco.home), NodeKeys.load(proxy.home)
    with reading(telco.home / "node.db") as database:
        newest = (
            "SELECT offer FROM exchanges WHERE side = 'asker' AND peer = 'proxy' ORDER BY started_at DESC"
        )
        (sample,) = database.execute(newest).fetchone()
    proxys_key = proxys.identity.public.fingerprint
    async with to_coordinator(cluster, present) as channel:
        error = await failure(offered(channel, sample, former.identity, "proxy", proxys_key))
        assert "not signed by whom it must be" in error.message
        exchange, answer = await offered(channel, sample, present.identity, "proxy", proxys_key)
        refusal, _ = Refusal.verify(answer, proxys.identity.public)
        reason = Reason.open(refusal.reason, present.sealing, exchange)
        assert "does not open with this key" in reason.message, "it has come as far as the sealed details"

        third = former.with_successor(os.urandom).successor
        assert third is not None
        statement = Succession(
            consortium=Offer.peek(sample).consortium,
            party=PartyName("telco"),
            former=former.identity.public,
            keys=third.public,
            serial=successions(telco, "telco")[-1].serial + 1,
            issuer=PartyName("telco"),
            issued=to_text(system_clock()),
        )
        envelope = documents.sign(Succession.KIND, statement.to_body(), [former.identity, third.identity])
        publish = directory_pb2_grpc.DirectoryStub(channel).Publish
        error = await failure(publish(directory_pb2.PublishRequest(envelope=envelope), timeout=30))
        assert "not signed by whom it must be" in error.message
    async with to_coordinator(cluster, proxys) as channel:
        formers_key = former.identity.public.fingerprint
        error = await failure(offered(channel, sample, proxys.identity, "telco", formers_key))
        assert error.fault is Fault.STALE, error.message
        assert "try again" in error.hint


def to_coordinator(cluster: Cluster, keys: NodeKeys) -> grpc.aio.Channel:
    return tls.coordinator_channel(cluster.coordinator.state["address"], keys.authority, keys.tls)


async def offered(
    channel: grpc.aio.Channel, sample: bytes, key: IdentityKey, answerer: str, answerer_key: str
) -> tuple[bytes, bytes]:
    """Make an offer like another one, under a key; gives the exchange and the answer.

    What is asked for is of no account: the details are sealed to nobody in particular.
    """
    exchange, now = os.urandom(16), system_clock()
    like = Offer.peek(sample)
    offer = replace(
        like,
        exchange=exchange,
        asker=like.asker if answerer == like.answerer else like.answerer,
        asker_key=key.public.fingerprint,
        answerer=answerer,
        answerer_key=answerer_key,
        created=to_text(now),
        expires=to_text(now + OFFER_LIFE),
    )
    call = relay_pb2.CallRequest(
        to=answerer, method=relay_pb2.PEER_METHOD_OFFER, exchange_id=exchange, body=offer.sign(key)
    )
    reply = await relay_pb2_grpc.RelayStub(channel).Call(call, timeout=30)
    return exchange, relay_pb2.OfferReply.FromString(reply.body).answer


@pytest.mark.parametrize("event", ["succession comes", hostile_coordinator.PUBLISHED])
async def test_a_kill_in_the_middle_leaves_one_key_or_the_other(cluster: Cluster, tmp_path: Path, event: str):
    """The new keys are kept when the statement leaves the node, and are the node's if it has arrived."""
    proxy, coordinator = cluster["proxy"], cluster.coordinator
    former, before = await fingerprint(proxy), len(successions(coordinator, "proxy"))
    published = event == hostile_coordinator.PUBLISHED
    async with held(cluster, event, tmp_path) as reached:
        asking = asyncio.create_task(succeed(proxy))
        await asyncio.wait_for(reached.wait(), 60)
        proxy.kill()
        if not published:
            coordinator.kill()
    code, said = await asking
    assert code == 2, said
    pending = NodeKeys.load(proxy.home).successor
    assert pending is not None
    expected = pending.identity.public.fingerprint
    assert len(successions(coordinator, "proxy")) == before + published
    assert len(successions(proxy, "proxy")) == before, "the node had not seen it yet"
    if not published:
        await coordinator.start()
    await proxy.start()
    for node in cluster.nodes.values():
        await until(node.is_admitted, f"{node.name} to be back")
    if not published:
        assert await fingerprint(proxy) == former
        code, said = await succeed(proxy)
        assert (code, said["data"]["fingerprint"]) == (0, expected)

    async def in_place() -> bool:
        return await fingerprint(proxy) == expected

    await until(in_place, "the new keys to be in place")
    assert len(successions(coordinator, "proxy")) == before + 1
    assert NodeKeys.load(proxy.home).successor is None
    await known_everywhere(cluster, "proxy", expected)
    await both_directions(cluster)


async def test_a_kill_before_the_keystore_is_written_is_mended_at_the_start(cluster: Cluster):
    """The node's database has the statement, and its keystore still says that the keys are to come."""
    proxy = cluster["proxy"]
    await asyncio.to_thread(proxy.terminate)
    begun = NodeKeys.load(proxy.home).with_successor(os.urandom)
    begun.save(proxy.home)
    await proxy.start()
    await until(proxy.is_admitted, "the proxy to come back")
    code, said = await succeed(proxy)
    assert code == 0, said
    proxy.kill()
    begun.save(proxy.home)
    await proxy.start()
    assert await fingerprint(proxy) == said["data"]["fingerprint"]
    await until(proxy.is_admitted, "the proxy to come back")
    await known_everywhere(cluster, "proxy", said["data"]["fingerprint"])
    await both_directions(cluster)


async def test_newcomers_find_their_way_to_the_founders_new_key(cluster: Cluster):
    """Invitations go on carrying its first fingerprint; what follows from that is signed."""
    government = cluster["government"]
    first = await fingerprint(government)
    code, said = await succeed(government)
    assert code == 0, said
    await asyncio.to_thread(government.terminate)
    config = government.home / "config.toml"
    unpinned = [line for line in config.read_text().splitlines() if not line.startswith("founder")]
    config.write_text("\n".join(unpinned))  # then the node takes its own first key for the founder's
    await government.start()
    await until(government.is_admitted, "the government to come back")
    assert await fingerprint(government) == said["data"]["fingerprint"]

    bank = await cluster.add("bank", "provider")
    await cluster.put_rules_in_place()
    assert tomllib.loads((bank.home / "config.toml").read_text())["founder"] == first
    found = trisect(bank, "status")[1]["data"]
    assert (found["founder"], found["founder_fingerprint"]) == ("government", said["data"]["fingerprint"])
    assert list((await shown(bank, "government")).former_fingerprints) == [first]
    assert (await shown(government, "bank")).key_check == "fingerprint"
    await bank.offer_hosts(NUMBERS["bank"])
    await both_directions(cluster, "bank", "proxy")
    rotated = await government.admin("RotatePepper", node_admin_pb2.RotatePepperRequest())
    for node in cluster.nodes.values():
        await node.until_rolled(rotated.epoch)
    await both_directions(cluster, "bank", "proxy")
    await both_directions(cluster)
