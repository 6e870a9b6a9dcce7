"""Parties and their standing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from trisect.cli import link, screen
from trisect.cli.acts import approval, pepper
from trisect.cli.acts.filing import file
from trisect.cli.call import Call
from trisect.errors import NotFoundError
from trisect.rules.reviews import SourceReview
from trisect.trust.filings import SourceReviewFiling, VettingFiling
from trisect.trust.statements import KeyCheck, Standing, Vetting, party_name
from trisect.wire.v1 import governance_pb2
from trisect.wire.v1 import node_admin_pb2 as pb

UNCHECKED = (
    "Nobody has compared this party's key with what it says itself. If the coordinator swapped the key, it can "
    "read what this party exchanges. Ask the party for its fingerprint and admit with --fingerprint."
)

_CONSEQUENCES = {
    Standing.SUSPENDED: "suspended, and its running exchanges will be cut",
    Standing.EXPELLED: "expelled for good",
}
"""Changes that ask first, and what they bring."""


async def list_all(call: Call) -> None:
    """List all parties."""
    parties = await _all(call)
    call.report.result(
        {"parties": parties},
        lambda: screen.listing(
            {
                "PARTY": "name",
                "ROLE": "role",
                "STATE": _state,
                "KEY CHECKED": _checked,
                "PEPPER": "pepper_epoch",
                "FINGERPRINT": "fingerprint",
            },
            parties,
            empty="There is no party yet.",
            whole=("FINGERPRINT",),
        ),
    )


async def show(call: Call, name: str) -> None:
    """Show one party, and who has looked into it."""
    found = await _one(call, name)
    async with link.node(call) as node:
        regime = await node.governance.GetRegime(governance_pb2.GetRegimeRequest(), timeout=link.CALL_S)
    vetting = next((one for one in regime.vettings if one.party == name), None)
    found["vetting"] = _looked_into(vetting) if vetting else None
    found["reviews"] = [
        {"recipient": one.recipient, **_looked_into(one)} for one in regime.reviews if one.source == name
    ]

    def text() -> None:
        _print(found)
        for one in ([{"recipient": "", **found["vetting"]}] if vetting else []) + found["reviews"]:
            who = f"reviewed by {one['recipient']}" if one["recipient"] else "vetted"
            over = "" if one["in_force"] else ", expired"
            screen.say(f"{who} until {one['expires']}{over}: {one['reviewer']}, {one['evidence']}")

    call.report.result(found, text)


def _looked_into(found: governance_pb2.PartyVetting | governance_pb2.SourceReview) -> dict[str, Any]:
    return {
        "reviewer": found.reviewer,
        "evidence": found.evidence,
        "expires": found.expires,
        "in_force": found.in_force,
    }


@dataclass(frozen=True, slots=True)
class Vetted:
    """Who has looked into a party, upon what, and until when that counts; empty where nobody has."""

    reviewer: str
    evidence: str
    until: str


async def admit(
    call: Call, name: str, fingerprint: str, role: str, vetted: Vetted, means: approval.Means
) -> None:
    """Admit a party."""
    request = pb.AdmitRequest(
        party=party_name(name),
        fingerprint=fingerprint.strip(),
        role=role,
        reviewer=vetted.reviewer,
        evidence=vetted.evidence,
        vetted_until=vetted.until,
    )
    async with link.node(call) as node:
        reply = await node.admin.Admit(request, timeout=link.CALL_S)
        if not await approval.carry(node, reply.proposal, means):
            approval.waiting(call, f"the admission of {name}", means)
            return
    found = _describe(reply.party) if reply.HasField("party") else await _one(call, name)

    def text() -> None:
        screen.say(f"{name} is admitted as {found['role']}.")
        if found["key_check"] == KeyCheck.NONE:
            screen.say(f"warning: {UNCHECKED}")

    call.report.result(found, text)


async def vet(call: Call, name: str, vetted: Vetted) -> None:
    """Renew a party's vetting."""
    content = Vetting(vetted.reviewer, vetted.evidence, vetted.until).to_body()
    await file(call, VettingFiling.KIND, content, party_name(name))
    call.report.result(
        {"party": name, **content}, lambda: screen.say(f"{name} is vetted until {vetted.until}")
    )


async def review(call: Call, name: str, vetted: Vetted) -> None:
    """Record the own party's review of a source."""
    found = SourceReview(party_name(name), vetted.reviewer, vetted.evidence, vetted.until)
    found.check()
    await file(call, SourceReviewFiling.KIND, found.to_body())
    call.report.result(
        dict(found.to_body()), lambda: screen.say(f"{name} may be asked as a source until {vetted.until}")
    )


