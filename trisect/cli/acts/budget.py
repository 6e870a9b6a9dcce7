"""Budgets: what was spent, what was asked for beyond the rulebook, and what was granted."""

from __future__ import annotations

import datetime as dt

from trisect.cli import link, screen
from trisect.cli.acts import approval
from trisect.cli.call import Call
from trisect.errors import BadInputError
from trisect.rules.allowances import Allowance
from trisect.rules.budgets import nearly_spent
from trisect.rules.vocabulary import purpose as read_purpose
from trisect.trust import canonical_json
from trisect.trust.filings import BudgetGrantFiling, BudgetRequestFiling
from trisect.trust.statements import party_name
from trisect.wire.v1 import governance_pb2 as pb


def allowance(peer: str, purpose: str, elements: int, first: str, last: str, reason: str) -> Allowance:
    """Read an allowance from the command line; raises BadInputError."""
    found = Allowance(party_name(peer), read_purpose(purpose), elements, _day(first), _day(last), reason)
    found.check()
    return found


async def show(call: Call) -> None:
    """Show budgets."""
    async with link.node(call) as node:
        reply = await node.governance.ListBudgets(pb.ListBudgetsRequest(), timeout=link.CALL_S)
    spent = [
        {
            "asker": one.asker,
            "answerer": one.answerer,
            "purpose": one.purpose,
            "day": one.day,
            "elements": one.elements,
            "limit": one.limit,
            "nearly_spent": nearly_spent(one.elements, one.limit),
        }
        for one in reply.spent
    ]
    allowances = [
        {
            "state": "granted" if one.granted else "requested",
            "asker": one.asker,
            "answerer": one.answerer,
            "purpose": one.purpose,
            "elements": one.elements,
            "from": getattr(one, "from"),
            "until": one.until,
            "reason": one.reason,
            "issuer": one.issuer,
            "issued": one.issued,
        }
        for one in reply.allowances
    ]

    def text() -> None:
        screen.listing(
            {
                "ASKER": "asker",
                "ANSWERER": "answerer",
                "PURPOSE": "purpose",
                "SPENT": lambda row: f"{row['elements']:,} of {row['limit']:,}",
                "": lambda row: "nearly spent" if row["nearly_spent"] else "",
            },
            spent,
            empty="Nothing was spent today.",
        )
        if allowances:
            screen.say("")
            screen.listing(
                {
                    "": "state",
                    "ASKER": "asker",
                    "ANSWERER": "answerer",
                    "PURPOSE": "purpose",
                    "MORE A DAY": lambda row: f"{row['elements']:,}",
                    "FROM": "from",
                    "UNTIL": "until",
                    "REASON": "reason",
                },
                allowances,
                empty="",
            )

    call.report.result({"spent": spent, "allowances": allowances}, text)


async def request(call: Call, wanted: Allowance) -> None:
    """Ask for an allowance."""
    async with link.node(call) as node:
        await node.governance.FileDocument(
            _filing(BudgetRequestFiling.KIND, "", wanted), timeout=link.LONG_CALL_S
        )
    call.report.result(
        {"state": "requested", **wanted.to_content()},
        lambda: screen.say(f"asked for {wanted.elements:,} elements a day more; a government grants them"),
    )


async def grant(call: Call, party: str, given: Allowance, means: approval.Means) -> None:
    """Grant an allowance."""
    name = party_name(party)
    async with link.node(call) as node:
        filing = _filing(BudgetGrantFiling.KIND, name, given)
        reply = await node.governance.FileDocument(filing, timeout=link.LONG_CALL_S)
        published = await approval.carry(node, reply.proposal, means)
    done = f"{name} may ask {given.answerer} for {given.elements:,} elements a day more until {given.last}"
    if not published:
        approval.waiting(call, done, means)
        return
    call.report.result({"state": "granted", "party": name, **given.to_content()}, lambda: screen.say(done))


def _filing(kind: str, party: str, content: Allowance) -> pb.FileDocumentRequest:
    return pb.FileDocumentRequest(kind=kind, party=party, content=canonical_json.encode(content.to_content()))


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise BadInputError("a day is written as 2027-01-31", hint="see --from and --until") from None
