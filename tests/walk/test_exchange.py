"""Matches between real nodes: results, denials, receipts, and what the relay sees."""

from __future__ import annotations

import asyncio
import itertools
import random
from pathlib import Path

import grpc.aio
import pytest
from support.cluster import Cluster, trisect
from support.daemons import hosts, until
from support.sqlite import reading, writing

from trisect.clock import from_text
from trisect.psi.bands import band
from trisect.psi.items import client_size, server_size
from trisect.rpc.status import from_rpc
from trisect.wire.v1 import collections_pb2, matching_pb2

pytestmark = pytest.mark.walk
_names = (f"list-{number}" for number in itertools.count())


async def shared(cluster: Cluster, asker: str, answerer: str, mine, theirs, **sharing) -> tuple[str, str]:
    """Import a list at either end and share the answerer's."""
    own, other = next(_names), next(_names)
    await cluster[asker].import_values(own, hosts(mine))
    await cluster[answerer].import_values(other, hosts(theirs))
    await cluster[answerer].share(other, sharing.pop("whom", asker), **sharing)
    return own, other


async def denial(cluster: Cluster, asker: str, collection: str, peer: str, theirs: str, **options):
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await cluster[asker].start_match(collection, peer, theirs, **options)
    return from_rpc(caught.value, asker)


@pytest.mark.parametrize(
    ("asker", "answerer"),
    [
        ("government", "telco"),
        ("telco", "bank"),
        ("proxy", "bank"),
        ("bank", "government"),
        ("proxy", "government"),
        ("telco", "proxy"),
    ],
)
async def test_match_is_set_intersection_between_all_roles(cluster, asker, answerer):
    dice = random.Random(f"{asker}{answerer}")
    mine, theirs = dice.sample(range(900), 300), dice.sample(range(900), 400)
    own, other = await shared(cluster, asker, answerer, mine, theirs)
    exchange = await cluster[asker].match(own, answerer, other)
    assert exchange.state == "complete", exchange.error.message
    expected = {f"r-{place}" for place, number in enumerate(mine) if number in set(theirs)}
    found = await cluster[asker].hits(exchange.exchange_id)
    assert {hit.ref for hit in found} == expected
    assert exchange.matched == len(expected) == len(found)
    assert {(hit.peer, hit.collection, hit.kind) for hit in found} == {(answerer, own, "domain")}


async def test_both_ends_have_recorded_the_result_when_match_returns(cluster):
    own, other = await shared(cluster, "telco", "bank", range(50), range(25, 75))
    exchange = await cluster["telco"].match(own, "bank", other)
    answered = await cluster["bank"].exchange(exchange.exchange_id)
    assert (exchange.state, answered.state) == ("complete", "complete")
    assert answered.matched == 0  # an answerer does not learn how many
    for name in ("telco", "bank"):
        with reading(cluster[name].home / "node.db") as database:
            receipts = database.execute(
                "SELECT own_receipt, peer_receipt FROM exchanges WHERE id = ?", (exchange.exchange_id,)
            ).fetchone()
        assert all(receipts), f"{name} lacks a receipt"


async def test_the_relay_sees_padded_sizes_only(cluster):
    own, other = await shared(cluster, "telco", "bank", range(1000), range(500, 1500))
    exchange = await cluster["telco"].match(own, "bank", other)
    padded = band(1000)
    assert (exchange.asked, exchange.asked_padded, exchange.answered_padded) == (1000, padded, padded)
    asked, answered = client_size(padded), server_size(padded, padded)

    async def both_ends_are_logged():
        found = [line for line in cluster.coordinator.log().splitlines() if exchange.exchange_id in line]
        return found if len(found) == 2 else None

    lines = await until(both_ends_are_logged, "the relay to log both ends")
    assert {
        f'"elements":{asked},' in line or f'"elements":{asked + answered},' in line for line in lines
    } == {True}


