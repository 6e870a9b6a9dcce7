"""Two governments: either admits and suspends, and the eldest that is active makes the peppers."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Any

from support.cluster import Cluster, join, trisect
from support.daemons import Node, failure, until

from trisect.clock import system_clock, to_text


async def newcomer(cluster: Cluster, name: str, role: str) -> tuple[Node, str]:
    """Invite and start a party that nobody has admitted yet; gives its fingerprint too."""
    node = Node("trisect-node", cluster.folder / name)
    joined = await asyncio.to_thread(join, node.home, await cluster.coordinator.invite(name, role))
    cluster.nodes[name] = node
    await node.start()
    return node, joined["fingerprint"]


async def by_command(node: Node, *arguments: str) -> dict[str, Any]:
    """Run a command that succeeds; gives its data."""
    code, said = await asyncio.to_thread(trisect, node, *arguments)
    assert code == 0, said
    return said["data"]


async def stand(node: Node, act: str, party: str, state: str) -> None:
    told = await by_command(node, "party", act, party, "--reason", "a test", "--yes")
    assert (told["name"], told["state"]) == (party, state)


async def expel(node: Node, other: Node, party: Node, name: str) -> None:
    """Expel a party that has been heard, and whose appeal the other government has turned down."""
    code, said = await asyncio.to_thread(trisect, node, "party", "expel", name, "--yes")
    assert (code, "no sanction in force expels" in said["error"]["message"]) == (1, True), said
    await by_command(node, "breach", "open", name, "--text", "an inspection has found it")

    async def knows(where: Node, state: str) -> bool:
        return [one["state"] for one in (await by_command(where, "breach", "list"))["breaches"]] == [state]

    await until(lambda: knows(party, "open"), "the party to know of its breach")
    await by_command(party, "breach", "reply", f"{name}/1", "--text", "it is so")
    await until(lambda: knows(node, "replied"), "the government to have the reply")
    ends = to_text(system_clock() + dt.timedelta(days=120))
    order = ("--act", "expel", "--until", ends, "--reason", "it cannot stay", "--yes")
    await by_command(node, "breach", "sanction", f"{name}/1", *order)
    code, said = await asyncio.to_thread(trisect, node, "party", "expel", name, "--yes")
    assert (code, "may appeal against its expulsion until" in said["error"]["message"]) == (1, True), said
    await until(lambda: knows(party, "ordered"), "the party to know of the sanction")
    await by_command(
        party, "breach", "appeal", f"{name}/1", "--order", "sanction/1", "--text", "it is too much"
    )
    await until(lambda: knows(node, "appealed"), "the government to have the appeal")
    code, said = await asyncio.to_thread(trisect, node, "party", "expel", name, "--yes")
    assert (code, "is not decided" in said["error"]["message"]) == (1, True), said
    await until(lambda: knows(other, "appealed"), "the other government to have the appeal")
    await by_command(
        other, "breach", "decide", f"{name}/1", "--appeal", "1", "--uphold", "--reason", "it is not", "--yes"
    )
    await until(lambda: knows(node, "ordered"), "the government to have the decision")
    await stand(node, "expel", name, "expelled")


async def epochs(cluster: Cluster) -> set[int]:
    replies = [await node.peppers() for node in cluster.nodes.values()]
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
    admitted = await by_command(office, "party", "admit", "bank", "--fingerprint", fingerprint)
    assert (admitted["state"], admitted["key_check"]) == ("active", "fingerprint")
    await until(bank.is_admitted, "the newcomer to get its peppers")
    await asyncio.gather(*(government.admit(name, "") for name in ("bank", "proxy")))

    code, said = await asyncio.to_thread(trisect, office, "pepper", "rotate", "--yes")
    assert (code, "at the node of government" in said["error"]["hint"]) == (6, True)
    rotated = await by_command(government, "pepper", "rotate", "--yes")
    assert rotated == {"epoch": 1, "parties_granted": 3}, "all others"
    await until(lambda: reached(pair, 1), "every party to have the new pepper")

    await stand(office, "suspend", "government", "suspended")
    assert (await by_command(office, "pepper", "rotate", "--yes"))["epoch"] == 2
    pair.nodes["government"] = government
    others = Cluster(pair.folder, pair.coordinator, {n: pair[n] for n in ("office", "proxy", "bank")})
    await until(lambda: reached(others, 2), "the active parties to have the next pepper")
    await stand(office, "reinstate", "government", "active")
    await until(lambda: reached(pair, 2), "the reinstated party to have it as well")

    await expel(office, government, bank, "bank")
    members = Cluster(pair.folder, pair.coordinator, {n: pair[n] for n in ("government", "office", "proxy")})
    for epoch in (3, 4):  # once the second has begun, the first has been granted to all who get it
        assert (await by_command(government, "pepper", "rotate", "--yes"))["epoch"] == epoch
        await until(lambda epoch=epoch: reached(members, epoch), "the members to have the next pepper")
    shown = await by_command(office, "party", "show", "bank")
    assert (shown["state"], shown["pepper_epoch"]) == ("expelled", 2), "the expelled got a pepper"
    listed = (await by_command(office, "party", "list"))["parties"]
    assert {name: shown[name] for name in listed[0]} in listed
    await office.admit("bank", fingerprint)
    await until(lambda: reached(pair, 4), "the party that was admitted again to have the peppers")
    await until(bank.is_admitted, "it to be back")
    status = await by_command(bank, "pepper", "status")
    assert status == {"epoch": 4, "rolling": False, "rows_to_roll": 0}
    for node in pair.nodes.values():
        assert "could not be synchronised" not in node.log()


async def reached(cluster: Cluster, epoch: int) -> bool:
    return await epochs(cluster) == {epoch}
