"""The register of leaks: reports, steps, and who still has to act."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from trisect.cli import link, screen
from trisect.cli.acts.filing import file
from trisect.cli.call import Call
from trisect.errors import BadInputError, NotFoundError
from trisect.indicators.kinds import Kind
from trisect.rules.breaches import check_text, read_reference
from trisect.rules.leaks import Act, Report, Step, size_class
from trisect.trust.filings import LeakFiling, LeakStepFiling
from trisect.trust.statements import party_name
from trisect.wire.v1 import governance_pb2 as pb

_DATE = re.compile(r"\b\d{4}-\d\d-\d\d(T[\d:]+Z)?\b")
_NAMES_SOMETHING = re.compile(r"@|://|\d(?:[\s().-]*\d){5}|\w\.[a-z]{2,}", re.IGNORECASE)
"""Six digits in a row, whatever stands between them; a domain, an address, a link."""


async def listing(call: Call, party: str) -> None:
    """List leaks."""
    found = await _leaks(call, party)
    columns = {
        "LEAK": "leak",
        "CAUSE": "cause",
        "REPORTED BY": "issuer",
        "AT": "issued",
        "LATE": "late",
        "CLOSED": "closed",
    }
    call.report.result(
        {"leaks": found}, lambda: screen.listing(columns, found, empty="No leak has been reported.")
    )


async def show(call: Call, reference: str) -> None:
    """Show one leak."""
    party, number = read_reference(reference, "leak")
    found = next((one for one in await _leaks(call, party) if one["number"] == number), None)
    if found is None:
        raise NotFoundError("there is no such leak", hint="`trisect leak list` names all")
    _tell(call, found)


def told(cause: str, method: str, kinds: Sequence[str], persons: int, discovered: str, text: str) -> Report:
    """Write a report; raises BadInputError where a word is none, or tells too much."""
    content = Report(
        cause, ",".join(sorted({_kind(one) for one in kinds})), size_class(persons), discovered, method, text
    )
    content.check()
    _check_words(text)
    return content


async def report(call: Call, party: str, content: Report) -> None:
    """Report a leak."""
    await file(call, LeakFiling.KIND, content.to_body(), party_name(party) if party else "")
    async with link.node(call) as node:
        own = (await node.governance.GetRegime(pb.GetRegimeRequest(), timeout=link.CALL_S)).party
    _tell(call, (await _leaks(call, party or own))[-1])


async def step(call: Call, reference: str, done: str, text: str) -> None:
    """Say what was done about a leak."""
    check_text(text, "the words of a step")
    _check_words(text)
    if done not in list(Act):
        raise BadInputError("there is no such step after a leak", hint=f"known: {', '.join(Act)}")
    party, number = read_reference(reference, "leak")
    await file(call, LeakStepFiling.KIND, Step(number, done, text).to_body(), party)
    await show(call, reference)


def _check_words(text: str) -> None:
    """Refuse a text that seems to name a number, an address or a link: it stays in the record for ever."""
    if _NAMES_SOMETHING.search(_DATE.sub("", text)):
        raise BadInputError(
            "the text names a number, an address, an account or a link",
            hint="say it without: everybody reads the record, and nothing is ever taken out of it",
        )


def _kind(text: str) -> Kind:
    try:
        return Kind(text)
    except ValueError:
        raise BadInputError("there is no such kind", hint="docs/importing.md lists all") from None


async def _leaks(call: Call, party: str) -> list[dict[str, Any]]:
    async with link.node(call) as node:
        reply = await node.governance.ListLeaks(pb.ListLeaksRequest(party=party), timeout=link.LONG_CALL_S)
    return [_described(one) for one in reply.leaks]


def _described(found: pb.Leak) -> dict[str, Any]:
    return {
        "leak": f"{found.party}/{found.number}",
        "party": found.party,
        "number": found.number,
        "cause": found.cause,
        "kinds": list(found.kinds),
        "persons": found.persons or None,
        "discovered": found.discovered,
        "method": found.method,
        "text": found.text,
        "issuer": found.issuer,
        "issued": found.issued,
        "late": found.late,
        "closed": found.closed,
        "steps": [
            {"act": one.act, "text": one.text, "issuer": one.issuer, "issued": one.issued}
            for one in found.steps
        ],
        "owed": [
            {"party": one.party, "act": one.act, "due": one.due, "overdue": one.overdue} for one in found.owed
        ],
    }


def _tell(call: Call, found: dict[str, Any]) -> None:
    def text() -> None:
        screen.facts(
            {
                "leak": found["leak"],
                "cause": found["cause"],
                "kinds": ", ".join(found["kinds"]),
                "persons": f"at most {found['persons']:,}" if found["persons"] else "not known",
                "discovered": found["discovered"],
                "method": found["method"],
                "reported": f"{found['issued']} by {found['issuer']}{', late' if found['late'] else ''}",
                "text": found["text"],
            }
        )
        for one in found["steps"]:
            screen.say(f"\n{one['act']} ({one['issuer']}, {one['issued']}): {one['text']}")
        for one in found["owed"]:
            screen.say(
                f"\n{one['party']} owes: {one['act']}, by {one['due']}{', overdue' if one['overdue'] else ''}"
            )

    call.report.result(found, text)