def change(
    call: Call,
    name: str,
    standing: str,
    reason: str,
    *,
    until: str = "",
    means: approval.Means | None = None,
) -> None:
    """Suspend, reinstate or expel a party."""
    request = pb.ChangeStandingRequest(
        party=party_name(name), standing=Standing(standing).value, reason=reason, until=until
    )
    if standing in _CONSEQUENCES:
        call.confirm(f"{name} will be {_CONSEQUENCES[Standing(standing)]}")
    call.run(_change(call, name, request, means or approval.Means()))


def succeed(call: Call) -> None:
    """Give the own party new keys."""
    own = call.run(_own(call))
    call.confirm(
        f"the key {own.fingerprint} of {own.party} will be given up for a new one, and nobody takes what it signs "
        "any more"
    )
    call.run(_succeed(call, own.fingerprint))


async def _own(call: Call) -> pb.GetStatusReply:
    async with link.node(call) as node:
        return await node.admin.GetStatus(pb.GetStatusRequest(), timeout=link.CALL_S)


async def _succeed(call: Call, former: str) -> None:
    async with link.node(call) as node:
        found = await node.admin.SucceedKeys(
            pb.SucceedKeysRequest(fingerprint=former), timeout=link.LONG_CALL_S
        )
    data = {"party": found.party, "fingerprint": found.fingerprint, "former_fingerprint": former}

    def text() -> None:
        screen.facts({"party": found.party, "fingerprint": found.fingerprint, "former fingerprint": former})
        call.report.note(
            "every party gets a statement that both keys have signed, and has nothing to do. Tell both fingerprints, "
            "not through the coordinator, to those who keep a note of yours, a government first; then back up "
            "keystore.json anew"
        )

    call.report.result(data, text)


async def _change(call: Call, name: str, request: pb.ChangeStandingRequest, means: approval.Means) -> None:
    async with link.node(call) as node:
        reply = await node.admin.ChangeStanding(request, timeout=link.CALL_S)
        if not await approval.carry(node, reply.proposal, means):
            approval.waiting(call, f"that {name} is {request.standing}", means)
            return
    found = await _one(call, name) if reply.proposal.approvals else _describe(reply.party)

    call.report.result(found, lambda: screen.say(f"{name} is {_state(found)}."))
    if found["state"] == Standing.EXPELLED:
        pepper.note_expelled(call, name)


async def _one(call: Call, name: str) -> dict[str, Any]:
    found = next((party for party in await _all(call) if party["name"] == name), None)
    if found is None:
        raise NotFoundError(
            "there is no such party here", hint="`trisect party list` shows those there are; has it joined?"
        )
    return found


async def _all(call: Call) -> list[dict[str, Any]]:
    async with link.node(call) as node:
        reply = await node.admin.ListParties(pb.ListPartiesRequest(), timeout=link.CALL_S)
    return [_describe(party) for party in reply.parties]


def _describe(party: pb.PartyInfo) -> dict[str, Any]:
    return {
        "name": party.name,
        "role": party.role,
        "state": party.state,
        "fingerprint": party.fingerprint,
        "key_check": party.key_check or None,
        "suspended_until": party.suspended_until or None,
        "former_fingerprints": list(party.former_fingerprints),
        "pepper_epoch": party.pepper_epoch if party.pepper_epoch >= 0 else None,
    }


def _state(party: screen.Row) -> str:
    until = party["suspended_until"]
    return f"{party['state']} until {until}" if until else str(party["state"])


def _checked(party: screen.Row) -> str:
    words = {KeyCheck.FOUNDER: "founder", KeyCheck.FINGERPRINT: "yes", KeyCheck.NONE: "NO"}
    return words.get(party["key_check"], "") if party["key_check"] else ""


def _print(party: dict[str, Any]) -> None:
    screen.facts(
        {
            "party": party["name"],
            "role": party["role"],
            "state": party["state"],
            "fingerprint": party["fingerprint"],
            **({"succeeded": party["former_fingerprints"]} if party["former_fingerprints"] else {}),
            "key checked": _checked(party),
            "pepper epoch": party["pepper_epoch"],
        }
    )
    if party["key_check"] == KeyCheck.NONE:
        screen.say(f"warning: {UNCHECKED}")
