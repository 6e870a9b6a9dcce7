"""Delegations: a proxy's administrator records them and takes them back."""

from __future__ import annotations

from typing import Any

from trisect.cli import link, screen
from trisect.cli.acts.consent import Given, identifier, nothing_read, read, who
from trisect.cli.call import Call
from trisect.rules.delegations import Delegation
from trisect.wire.v1 import consents_pb2 as pb


def give(call: Call, person: str, given: Given) -> None:
    """Record a delegation."""
    call.run(_give(call, pb.GiveDelegationRequest(person=who(call, person), **given.fields())))


async def _give(call: Call, request: pb.GiveDelegationRequest) -> None:
    async with link.node(call) as node:
        reply = await node.consents.GiveDelegation(request, timeout=link.CALL_S)
    data = _described(reply.delegation)

    def text() -> None:
        screen.say(f"delegation {data['id']} is recorded, until {data['expires']}")
        if data["why_not"]:
            screen.say(f"nothing may be consented to under it: {data['why_not']}")

    call.report.result(data, text)


def list_(call: Call, person: str) -> None:
    """List delegations."""
    call.run(_list(call, pb.ListDelegationsRequest(person=who(call, person) if person else "")))


async def _list(call: Call, request: pb.ListDelegationsRequest) -> None:
    async with link.node(call) as node:
        reply = await node.consents.ListDelegations(request, timeout=link.CALL_S)
    rows = [_described(one) for one in reply.delegations]
    call.report.result(
        {"delegations": rows},
        lambda: screen.listing(
            {
                "ID": "id",
                "PURPOSES": lambda row: ", ".join(row["purposes"]),
                "KINDS": lambda row: ", ".join(row["kinds"]),
                "PARTIES": lambda row: ", ".join(row["parties"]),
                "UNTIL": "expires",
                "IN FORCE": lambda row: "yes" if row["in_force"] else row["why_not"],
            },
            rows,
            empty="There are no delegations.",
            whole=["ID"],
        ),
    )


def revoke(call: Call, delegation: str, *, erase: bool) -> None:
    """Take a delegation back."""
    call.confirm(
        f"delegation {delegation} will be taken back, and every consent that was given under it"
        + (" be erased" if erase else "")
    )
    call.run(_revoke(call, pb.RevokeDelegationRequest(id=identifier(delegation, "delegation"), erase=erase)))


async def _revoke(call: Call, request: pb.RevokeDelegationRequest) -> None:
    async with link.node(call) as node:
        reply = await node.consents.RevokeDelegation(request, timeout=link.CALL_S)
    taken = [consent.hex() for consent in reply.consents]
    call.report.result(
        _described(reply.delegation) | {"consents": taken},
        lambda: screen.say(
            f"the delegation is taken back, and {screen.count(len(taken), 'consent')} with it"
        ),
    )


def _described(found: pb.Delegation) -> dict[str, Any]:
    record = read(Delegation.peek(found.record)) if found.record else nothing_read()
    return record | {
        "id": found.id.hex(),
        "in_force": found.in_force,
        "why_not": found.why_not,
        "erased": not found.record,
        "revoked_at": found.revoked_at,
        "credential": found.credential,
    }
