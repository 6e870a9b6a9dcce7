"""Enrolment over real processes: races, swapped keys, renewal, suspension, rotation."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import os
import ssl
import subprocess
from pathlib import Path

import grpc
import pytest
from support import hostile_coordinator, tls, tuned_daemon
from support.cluster import COMMON, ROLES, Cluster, altered, foul_relay, join, run
from support.daemons import Coordinator, Node, failure, until
from support.holding import held
from support.nursery import BIN
from support.sqlite import reading, writing
from support.tcp import Tunnel

from nodes.keys import NodeKeys
from trisect.clock import from_text, system_clock, to_text
from trisect.rules.breaches import Ground, Opening
from trisect.trust.certificates import TlsIdentity
from trisect.trust.filings import BreachFiling
from trisect.trust.keys import IdentityKey, SealingKey
from trisect.trust.statements import PartyKeys
from trisect.wire.v1 import node_admin_pb2

pytestmark = pytest.mark.walk


async def test_fifty_joins_race_for_one_invitation_and_one_wins(cluster: Cluster, tmp_path: Path):
    invitation = tmp_path / "invitation"
    invitation.write_text(await cluster.coordinator.invite("racer", "proxy"))
    script = (
        "import asyncio, sys\n"
        "from nodes import enrol\n"
        "from trisect.clock import system_clock, system_randomness\n"
        "from trisect.home import Home\n"
        "from trisect.errors import TrisectError\n"
        "from trisect.trust.invitations import Invitation\n"
        "from pathlib import Path\n"
        "async def one(number):\n"
        "    try:\n"
        "        await enrol.join(Home(Path(sys.argv[2]) / str(number)), found, {}, '',\n"
        "                         clock=system_clock, randomness=system_randomness)\n"
        "        return 'joined'\n"
        "    except TrisectError as error:\n"
        "        return error.fault.value\n"
        "async def main():\n"
        "    print(' '.join(await asyncio.gather(*(one(number) for number in range(25)))))\n"
        "found = Invitation.from_text(Path(sys.argv[1]).read_text())\n"
        "asyncio.run(main())\n"
    )
    racers = [
        subprocess.Popen(
            [BIN / "python", "-c", script, invitation, tmp_path / str(half)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for half in range(2)
    ]
    outcomes = " ".join([racer.communicate(timeout=60)[0] for racer in racers]).split()
    assert sorted(outcomes) == ["denied"] * 49 + ["joined"]
    assert "racer" in (await cluster.coordinator.status()).contested_invitations


async def test_the_same_key_joins_again_and_another_is_refused(cluster: Cluster, tmp_path: Path):
    invitation = await cluster.coordinator.invite("twice", "proxy")
    first = join(tmp_path / "home", invitation)
    assert join(tmp_path / "home", invitation)["fingerprint"] == first["fingerprint"]
    other = run("trisect-node", "join", "--home", tmp_path / "other", "--invitation", "-", stdin=invitation)
    assert other.returncode == 6
    assert "redeemed with another key" in other.stderr


def redeemed(cluster: Cluster, party: str) -> tuple[bytes | None, bytes | None]:
    """Read to which key the coordinator has bound a party's invitation, and the certificate it gave."""
    path = cluster.coordinator.home / "coordinator.db"
    with reading(path) as database:
        query = "SELECT key_hash, certificate FROM invitations WHERE party = ?"
        (found,) = database.execute(query, (party,))
        return found


async def test_a_join_cut_by_a_lost_connection_goes_on_with_the_same_key(cluster: Cluster, tmp_path: Path):
    """Something in between drops the connection once the coordinator has redeemed, and its answer is lost."""
    invitation = await cluster.coordinator.invite("cut", "proxy")
    home = tmp_path / "home"

    def joining(home: Path) -> subprocess.CompletedProcess[str]:
        command = ("trisect-node", "join", "--home", home, "--invitation", "-", "--format", "json")
        return run(*command, stdin=text)

    def is_redeemed() -> bool:
        return redeemed(cluster, "cut") != (None, None)

    async with Tunnel(cluster.coordinator.state["address"], cut_when=is_redeemed) as tunnel:
        text = altered(invitation, coordinator=tunnel.address)
        assert not is_redeemed()
        cut = await asyncio.to_thread(joining, home)
        assert (cut.returncode, tunnel.cuts) == (2, 1), cut.stderr
        key_hash, certificate = bound = redeemed(cluster, "cut")
        assert key_hash
        before = NodeKeys.load(home)
        assert before.tls.certificate == b"", "the answer was not lost"
        other = await asyncio.to_thread(joining, tmp_path / "other")
        assert other.returncode == 6
        assert "redeemed with another key" in json.loads(other.stdout)["error"]["message"]
        again = await asyncio.to_thread(joining, home)
        assert again.returncode == 0, again.stderr
        assert json.loads(again.stdout)["data"]["fingerprint"] == before.identity.public.fingerprint
        assert NodeKeys.load(home).tls == TlsIdentity(before.tls.key, certificate)
        assert redeemed(cluster, "cut") == bound


