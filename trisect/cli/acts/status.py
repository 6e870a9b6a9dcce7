"""How a daemon is."""

from __future__ import annotations

from typing import Any

import grpc.aio

from trisect.cli import link, screen
from trisect.cli.call import Call
from trisect.trust.statements import KeyCheck, Role
from trisect.wire.v1 import coordinator_admin_pb2, node_admin_pb2

FOUNDER_S = 5.0
"""A status waits no longer for what it can do without."""


async def show(call: Call) -> None:
    """Show the daemon of the home, whichever it is."""
    if link.running(call.home()).get("name") == link.COORDINATOR:
        await _coordinator(call)
    else:
        await _node(call)


async def _node(call: Call) -> None:
    async with link.node(call) as node:
        found = await node.admin.GetStatus(node_admin_pb2.GetStatusRequest(), timeout=link.CALL_S)
        founder = await founder_of(node, found)
    data: dict[str, Any] = {
        "party": found.party,
        "role": found.role,
        "admitted": found.admitted,
        "standing": found.standing,
        "http": found.http,
        "links": [
            {"to": other.to, "connected": other.connected, "detail": other.detail or None}
            for other in found.links
        ],
        "consortium": found.consortium,
        "fingerprint": found.fingerprint,
        "founder": founder.name if founder else None,
        "founder_fingerprint": founder.fingerprint if founder else None,
        "pepper_epoch": found.pepper_epoch if found.pepper_epoch >= 0 else None,
        "rolling": found.rolling,
        "certificate_expires_at": found.certificate_expires_at,
        "version": found.version,
        "loop_lag_max_s": found.loop_lag_max_s,
        "announcements": list(found.announcements),
    }
    call.report.result(data, lambda: _print_node(data))


async def founder_of(
    node: link.Node, status: node_admin_pb2.GetStatusReply
) -> node_admin_pb2.PartyInfo | None:
    """Find the founding government as this node has verified it; None where it cannot tell now.

    A government's node fetches applicants whenever it lists parties: without a link that would only wait.
    """
    if status.role == Role.GOVERNMENT and not all(other.connected for other in status.links):
        return None
    try:
        reply = await node.admin.ListParties(node_admin_pb2.ListPartiesRequest(), timeout=FOUNDER_S)
    except grpc.aio.AioRpcError:  # how the node is can be told without it
        return None
    return next((party for party in reply.parties if party.key_check == KeyCheck.FOUNDER), None)


def _print_node(data: dict[str, Any]) -> None:
    epoch = "none yet" if data["pepper_epoch"] is None else str(data["pepper_epoch"])
    if data["rolling"]:
        epoch += ", rotation under way"
    founder = f"{data['founder']}, {data['founder_fingerprint']}" if data["founder"] else "not known now"
    pairs = {
        "party": f"{data['party']} ({data['role']})",
        "consortium": data["consortium"],
        "standing": data["standing"] if data["admitted"] else "waiting for a government to admit it",
        "fingerprint": data["fingerprint"],
        "founder": founder,
        "pepper epoch": epoch,
        "certificate": f"until {data['certificate_expires_at']}",
        "health": data["http"],
        "version": data["version"],
    }
    for announced in data["announcements"]:
        pairs["soon"] = announced
    for other in data["links"]:
        how = "connected" if other["connected"] else "not connected"
        pairs[f"link to {other['to']}"] = f"{how}: {other['detail']}" if other["detail"] else how
    screen.facts(pairs)


async def _coordinator(call: Call) -> None:
    async with link.coordinator(call) as admin:
        found = await admin.GetCoordinatorStatus(
            coordinator_admin_pb2.GetCoordinatorStatusRequest(), timeout=link.CALL_S
        )
    data: dict[str, Any] = {
        "party": link.COORDINATOR,
        "role": link.COORDINATOR,
        "admitted": True,
        "http": found.http,
        "links": [
            {
                "to": party.name,
                "connected": party.connected,
                "detail": None,
                "role": party.role,
                "state": party.state,
            }
            for party in found.parties
        ],
        "consortium": found.consortium,
        "address": found.address,
        "authority_fingerprint": found.authority_fingerprint,
        "founder_fingerprint": found.founder_fingerprint or None,
        "running_exchanges": found.running_exchanges,
        "contested_invitations": list(found.contested_invitations),
        "version": found.version,
    }
    call.report.result(data, lambda: _print_coordinator(data))


def _print_coordinator(data: dict[str, Any]) -> None:
    screen.facts(
        {
            "coordinator of": data["consortium"],
            "address": data["address"],
            "authority": data["authority_fingerprint"],
            "founder": data["founder_fingerprint"] or "the founding government has not joined yet",
            "exchanges now": data["running_exchanges"],
            "health": data["http"],
            "version": data["version"],
        }
    )
    if data["contested_invitations"]:
        screen.say(
            "Somebody tried to redeem these invitations with a second key: "
            f"{screen.plain(data['contested_invitations'])}"
        )
    screen.say("")
    screen.listing(
        {"PARTY": "to", "ROLE": "role", "STATE": "state", "CONNECTED": "connected"},
        data["links"],
        empty="No party has enrolled yet; `trisect invite` lets one in.",
    )
