"""Breaches: their files, and what parties and governments put into them."""

from __future__ import annotations

import base64
from typing import Any

from trisect.cli import link, screen
from trisect.cli.acts import approval
from trisect.cli.call import Call
from trisect.clock import system_clock, to_text
from trisect.errors import BadInputError, NotFoundError
from trisect.rules.breaches import (
    Appeal,
    Closing,
    Decision,
    Ground,
    Opening,
    Order,
    Reply,
    check_text,
    read_reference,
)
from trisect.rules.document import Fields
from trisect.trust import canonical_json
from trisect.trust.filings import (
    AppealDecisionFiling,
    AppealFiling,
    BreachClosingFiling,
    BreachFiling,
    BreachReplyFiling,
    MeasureFiling,
    SanctionFiling,
)
from trisect.trust.statements import party_name
from trisect.wire.v1 import governance_pb2 as pb

_KINDS = {"measure": MeasureFiling.KIND, "sanction": SanctionFiling.KIND}
_WORDS = {kind: word for word, kind in _KINDS.items()}
_EFFECTS = {
    "warn": "warned",
    "throttle": "throttled",
    "suspend-purpose": "kept from exchanging for that purpose",
    "suspend": "kept from exchanging anything",
    "expel": "kept from exchanging anything, on the way to its expulsion",
}


async def listing(call: Call, party: str) -> None:
    """List breaches."""
    found = await _breaches(call, party)
    call.report.result(
        {"breaches": found},
        lambda: screen.listing(
            {
                "BREACH": "breach",
                "GROUND": "ground",
                "RED LINE": "rule",
                "OPENED BY": "issuer",
                "AT": "issued",
                "STATE": "state",
            },
            found,
            empty="No breach has been opened.",
        ),
    )


async def show(call: Call, reference: str) -> None:
    """Show one file."""
    found = await _one(call, reference)

    def text() -> None:
        facts = {name: found[name] for name in ("breach", "state", "ground", "rule", "text")}
        screen.facts(facts | {"opened": f"{found['issued']} by {found['issuer']}"})
        for reply in found["replies"]:
            screen.say(f"\nReply of {reply['issued']}: {reply['text']}")
        for one in found["orders"]:
            effect = "in force" if one["in_force"] else "lifted" if one["lifted"] else "not in force"
            screen.say(
                f"\n{one['order']}: {one['act']} {one['purpose'] or ''} from {one['from']} until {one['until']}, "
                f"{effect}, ordered by {one['issuer']}: {one['reasons']}"
            )
            if one["appeal"]:
                screen.say(f"  appeal {one['appeal_number']}: {one['appeal']}")
            if one["decision"]:
                screen.say(f"  decided: {'lifted' if one['lifted'] else 'it stands'}: {one['decision']}")
        if found["closing"]:
            screen.say(f"\nClosed by {found['closed_by']}: {found['closing']}")

    call.report.result(found, text)


async def open_(call: Call, party: str, text: str) -> None:
    """Open a breach on what a government has found."""
    check_text(text, "the words of a breach")
    name = party_name(party)
    await _file(call, BreachFiling.KIND, name, Opening(Ground.FINDING.value, "", text, b"", b""))
    found = (await _breaches(call, name))[-1]
    call.report.result(found, lambda: screen.say(f"opened: {found['breach']}"))


async def reply(call: Call, reference: str, text: str) -> None:
    """Answer one's own breach."""
    check_text(text, "a reply's words")
    _, number = read_reference(reference)
    await _file(call, BreachReplyFiling.KIND, "", Reply(number, text))
    await show(call, reference)


def order(
    call: Call,
    reference: str,
    act: str,
    only: str,
    factor: int,
    begins: str,
    ends: str,
    reason: str,
    means: approval.Means,
) -> None:
    """Order a measure or a sanction."""
    party, number = read_reference(reference)
    made = Order(number, act, only, factor, reason, begins, ends)
    made.check()
    made.check_span(to_text(system_clock()))
    call.confirm(f"{party} will be {_EFFECTS[act]} until {ends}, and everybody reads why")
    call.run(_order(call, reference, made, means))