async def test_nobody_but_a_government_is_invited_first(tmp_path: Path):
    home = tmp_path / "coordinator"
    run("trisect-coordinator", "init", "--home", home)
    coordinator = Coordinator("trisect-coordinator", home)
    await coordinator.start()
    try:
        error = await failure(coordinator.invite("bank", "provider"))
        assert error.fault.value == "conflict"
        assert "founds the consortium" in error.message
        await coordinator.invite("government", "government")
        assert "founds" in (await failure(coordinator.invite("bank", "provider"))).message
        assert "not joined yet" in (await failure(coordinator.invite("other", "government"))).message
    finally:
        coordinator.terminate()


async def test_an_invitation_of_another_coordinator_is_refused(cluster: Cluster, tmp_path: Path):
    """Somebody between with a CA of his own cannot answer for the invitation's coordinator."""
    home = tmp_path / "impostor"
    run("trisect-coordinator", "init", "--home", home)
    impostor = Coordinator("trisect-coordinator", home)
    await impostor.start()
    try:
        invitation = await cluster.coordinator.invite("deceived", "proxy")
        text = altered(invitation, coordinator=impostor.state["address"])
        done = run("trisect-node", "join", "--home", tmp_path / "home", "--invitation", "-", stdin=text)
        assert done.returncode == 2
        assert "cannot reach" in done.stderr
    finally:
        impostor.terminate()


async def test_a_coordinator_that_swaps_keys_is_caught_by_the_fingerprint(cluster: Cluster, tmp_path: Path):
    joined = join(tmp_path / "home", await cluster.coordinator.invite("swapped", "proxy"))
    # The coordinator's administrator puts a key of his own in the applicant's place.
    swapped = IdentityKey.generate(os.urandom)
    keys = PartyKeys.bind(swapped, SealingKey.generate(os.urandom).public)
    with writing(cluster.coordinator.home / "coordinator.db") as database:
        database.execute(
            "UPDATE enrolled SET identity = ?, sealing = ?, sealing_signature = ? WHERE party = 'swapped'",
            (keys.identity.raw, keys.sealing.raw, keys.sealing_signature),
        )
    error = await failure(cluster["government"].admit("swapped", joined["fingerprint"]))
    assert error.code == "TRI-VERIFY"
    assert keys.identity.fingerprint in error.message
    parties = await cluster["government"].admin("ListParties", node_admin_pb2.ListPartiesRequest())
    assert {party.name: party.state for party in parties.parties}["swapped"] == "applicant"


async def test_admission_without_a_fingerprint_is_recorded_as_unchecked(cluster: Cluster, tmp_path: Path):
    join(tmp_path / "home", await cluster.coordinator.invite("unchecked", "proxy"))
    assert (await cluster["government"].admit("unchecked")).key_check == "none"


async def test_certificates_renew_themselves_while_exchanges_go_on(tmp_path: Path):
    home = tmp_path / "coordinator"
    run("trisect-coordinator", "init", "--home", home)
    with (home / "config.toml").open("a") as config:
        config.write('party_certificate_hours = 0.004\nprofile = "demo"\n')  # fourteen seconds
    coordinator = Coordinator("trisect-coordinator", home, script=Path(hostile_coordinator.__file__))
    cluster = Cluster(tmp_path, coordinator)
    await coordinator.start()
    try:
        for party, role in ROLES.items():
            if party != "bank":
                await cluster.add(party, role)
        await cluster.put_rules_in_place()
        values = [f"host-{number}.example.com" for number in range(20)]
        for name in ("telco", "proxy"):
            await cluster[name].import_values("list", values)
            await cluster[name].share("list", "all")
        node = cluster["telco"]
        async with held(cluster, "setup passes", tmp_path) as reached:
            exchange_id = await node.start_match("list", "proxy", "list")
            await asyncio.wait_for(reached.wait(), 30)
            shown = from_text((await node.status()).certificate_expires_at)

            async def expired():
                return system_clock() > shown

            await until(expired, "the certificate that the exchange began with to expire", 60)
        ended = await node.outcome(exchange_id)
        assert (ended.state, ended.matched) == ("complete", 20), ended.error.message
        assert from_text((await node.status()).certificate_expires_at) > shown
        # The link moved to each new connection in time: it was never lost, and the former ones have ended.
        for name in ("telco", "proxy"):
            assert cluster[name].log().count("the certificate was renewed") >= 2
            assert "the link to the coordinator is down" not in cluster[name].log()
            assert (await cluster[name].status()).links[0].connected
        assert (await node.match("list", "proxy", "list")).matched == 20
    finally:
        cluster.stop()


