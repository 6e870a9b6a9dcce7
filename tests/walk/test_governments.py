"""Two governments: either admits and suspends, and the eldest that is active makes the peppers."""

from __future__ import annotations

import asyncio

from support.cluster import Cluster, join
from support.daemons import Node, failure, until

from trisect.wire.v1 import node_admin_pb2 as pb


async def newcomer(cluster: Cluster, name: str, role: str) -> tuple[Node, str]:
    """Invite and start a party that nobody has admitted yet; gives its fingerprint too."""
    node = Node("trisect-node", cluster.folder / name)
    joined = await asyncio.to_thread(join, node.home, await cluster.coordinator.invite(name, role))
    cluster.nodes[name] = node
    await node.start()
    return node, joined["fingerprint"]


async def stand(node: Node, party: str, standing: str) -> None:
    await node.admin(
        "ChangeStanding", pb.ChangeStandingRequest(party=party, standing=standing, reason="test")
    )


async def rotate(node: Node) -> int:
    return (await node.admin("RotatePepper", pb.RotatePepperRequest())).epoch


async def epochs(cluster: Cluster) -> set[int]:
    replies = [
        await node.admin("GetPepperStatus", pb.GetPepperStatusRequest()) for node in cluster.nodes.values()
    ]
    return {-2 if reply.rolling else reply.epoch for reply in replies}


async def test_a_second_government_shares_the_work(pair: Cluster):
    government = pair["government"]
    office, fingerprint = await newcomer(pair, "office", "government")
    error = await failure(government.admit("office", fingerprint))
    assert (error.fault.value, "--role government" in error.hint) == ("denied", True)
    error = await failure(government.admit("office", fingerprint, role="provider"))
    assert "invited as government" in error.message
    await government.admit("office", fingerprint, role="government")
    await until(office.is_admitted, "the second government to be admitted")

    bank, fingerprint = await newcomer(pair, "bank", "provider")
    await office.admit("bank", fingerprint)
    await until(bank.is_admitted, "the newcomer to get its peppers")
    await asyncio.gather(*(government.admit(name, "") for name in ("bank", "telco")))

    error = await failure(rotate(office))
    assert (error.fault.value, "at the node of government" in error.hint) == ("denied", True)
    assert await rotate(government) == 1
    await until(lambda: reached(pair, 1), "every party to have the new pepper")

    await stand(office, "government", "suspended")
    assert await rotate(office) == 2
    pair.nodes["government"] = government
    others = Cluster(pair.folder, pair.coordinator, {n: pair[n] for n in ("office", "telco", "bank")})
    await until(lambda: reached(others, 2), "the active parties to have the next pepper")
    await stand(office, "government", "active")
    await until(lambda: reached(pair, 2), "the reinstated party to have it as well")

    await stand(office, "bank", "expelled")
    parties = (await office.admin("ListParties", pb.ListPartiesRequest())).parties
    assert [party.state for party in parties if party.name == "bank"] == ["expelled"]
    members = Cluster(pair.folder, pair.coordinator, {n: pair[n] for n in ("government", "office", "telco")})
    for epoch in (3, 4):  # once the second has begun, the first has been granted to all who get it
        assert await rotate(government) == epoch
        await until(lambda epoch=epoch: reached(members, epoch), "the members to have the next pepper")
    parties = (await office.admin("ListParties", pb.ListPartiesRequest())).parties
    assert [party.pepper_epoch for party in parties if party.name == "bank"] == [2], "the expelled got it"
    await office.admit("bank", fingerprint)
    await until(lambda: reached(pair, 4), "the party that was admitted again to have the peppers")
    await until(bank.is_admitted, "it to be back")
    for node in pair.nodes.values():
        assert "could not be synchronised" not in node.log()


async def reached(cluster: Cluster, epoch: int) -> bool:
    return await epochs(cluster) == {epoch}