async def _order(call: Call, reference: str, made: Order, means: approval.Means) -> None:
    party, _ = read_reference(reference)
    if await _file(call, made.kind.KIND, party, made, means):
        await show(call, reference)


async def appeal(call: Call, reference: str, against: str, text: str) -> None:
    """Appeal against an order in one's own breach."""
    check_text(text, "an appeal's words")
    word, _, number = against.partition("/")
    if word not in _KINDS or not number.isdecimal():
        raise BadInputError(
            "an order is named measure/N or sanction/N", hint="`trisect breach show` names those of a breach"
        )
    await _file(call, AppealFiling.KIND, "", Appeal(_KINDS[word], int(number), text))
    await show(call, reference)


async def decide(
    call: Call, reference: str, number: int, *, lifts: bool, reason: str, means: approval.Means
) -> None:
    """Decide over an appeal."""
    check_text(reason, "the reasons")
    party, _ = read_reference(reference)
    if await _file(call, AppealDecisionFiling.KIND, party, Decision(number, int(lifts), reason), means):
        await show(call, reference)


async def close(call: Call, reference: str, text: str) -> None:
    """Close a breach."""
    check_text(text, "the words that close a breach")
    party, number = read_reference(reference)
    await _file(call, BreachClosingFiling.KIND, party, Closing(number, text))
    await show(call, reference)


async def _file(
    call: Call, kind: str, party: str, content: Fields, means: approval.Means | None = None
) -> bool:
    """File something; tells whether it was published, and reports where it waits for officers."""
    request = pb.FileDocumentRequest(kind=kind, party=party, content=canonical_json.encode(content.to_body()))
    async with link.node(call) as node:
        reply = await node.governance.FileDocument(request, timeout=link.LONG_CALL_S)
        if not reply.proposal.approvals:
            return True
        published = await approval.carry(node, reply.proposal, means or approval.Means())
    if not published:
        approval.waiting(call, f"the document about {party}", means or approval.Means())
    return published


async def _breaches(call: Call, party: str) -> list[dict[str, Any]]:
    async with link.node(call) as node:
        reply = await node.governance.ListBreaches(
            pb.ListBreachesRequest(party=party), timeout=link.LONG_CALL_S
        )
    return [described(one) for one in reply.breaches]


async def _one(call: Call, reference: str) -> dict[str, Any]:
    party, number = read_reference(reference)
    for found in await _breaches(call, party):
        if found["number"] == number:
            return found
    raise NotFoundError("there is no such breach", hint="`trisect breach list` names all")


def described(found: pb.Breach) -> dict[str, Any]:
    """Lay a file out for scripts."""
    return {
        "breach": f"{found.party}/{found.number}",
        "party": found.party,
        "number": found.number,
        "state": found.state,
        "ground": found.ground,
        "rule": found.rule or None,
        "text": found.text,
        "proofs": [base64.b64encode(proof).decode() for proof in found.proofs],
        "issuer": found.issuer,
        "issued": found.issued,
        "replies": [{"text": one.text, "issued": one.issued} for one in found.replies],
        "orders": [
            {
                "order": f"{_WORDS[one.kind]}/{one.number}",
                "act": one.act,
                "purpose": one.purpose or None,
                "factor": one.factor or None,
                "reasons": one.reasons,
                "from": one.begins,
                "until": one.ends,
                "issuer": one.issuer,
                "issued": one.issued,
                "in_force": one.in_force,
                "appeal": one.appeal or None,
                "appeal_number": one.appeal_number or None,
                "decision": one.decision or None,
                "lifted": one.lifted,
            }
            for one in found.orders
        ],
        "closing": found.closing or None,
        "closed_by": found.closed_by or None,
    }
