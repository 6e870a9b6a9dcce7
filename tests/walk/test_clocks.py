"""Clocks that are wrong, what has expired or is of yesterday, and who is away, around a node or the coordinator.

Each is told clearly with its cure, loses nothing, and is over when its cause is.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path

import grpc.aio
import pytest
from support import tuned_daemon
from support.cluster import Cluster, run, trisect
from support.daemons import Node
from support.failing import (
    assert_matches,
    connected,
    create,
    doctored,
    is_ready,
    locked,
    match,
    reasons,
    restart,
    shows,
    stored,
)

from coordinator import authority
from nodes.keys import NodeKeys
from trisect.cli.checks import home
from trisect.trust import certificates
from trisect.trust.certificates import Caller, Principal, TlsIdentity

pytestmark = pytest.mark.walk
EAGER = {"nodes.members.SYNC_EVERY_S": 1.0, "nodes.witness.LOOK_EVERY_S": 1.0}
OFFLINE_S = 5.0
HOURS_S = 2 * 3_600


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    found = asyncio.run(create(tmp_path_factory.mktemp("clocks")))
    yield found
    found.stop()


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