@pytest.mark.parametrize("reason", ["unknown collection", "not shared", "purpose", "mode", "party"])
async def test_denial_is_one_and_the_same_and_reaches_no_relay(cluster, reason):
    sharing = {
        "unknown collection": {},
        "not shared": {"whom": "government"},
        "purpose": {"purpose": "leak-tracing"},
        "mode": {"mode": "lookup"},
        "party": {"whom": "role:proxy"},
    }[reason]
    own, other = await shared(cluster, "telco", "bank", range(20), range(20), **sharing)
    asked = "no-such-list" if reason == "unknown collection" else other
    before = cluster.coordinator.relayed()
    code, said = trisect(
        cluster["telco"],
        *("match", "--collection", own, "--peer", "bank", "--with", asked, "--purpose", "scam-prevention"),
    )
    assert (code, said["error"]["rule"]) == (6, "not-shared")
    assert (
        said["error"]["message"]
        == "bank refuses: nothing of that name is shared with you for this purpose and mode"
    )
    listed = await cluster["telco"].matching("ListExchanges", matching_pb2.ListExchangesRequest(limit=1000))
    refused = next(found for found in listed.exchanges if found.collection == own)
    assert refused.state == "refused"
    answered = await cluster["bank"].matching("ListExchanges", matching_pb2.ListExchangesRequest(limit=50))
    assert refused.exchange_id not in {found.exchange_id for found in answered.exchanges}
    assert cluster.coordinator.relayed() == before, "the relay took a frame of an exchange that was denied"
    await cluster["bank"].share(other, "telco")
    assert (await cluster["telco"].match(own, "bank", other)).matched == 20
    assert cluster.coordinator.relayed() > before, "the relay counts what passes"
    assert refused.exchange_id not in cluster.coordinator.log()


async def test_sharing_with_a_role_and_with_all(cluster):
    for whom in ("role:provider", "all"):
        own, other = await shared(cluster, "telco", "bank", range(30), range(15, 45), whom=whom)
        assert (await cluster["telco"].match(own, "bank", other)).matched == 15


async def test_unshared_collection_is_denied_again(cluster):
    own, other = await shared(cluster, "telco", "bank", range(30), range(30))
    await cluster["bank"].lists(
        "UnshareCollection", collections_pb2.UnshareCollectionRequest(collection=other, **{"with": "telco"})
    )
    assert (await denial(cluster, "telco", own, "bank", other)).fault.value == "denied"


@pytest.mark.parametrize(("mine", "theirs"), [(range(9), range(50)), (range(50), range(9))])
async def test_sets_below_the_minimum_are_refused_by_the_end_that_has_them(cluster, mine, theirs):
    own, other = await shared(cluster, "telco", "bank", mine, theirs)
    error = await denial(cluster, "telco", own, "bank", other)
    assert (error.fault.value, error.rule) == ("denied", "min-set")


async def test_bad_requests_are_named(cluster):
    own, other = await shared(cluster, "telco", "bank", range(20), range(20))
    assert (await denial(cluster, "telco", own, "nobody", other)).fault.value == "not_found"
    assert (await denial(cluster, "telco", own, "telco", own)).fault.value == "bad_input"
    assert (
        await denial(cluster, "telco", own, "bank", other, purpose="curiosity")
    ).fault.value == "bad_input"
    assert (await denial(cluster, "telco", "no-such-list", "bank", other)).fault.value == "not_found"


async def test_several_exchanges_at_once_in_both_directions(cluster):
    plans = [("telco", "bank"), ("bank", "telco"), ("proxy", "telco"), ("bank", "proxy")]
    lists = [
        await shared(cluster, asker, answerer, range(offset, offset + 200), range(offset + 150, offset + 350))
        for offset, (asker, answerer) in zip(range(0, 4000, 1000), plans, strict=True)
    ]
    done = await asyncio.gather(
        *(
            cluster[asker].match(own, answerer, other)
            for (asker, answerer), (own, other) in zip(plans, lists, strict=True)
        )
    )
    assert [(found.state, found.matched) for found in done] == [("complete", 50)] * 4


async def test_only_active_entries_are_matched(cluster):
    own, other = await shared(cluster, "telco", "bank", range(20), range(20))
    act = collections_pb2.ChangeEntryRequest
    await cluster["bank"].lists("ChangeEntry", act(act=act.ACT_CONTEST, collection=other, ref="r-3"))
    await cluster["telco"].lists(
        "ChangeEntry", act(act=act.ACT_RETRACT, collection=own, kind="domain", value="HOST-5.example.com")
    )
    exchange = await cluster["telco"].match(own, "bank", other)
    refs = {hit.ref for hit in await cluster["telco"].hits(exchange.exchange_id)}
    assert refs == {f"r-{number}" for number in range(20)} - {"r-3", "r-5"}


