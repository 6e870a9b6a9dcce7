"""What a supervisor sees of the consortium."""

from __future__ import annotations

from typing import Any

from trisect.cli import link, screen
from trisect.cli.acts.breach import described
from trisect.cli.call import Call
from trisect.trust.statements import party_name
from trisect.wire.v1 import governance_pb2 as pb


async def meter(call: Call, days: int) -> None:
    """Show what each party does."""
    found = (await _meter(call, days)).parties
    rows = [_counted(one) for one in found]
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
                "OF BUDGET": lambda row: f"{row['budget_percent']} %",
                "LAG": lambda row: f"{row['revocation_lag_s']} s",
                "DRIFT": "drift",
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
    found = [_owed(one) for one in (await _meter(call, 1)).duties if one.overdue or not overdue]
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


async def inspect(call: Call, party: str, days: int) -> None:
    """Report on one party."""
    request = pb.InspectPartyRequest(party=party_name(party), days=days)
    async with link.node(call) as node:
        reply = await node.governance.InspectParty(request, timeout=link.LONG_CALL_S)
    data = {
        "days": days,
        **_counted(reply.meter),
        "uses": [_used(one) for one in reply.uses],
        "duties": [_owed(one) for one in reply.duties],
        "files": [described(one) for one in reply.breaches],
    }

    def text() -> None:
        screen.facts({name.replace("_", " "): data[name] for name in _counted(reply.meter)})
        screen.say("")
        screen.listing(
            {
                "IT": lambda row: "asked" if row["end"] == "asker" else "answered",
                "PEER": "peer",
                "PURPOSE": "purpose",
                "MODE": "mode",
                "TIMES": "times",
                "ELEMENTS": "elements",
                "KINDS": "kinds",
                "BASIS": "bases",
                "RULES": "rules",
                "LAST": "last",
            },
            data["uses"],
            empty=f"No exchange of {party} is in the record of these days.",
        )
        for one in data["duties"]:
            screen.say(f"{'overdue' if one['overdue'] else 'due'} {one['due']}: {one['duty']}")
        for one in data["files"]:
            screen.say(f"breach {one['breach']}, {one['state']}: {one['text']}")

    call.report.result(data, text)


def _counted(one: pb.PartyMeter) -> dict[str, Any]:
    return {
        "party": one.party,
        "role": one.role,
        "standing": one.standing,
        "asked": one.asked,
        "answered": one.answered,
        "elements_asked": one.elements_asked,
        "elements_answered": one.elements_answered,
        "elements_asked_today": one.elements_asked_today,
        "budget_percent": one.budget_percent,
        "revocation_lag_s": one.revocation_lag_s,
        "drift": one.drift,
        "breaches": one.breaches,
        "open_breaches": one.open_breaches,
        "orders": list(one.orders),
        "silent": one.silent,
        "stale": one.stale,
        "consents_committed": one.consents_committed or None,
    }


def _owed(one: pb.Duty) -> dict[str, Any]:
    return {"party": one.party, "duty": one.duty, "due": one.due, "overdue": one.overdue}


def _used(one: pb.InspectedUse) -> dict[str, Any]:
    return {
        "end": one.end,
        "peer": one.peer,
        "purpose": one.purpose,
        "mode": one.mode,
        "times": one.times,
        "elements": one.elements,
        "kinds": list(one.kinds),
        "bases": list(one.bases),
        "rules": list(one.rules),
        "first": one.first,
        "last": one.last,
    }


async def _meter(call: Call, days: int) -> pb.GetMeterReply:
    async with link.node(call) as node:
        return await node.governance.GetMeter(pb.GetMeterRequest(days=days), timeout=link.LONG_CALL_S)