async def test_a_link_ends_with_its_certificate(tmp_path: Path):
    """A node that does not renew stays outside, though its connection is still there."""
    home = tmp_path / "coordinator"
    run("trisect-coordinator", "init", "--home", home)
    with (home / "config.toml").open("a") as config:
        config.write("party_certificate_hours = 0.005\n")
    cluster = Cluster(tmp_path, Coordinator("trisect-coordinator", home))
    await cluster.coordinator.start()
    try:
        node = Node("trisect-node", tmp_path / "government", script=Path(tuned_daemon.__file__))
        join(node.home, await cluster.coordinator.invite("government", "government"))
        (node.home / tuned_daemon.PLAN).write_text(json.dumps({"nodes.link.RENEW_AFTER": 1e6}))
        cluster.nodes["government"] = node
        await node.start()

        async def told():
            return "the link to the coordinator is down" in node.log()

        await until(told, "the link to end with the certificate", 60)
        assert "the link to the coordinator is up" in node.log()
        assert "/party/government expired at" in node.log()
    finally:
        cluster.stop()


async def test_a_handshake_below_tls_1_3_fails(cluster: Cluster, tmp_path: Path):
    """By a client with a party's own certificate, which the same client shows with success in TLS 1.3.

    So does a proxy's port for apps (`test_apps`); all else that a node serves is on a Unix socket.
    """
    keys = NodeKeys.load(cluster["telco"].home)
    own, address = keys.tls, cluster.coordinator.state["address"]
    version, frame = await asyncio.to_thread(tls.greet, address, keys.authority, own, "TLSv1_3")
    assert (version, frame) == ("TLSv1.3", tls.SETTINGS), "the server speaks only to whom it has let in"
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        await asyncio.to_thread(tls.greet, address, keys.authority, own, "TLSv1_2")
    assert (await cluster["telco"].status()).links[0].connected


async def test_suspension_cuts_a_running_exchange_and_reinstatement_heals(tmp_path: Path):
    cluster = await Cluster.create(tmp_path / "own", ("government", "telco", "proxy"), prepare=foul_relay)
    try:
        await cluster.list_hosts()
        change = node_admin_pb2.ChangeStandingRequest
        async with held(cluster, "asker begins", tmp_path) as reached:
            exchange_id = await cluster["telco"].start_match("list", "proxy", "list")
            await asyncio.wait_for(reached.wait(), 30)
            await cluster["government"].admin(
                "ChangeStanding", change(party="telco", standing="suspended", reason="a test")
            )
            for name in ("telco", "proxy"):
                ended = await cluster[name].outcome(exchange_id, 15)
                assert ended.state == "failed", ended
                assert "suspended" in ended.error.message or "lost" in ended.error.message
        error = await failure(cluster["telco"].start_match("list", "proxy", "list"))
        assert error.fault.value == "denied"
        assert "suspended" in error.message
        await cluster["government"].admin(
            "ChangeStanding", change(party="telco", standing="active", reason="a test")
        )

        async def asked_again() -> str:
            """Ask until telco, coordinator and proxy have all heard of it; each learns of it in its own time."""
            try:
                return await cluster["telco"].start_match("list", "proxy", "list")
            except grpc.aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.PERMISSION_DENIED:
                    raise
                return ""

        async def suspended() -> bool:
            return (await cluster["telco"].status()).standing == "suspended"

        exchange_id = await until(asked_again, "reinstatement to arrive")
        assert (await cluster["telco"].outcome(exchange_id)).matched == len(COMMON)
        assert (await cluster["telco"].status()).standing == "active"
        opened = Opening(Ground.FINDING, "", "an inspection has found it", b"", b"").to_body()
        await cluster["government"].file(
            BreachFiling.KIND, opened, "telco"
        )  # else it would be suspended twice
        soon = to_text(system_clock() + dt.timedelta(seconds=5))
        await cluster["government"].admin(
            "ChangeStanding", change(party="telco", standing="suspended", reason="a test", until=soon)
        )
        await until(suspended, "the suspension to arrive")
        exchange_id = await until(asked_again, "the suspension to lapse")
        assert (await cluster["telco"].outcome(exchange_id)).matched == len(COMMON)
        assert system_clock() >= from_text(soon)
    finally:
        cluster.stop()


async def test_a_home_that_another_has_replaced_says_so(pair: Cluster, tmp_path: Path):
    government, former = pair["government"], pair["proxy"]
    again = join(tmp_path / "proxy", await pair.coordinator.invite("proxy", "proxy"))
    founder = (await government.status()).fingerprint
    assert (again["state"], again["founder_fingerprint"]) == ("pending", founder)
    await government.admit("proxy", again["fingerprint"])

    async def displaced() -> list[dict]:
        return [reason for reason in former.ready() if reason["check"] == "key"]

    (reason,) = await until(displaced, "the former home to say that it was replaced")
    assert reason["reason"] == "proxy was admitted with a key that is not this node's"
    assert (await failure(former.start_match("list", "government", "list"))).fault.value != "bug"
    third = await pair.coordinator.invite("proxy", "proxy")
    assert join(tmp_path / "proxy", third)["state"] == "admitted"