async def test_an_owner_proves_what_its_list_had_long_after(cluster, tmp_path):
    """To any party, by its own node and copy of the record; whatever has become of entry and pepper since."""
    own, other = await shared(cluster, "telco", "bank", range(60), range(30, 90))
    exchange = (await cluster["telco"].match(own, "bank", other)).exchange_id
    await cluster["bank"].lists("DeleteCollection", collections_pb2.DeleteCollectionRequest(collection=other))

    async def recorded(owner: str, value: str, proof: Path) -> bool:
        code, told = await asyncio.to_thread(
            trisect, cluster[owner], "exchange", "prove", exchange, "--output", proof, stdin=value
        )
        assert code == 0, told
        return told["data"]["recorded"]

    async def verified(party: str, value: str, proof: Path) -> tuple[int, dict]:
        return await asyncio.to_thread(trisect, cluster[party], "exchange", "verify", proof, stdin=value)

    for owner, end, listed, unlisted in (("bank", "answerer", 75, 5), ("telco", "asker", 5, 75)):
        proof = tmp_path / f"{owner}.json"
        value = f"HOST-{listed}.example.com"
        await until(lambda o=owner, v=value, p=proof: recorded(o, v, p), "the receipt to be in the record")
        peer = {"bank": "telco", "telco": "bank"}[owner]
        for party in (peer, "government"):
            await until(
                lambda p=party, v=value, f=proof: is_fine(verified(p, v, f)), "the record to come there"
            )
            code, told = await verified(party, value, proof)
            assert (told["data"]["owner"], told["data"]["end"], told["data"]["peer"]) == (owner, end, peer)
        code, told = await verified(peer, f"host-{unlisted}.example.com", proof)
        assert (code, "not of that entry" in told["error"]["message"]) == (1, True)
        code, told = await asyncio.to_thread(
            trisect, cluster[owner], "exchange", "prove", exchange, "--output", tmp_path / "none.json",
            stdin=f"host-{unlisted}.example.com",
        )  # fmt: skip
        assert "was not in the snapshot" in told["error"]["message"]
        assert not (tmp_path / "none.json").exists()


async def is_fine(ending) -> bool:
    return (await ending)[0] == 0


async def test_sharing_makes_terms_that_go_with_every_permit(cluster):
    own, other = await shared(cluster, "telco", "bank", range(40), range(20, 60))
    share = ("collection", "share", other, "--with", "role:provider", "--purpose", "scam-prevention")
    code, told = await asyncio.to_thread(
        trisect, cluster["bank"], *share, "--use", "warn,hold", "--retention-days", "7"
    )
    assert code == 0, told
    mine = {one["with"]: one for one in told["data"]["sharings"]}["role:provider"]
    assert (mine["use"], mine["retention_days"], mine["onward"]) == (["hold", "warn"], 7, "none")
    await cluster["bank"].lists(
        "UnshareCollection", collections_pb2.UnshareCollectionRequest(collection=other, **{"with": "telco"})
    )
    exchange = await cluster["telco"].match(own, "bank", other)
    assert exchange.matched == 20
    kept_s = from_text(exchange.keep_until) - from_text(exchange.started_at)
    assert kept_s.days == 7
    for name in ("telco", "bank"):
        code, told = await asyncio.to_thread(trisect, cluster[name], "permit", "show", exchange.exchange_id)
        terms, leave = told["data"]["terms_of_sharing"], told["data"]
        assert (terms["owner"], terms["recipient"], terms["use"]) == ("bank", "role:provider", "hold,warn")
        assert (terms["collection"], terms["purpose"]) == (leave["answered_collection"], leave["purpose"])
        assert leave["retention_days"] == terms["retention_days"] == 7


async def test_a_sharing_without_terms_is_none(cluster):
    """One from before there were terms, as the owner's database has it after an upgrade."""
    own, other = await shared(cluster, "telco", "bank", range(40), range(20, 60))
    with writing(cluster["bank"].home / "node.db") as database:
        database.execute(
            "UPDATE sharings SET terms = NULL WHERE collection_id = (SELECT id FROM collections WHERE name = ?)",
            (other,),
        )
    error = await denial(cluster, "telco", own, "bank", other)
    unknown = await denial(cluster, "telco", own, "bank", "nothing-of-that-name")
    assert (error.message, error.rule) == (unknown.message, unknown.rule)
    await cluster["bank"].share(other, "telco")
    assert (await cluster["telco"].match(own, "bank", other)).matched == 20
