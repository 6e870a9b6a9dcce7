"""Single entries. The value goes to the node and nowhere else: no message here ever repeats it.

Stdin is read before the event loop runs, which would keep Ctrl-C from ending a read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trisect.cli import link, screen, stdin
from trisect.cli.acts.import_options import check_kind, check_region
from trisect.cli.call import Call
from trisect.cli.failures import UsageError
from trisect.errors import NotFoundError
from trisect.rules.vocabulary import collection_name
from trisect.wire.v1 import collections_pb2 as pb

STDIN = "-"
_ACTS = {
    "show": pb.ChangeEntryRequest.ACT_SHOW,
    "retract": pb.ChangeEntryRequest.ACT_RETRACT,
    "contest": pb.ChangeEntryRequest.ACT_CONTEST,
    "lift": pb.ChangeEntryRequest.ACT_LIFT,
    "confirm": pb.ChangeEntryRequest.ACT_CONFIRM,
}
_DONE = {
    "show": "",
    "retract": "retracted",
    "contest": "marked as contested",
    "lift": "lifted",
    "confirm": "confirmed",
}
_LABEL = ("category", "fraud_role", "confidence", "first_seen", "last_seen", "channel", "ai_technique")


@dataclass(frozen=True, slots=True)
class Named:
    """How the command line names an entry: by a value (`-`: from stdin) or by a reference."""

    collection: str
    kind: str
    value: str
    ref: str
    region: str

    def request(self, act: pb.ChangeEntryRequest.Act.ValueType, value: str) -> pb.ChangeEntryRequest:
        """Write it for the node; raises BadInputError."""
        return pb.ChangeEntryRequest(
            act=act,
            collection=collection_name(self.collection) if self.collection else "",
            kind=check_kind(self.kind) if value else "",
            value=value,
            ref=self.ref,
            region=check_region(self.region),
        )


def add(call: Call, named: Named, label: Mapping[str, str]) -> None:
    """Add one entry."""
    request = named.request(pb.ChangeEntryRequest.ACT_ADD, _value(call, named))
    for name, text in label.items():
        setattr(request, name, text)
    found = call.run(_change(call, request))
    call.report.result(
        {"entries": found}, lambda: screen.say(f"the entry is in {named.collection}; its ref: {_refs(found)}")
    )


def change(call: Call, act: str, named: Named) -> None:
    """Show an entry or change its state."""
    if named.ref and named.value != STDIN:
        raise UsageError(
            "name the entry by its value or by --ref, not by both", hint="leave one of the two out"
        )
    if named.ref and not named.collection:
        raise UsageError("--ref needs --collection", hint="a reference is one collection's own")
    request = named.request(_ACTS[act], "" if named.ref else _value(call, named))
    found = call.run(_change(call, request))
    if not found:
        raise NotFoundError(
            "no such entry is listed here",
            hint="is the kind right, and the collection? National numbers need --region",
        )
    call.report.result({"entries": found}, lambda: _print(_DONE[act], found))


async def _change(call: Call, request: pb.ChangeEntryRequest) -> list[dict[str, Any]]:
    async with link.node(call) as node:
        reply = await node.collections.ChangeEntry(request, timeout=link.CALL_S)
    return [
        {
            "collection": one.collection,
            "kind": one.kind,
            "ref": one.ref,
            "state": one.state,
            **{name: getattr(one, name) or None for name in _LABEL},
            "confidence": int(one.confidence) if one.confidence else None,
            "contested_at": one.contested_at or None,
        }
        for one in reply.entries
    ]


def _value(call: Call, named: Named) -> str:
    if named.value != STDIN:
        return named.value
    hint = "give one value on one line, or name the entry by --ref; `trisect import -` takes many"
    return stdin.one(call, "value", hint)


def _refs(found: list[dict[str, Any]]) -> str:
    return screen.plain([one["ref"] for one in found])


def _print(done: str, found: list[dict[str, Any]]) -> None:
    screen.listing(
        {
            "COLLECTION": "collection",
            "KIND": "kind",
            "REF": "ref",
            "STATE": "state",
            "CATEGORY": "category",
            "ROLE IN FRAUD": "fraud_role",
            "CONFIDENCE": "confidence",
            "LAST SEEN": "last_seen",
        },
        found,
        empty="No such entry is listed here.",
    )
    if done:
        screen.say(f"{screen.count(len(found), 'entry', 'entries')} {done}")
