"""Collections and their sharings."""

from __future__ import annotations

from typing import Any

from trisect.cli import link, screen
from trisect.cli.call import Call
from trisect.errors import NotFoundError
from trisect.rules.terms import uses
from trisect.rules.vocabulary import collection_name, modes, purpose, recipient
from trisect.wire.v1 import collections_pb2 as pb


async def list_all(call: Call) -> None:
    """List all collections."""
    found = await _all(call)
    call.report.result(
        {"collections": found},
        lambda: screen.listing(
            {
                "COLLECTION": "name",
                "ENTRIES": "entries",
                "RETRACTED": "retracted",
                "VERSION": "version",
                "SOURCE": "source",
                "SHARED WITH": lambda one: sorted({sharing["with"] for sharing in one["sharings"]}),
            },
            found,
            empty="There is no collection yet; `trisect import` makes one.",
        ),
    )


async def show(call: Call, name: str) -> None:
    """Show one collection."""
    collection_name(name)
    found = next((one for one in await _all(call) if one["name"] == name), None)
    if found is None:
        raise NotFoundError(
            "there is no such collection here", hint="`trisect collection list` shows those there are"
        )
    _tell(call, found)


async def labels(call: Call, name: str, channel: str) -> None:
    """Count what the entries of a collection say."""
    request = pb.CountLabelsRequest(collection=collection_name(name), channel=channel)
    async with link.node(call) as node:
        reply = await node.collections.CountLabels(request, timeout=link.LONG_CALL_S)
    rows = [{"field": one.field, "value": one.value or None, "entries": one.entries} for one in reply.counts]
    call.report.result(
        {"collection": name, "channel": channel or None, "labels": rows},
        lambda: screen.listing(
            {"FIELD": "field", "VALUE": lambda row: row["value"] or "not said", "ENTRIES": "entries"},
            rows,
            empty="The collection has no active entries.",
        ),
    )


async def share(call: Call, name: str, whom: str, why: str, mode: str, use: str, retention_days: int) -> None:
    """Share a collection on signed terms."""
    sharing = pb.Sharing(
        purpose=purpose(why).value,
        modes=[one.value for one in modes(mode)],
        use=[one.value for one in uses(use.split(","))],
        retention_days=retention_days,
        **{"with": recipient(whom)},
    )
    request = pb.ShareCollectionRequest(collection=collection_name(name), sharing=sharing)
    async with link.node(call) as node:
        reply = await node.collections.ShareCollection(request, timeout=link.CALL_S)
    _tell(call, _describe(reply.collection) | {"parties_meant": reply.parties_meant})
    if not reply.parties_meant:
        call.report.note(
            f"the consortium has nobody who is meant by {recipient(whom)} yet; `trisect party list` shows who is there"
        )


async def unshare(call: Call, name: str, whom: str, why: str) -> None:
    """Take a sharing back."""
    request = pb.UnshareCollectionRequest(
        collection=collection_name(name),
        purpose=purpose(why).value if why else "",
        **{"with": recipient(whom)},
    )
    async with link.node(call) as node:
        reply = await node.collections.UnshareCollection(request, timeout=link.CALL_S)
    _tell(call, _describe(reply.collection))


def delete(call: Call, name: str) -> None:
    """Delete a collection."""
    request = pb.DeleteCollectionRequest(collection=collection_name(name))
    call.confirm(f"collection {name} will be deleted with all its entries")
    call.run(_delete(call, name, request))


async def _delete(call: Call, name: str, request: pb.DeleteCollectionRequest) -> None:
    async with link.node(call) as node:
        reply = await node.collections.DeleteCollection(request, timeout=link.LONG_CALL_S)
    call.report.result(
        {"collection": name, "entries": reply.entries},
        lambda: screen.say(f"{name} is deleted, with {screen.count(reply.entries, 'entry', 'entries')}."),
    )


async def _all(call: Call) -> list[dict[str, Any]]:
    async with link.node(call) as node:
        reply = await node.collections.ListCollections(pb.ListCollectionsRequest(), timeout=link.CALL_S)
    return [_describe(one) for one in reply.collections]


def _describe(found: pb.Collection) -> dict[str, Any]:
    return {
        "name": found.name,
        "source": found.source,
        "legal_basis": found.legal_basis,
        "retention_days": found.retention_days,
        "entries": found.entries,
        "retracted": found.retracted,
        "version": found.version,
        "created_at": found.created_at,
        "sharings": [
            {
                "with": getattr(one, "with"),
                "purpose": one.purpose,
                "modes": list(one.modes),
                "use": list(one.use),
                "retention_days": one.retention_days or None,
                "onward": one.onward or None,
                "issued": one.issued or None,
            }
            for one in found.sharings
        ],
    }


def _tell(call: Call, found: dict[str, Any]) -> None:
    call.report.result(found, lambda: _print(found))


def _print(found: dict[str, Any]) -> None:
    screen.facts(
        {
            "collection": found["name"],
            "entries": f"{found['entries']:,} ({found['retracted']:,} retracted)",
            "version": found["version"],
            "source": found["source"],
            "legal basis": found["legal_basis"],
            "kept for": screen.count(found["retention_days"], "day"),
            "created": found["created_at"],
        }
    )
    screen.say("")
    screen.listing(
        {
            "SHARED WITH": "with",
            "PURPOSE": "purpose",
            "MODES": "modes",
            "USE OF HITS": "use",
            "DAYS": "retention_days",
            "SIGNED": lambda one: one["issued"] or "not: share it again",
        },
        found["sharings"],
        empty="It is shared with nobody: nobody can ask it.",
    )
