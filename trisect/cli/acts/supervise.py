"""What a supervisor sees of the consortium."""

from __future__ import annotations

from trisect.cli import link, screen
from trisect.cli.call import Call
from trisect.wire.v1 import governance_pb2 as pb


async def meter(call: Call, days: int) -> None:
    """Show what each party does."""
    found = (await _meter(call, days)).parties
    rows = [
        {
            "party": one.party,
            "role": one.role,
            "standing": one.standing,
            "asked": one.asked,
            "answered": one.answered,
            "elements_asked": one.elements_asked,
            "elements_answered": one.elements_answered,
            "elements_asked_today": one.elements_asked_today,
            "breaches": one.breaches,
            "open_breaches": one.open_breaches,
            "orders": list(one.orders),
            "silent": one.silent,
            "stale": one.stale,
            "consents_committed": one.consents_committed or None,
        }
        for one in found
    ]
    call.report.result(
        {"days": days, "parties": rows},
        lambda: screen.listing(
            {
                "PARTY": "party",
                "ROLE": "role",
                "STANDING": "standing",
                "ASKED": "asked",
                "ANSWERED": "answered",
                "ELEMENTS ASKED": "elements_asked",
                "TODAY": "elements_asked_today",
                "BREACHES": lambda row: f"{row['open_breaches']} open of {row['breaches']}",
                "IN FORCE": "orders",
                "SILENT": "silent",
                "STALE": "stale",
                "CONSENTS": "consents_committed",
            },
            rows,
            empty="Nobody has been admitted yet.",
        ),
    )


async def duties(call: Call, *, overdue: bool) -> None:
    """Show what each party owes by when."""
    found = [
        {"party": one.party, "duty": one.duty, "due": one.due, "overdue": one.overdue}
        for one in (await _meter(call, 1)).duties
        if one.overdue or not overdue
    ]
    call.report.result(
        {"duties": found},
        lambda: screen.listing(
            {
                "PARTY": "party",
                "DUTY": "duty",
                "DUE": "due",
                "": lambda row: "overdue" if row["overdue"] else "",
            },
            found,
            empty="Nobody owes anything.",
        ),
    )


async def _meter(call: Call, days: int) -> pb.GetMeterReply:
    async with link.node(call) as node:
        return await node.governance.GetMeter(pb.GetMeterRequest(days=days), timeout=link.LONG_CALL_S)
