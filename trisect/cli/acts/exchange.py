"""Exchanges: listed, shown, followed, cancelled."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from trisect.cli import link, screen
from trisect.cli.call import Call
from trisect.cli.failures import UsageError
from trisect.cli.progress import Progress
from trisect.cli.units import span
from trisect.errors import NotFoundError, TrisectError
from trisect.rpc.status import restore
from trisect.rules.vocabulary import Mode
from trisect.trust.statements import KeyCheck
from trisect.wire.v1 import matching_pb2 as pb

UNCHECKED = (
    "nobody compared this peer's key with what the peer itself says (key_check: none), so the coordinator is "
    "blind to this exchange only if it is honest. A government administrator mends that with "
    "`trisect party admit --fingerprint`."
)
ID_CHARACTERS = 32
SHORT_ID = 12
"""Characters of an id in a table for people."""
_ID = re.compile(rf"[0-9a-f]{{8,{ID_CHARACTERS}}}")
_SEARCHED = 1_000
"""Exchanges that a short id is looked for in; their list fits one message of gRPC."""
_LIST = "`trisect exchange list` shows ids; 8 characters or more will do"
_COMPLETE = "complete"
_WITHOUT_RESULT = {"refused", "failed", "cancelled"}


async def list_all(call: Call, limit: int) -> None:
    """List exchanges."""
    async with link.node(call) as node:
        reply = await node.matching.ListExchanges(pb.ListExchangesRequest(limit=limit), timeout=link.CALL_S)
    found = [describe(one) for one in reply.exchanges]
    call.report.result(
        {"exchanges": found},
        lambda: screen.listing(
            {
                "EXCHANGE": short_ids(found),
                "STARTED": "started_at",
                "THIS NODE": lambda one: "asks" if one["end"] == "asker" else "answers",
                "PEER": "peer",
                "COLLECTION": "collection",
                "PURPOSE": "purpose",
                "STATE": "state",
                "FOUND": lambda one: one["matched"] if one["count"] is None else f"about {one['count']:,}",
            },
            found,
            empty="There has been no exchange yet.",
            whole=("EXCHANGE", "STATE", "FOUND"),
        ),
    )


async def show(call: Call, exchange_id: str) -> None:
    """Show one exchange."""
    check_id(exchange_id)
    async with link.node(call) as node:
        request = pb.ListExchangesRequest(limit=1, exchange_id=await whole_id(node, exchange_id))
        reply = await node.matching.ListExchanges(request, timeout=link.CALL_S)
    if not reply.exchanges:
        raise NotFoundError("there is no such exchange here", hint=_LIST)
    found = reply.exchanges[0]
    call.report.result(describe(found), lambda: _print(found))


async def watch(call: Call, exchange_id: str) -> None:
    """Follow one exchange to its end."""
    ended = await follow(call, check_id(exchange_id))
    call.report.result(describe(ended), lambda: print_result(ended))


def cancel(call: Call, exchange_id: str) -> None:
    """Cancel one exchange."""
    check_id(exchange_id)
    call.confirm(f"exchange {exchange_id} will be cancelled, and neither end keeps a result")
    call.run(_cancel(call, exchange_id))


async def hold(call: Call, exchange_id: str, placed_by: str, reason: str, until: str) -> None:
    """Place a legal hold on an exchange's hits."""
    found = await _held(call, exchange_id, pb.Hold(placed_by=placed_by, reason=reason, until=until))
    call.report.result(
        describe(found),
        lambda: screen.say(
            f"the hits of {found.exchange_id} stay until {found.hold.until}, whatever their terms say"
        ),
    )


async def release(call: Call, exchange_id: str) -> None:
    """End a legal hold."""
    found = await _held(call, exchange_id, None)
    call.report.result(
        describe(found), lambda: screen.say(f"the hits of {found.exchange_id} stay until {found.keep_until}")
    )


def drop(call: Call, exchange_id: str) -> None:
    """Delete an exchange's hits."""
    check_id(exchange_id)
    call.confirm(f"the hits of exchange {exchange_id} will be deleted")
    call.run(_drop(call, exchange_id))


async def _drop(call: Call, exchange_id: str) -> None:
    async with link.node(call) as node:
        request = pb.DropHitsRequest(exchange_id=await whole_id(node, exchange_id))
        reply = await node.matching.DropHits(request, timeout=link.CALL_S)
    found = reply.exchange
    call.report.result(describe(found), lambda: screen.say(f"the hits of {found.exchange_id} are gone."))


async def _held(call: Call, exchange_id: str, wanted: pb.Hold | None) -> pb.Exchange:
    check_id(exchange_id)
    async with link.node(call) as node:
        request = pb.HoldHitsRequest(exchange_id=await whole_id(node, exchange_id), hold=wanted)
        reply = await node.matching.HoldHits(request, timeout=link.CALL_S)
    return reply.exchange


async def _cancel(call: Call, exchange_id: str) -> None:
    async with link.node(call) as node:
        request = pb.CancelExchangeRequest(exchange_id=await whole_id(node, exchange_id))
        reply = await node.matching.CancelExchange(request, timeout=link.CALL_S)
    found = reply.exchange
    call.report.result(describe(found), lambda: screen.say(f"exchange {found.exchange_id} is {found.state}."))


async def follow(call: Call, exchange_id: str) -> pb.Exchange:
    """Show an exchange's progress until it has ended.

    Raises:
        TrisectError: it ended without a result, for the reason that it is raised with.
    """
    last: pb.Exchange | None = None
    with Progress(call.report, "elements") as progress:
        async with link.node(call) as node:
            request = pb.WatchExchangeRequest(exchange_id=await whole_id(node, exchange_id))
            async for last in link.stream(node.matching.WatchExchange(request)):
                share = last.elements_done / last.elements_total if last.elements_total else None
                progress.update(
                    last.phase or last.state, last.elements_done, share=share, waits_for=_waits_for(last)
                )
    if last is None or last.state in {"offered", "running"}:
        raise TrisectError(
            "the node ended the watch before the exchange had ended",
            hint=f"see `trisect exchange show {exchange_id}`",
        )
    if last.state in _WITHOUT_RESULT:
        raise error_of(last)
    return last


def error_of(found: pb.Exchange) -> TrisectError:
    """Make the error that an exchange ended with."""
    if found.HasField("error"):
        return restore(found.error)
    return TrisectError(
        f"the exchange ended as {found.state}", hint="start the match again; the logs of both nodes tell more"
    )


def _waits_for(found: pb.Exchange) -> str:
    return found.peer if found.state in {"offered", "unconfirmed"} else ""


def check_id(text: str) -> str:
    """Check the shape of an id or its beginning; raises UsageError."""
    if not _ID.fullmatch(text):
        raise UsageError("this is not an exchange's id", hint=_LIST)
    return text


async def whole_id(node: link.Node, text: str) -> str:
    """Find the exchange that an id, or the beginning of one of the newest, names.

    Raises:
        NotFoundError: none of them begins so.
        UsageError: several do.
    """
    if len(text) == ID_CHARACTERS:
        return text
    reply = await node.matching.ListExchanges(pb.ListExchangesRequest(limit=_SEARCHED), timeout=link.CALL_S)
    found = [one.exchange_id for one in reply.exchanges if one.exchange_id.startswith(text)]
    if not found:
        raise NotFoundError(
            f"none of the newest {_SEARCHED:,} exchanges has an id that begins so", hint=_LIST
        )
    if len(found) > 1:
        raise UsageError("several exchanges have an id that begins so", hint="give more of its characters")
    return found[0]


def short_ids(rows: Iterable[screen.Row]) -> Callable[[screen.Row], str]:
    """Give what shortens an id for people, so that `whole_id` still tells it from the others in the rows."""
    ids = {row["exchange_id"] for row in rows}
    length = SHORT_ID
    while len({one[:length] for one in ids}) < len(ids):
        length += 1
    return lambda row: str(row["exchange_id"][:length])


def describe(found: pb.Exchange) -> dict[str, Any]:
    """Lay an exchange out for scripts."""
    error = None
    if found.HasField("error"):
        error = {
            "code": found.error.code,
            "message": found.error.message,
            "hint": found.error.hint or None,
            "rule": found.error.rule or None,
        }
    asker = found.end == "asker"
    return {
        "exchange_id": found.exchange_id,
        "end": found.end,
        "peer": found.peer,
        "collection": found.collection,
        "peer_collection": found.peer_collection,
        "purpose": found.purpose,
        "mode": found.mode,
        "engine": found.engine,
        "state": found.state,
        "phase": found.phase or None,
        "asked": found.asked if asker else None,
        "asked_padded": found.asked_padded,
        "answered_padded": found.answered_padded,
        "matched": found.matched if asker and found.state == _COMPLETE and found.mode == Mode.MATCH else None,
        "count": found.counted if found.HasField("counted") else None,
        "rounded_to": found.rounded_to or None,
        "bytes_sent": found.bytes_sent,
        "bytes_received": found.bytes_received,
        "seconds": round(found.seconds, 3),
        "started_at": found.started_at,
        "elements_done": found.elements_done,
        "elements_total": found.elements_total,
        "key_check": found.key_check or None,
        "keep_until": found.keep_until or None,
        "hits_deleted_at": found.hits_deleted_at or None,
        "stale": found.stale,
        "stale_at": found.stale_at or None,
        "hold": _hold(found),
        "error": error,
    }


def _hold(found: pb.Exchange) -> dict[str, str] | None:
    if not found.HasField("hold"):
        return None
    return {"placed_by": found.hold.placed_by, "reason": found.hold.reason, "until": found.hold.until}


def _print(found: pb.Exchange) -> None:
    asks = found.end == "asker"
    pairs: dict[str, object] = {
        "exchange": found.exchange_id,
        "state": f"{found.state}, {found.phase}" if found.phase else found.state,
        "this node": "asks" if asks else "answers",
        "peer": found.peer,
        "collections": f"{found.collection} here, {found.peer_collection} there",
        "purpose": f"{found.purpose} ({found.mode}, engine {found.engine})",
        "started": f"{found.started_at}, took {span(found.seconds)}",
        "sizes shown": f"{found.asked_padded:,} asked, {found.answered_padded:,} answered",
        "traffic": f"{screen.size(found.bytes_sent)} sent, {screen.size(found.bytes_received)} received",
    }
    if found.HasField("counted"):
        pairs["common"] = _counted(found)
    elif asks and found.state == _COMPLETE:
        pairs["matched"] = f"{found.matched:,} of {found.asked:,}"
    if found.stale:
        pairs["stale"] = (
            f"{screen.count(found.stale, 'entry has', 'entries have')} left the list that was asked; told {found.stale_at}"
        )
    if found.hits_deleted_at:
        pairs["hits"] = f"deleted {found.hits_deleted_at}"
    if found.error.message:
        pairs["why"] = found.error.message
    if found.error.hint:
        pairs["what helps"] = found.error.hint
    screen.facts(pairs)
    if found.key_check == KeyCheck.NONE:
        screen.say(f"warning: {UNCHECKED}")


def _counted(found: pb.Exchange) -> str:
    return f"about {found.counted:,} (with noise, in steps of {found.rounded_to:,})"


def print_result(ended: pb.Exchange) -> None:
    """Print how an exchange ended, for people."""
    if ended.end == "answerer":
        screen.say(
            f"{ended.peer} asked {ended.collection}; what it found is not known here. State: {ended.state}."
        )
    elif ended.HasField("counted"):
        screen.say(
            f"{_counted(ended)} of {screen.count(ended.asked, 'entry', 'entries')} in {ended.collection} are also in "
            f"{ended.peer}'s {ended.peer_collection}."
        )
        screen.say(
            f"{ended.seconds:.1f} s, {screen.size(ended.bytes_sent)} sent, "
            f"{screen.size(ended.bytes_received)} received, engine {ended.engine}; today the answer stays the same."
        )
    else:
        screen.say(
            f"{ended.matched:,} of {screen.count(ended.asked, 'entry', 'entries')} in {ended.collection} are also in "
            f"{ended.peer}'s {ended.peer_collection}."
        )
        screen.say(
            f"{ended.seconds:.1f} s, {screen.size(ended.bytes_sent)} sent, "
            f"{screen.size(ended.bytes_received)} received, engine {ended.engine}; "
            f"`trisect hits --exchange {ended.exchange_id}` lists them."
        )
    if ended.key_check == KeyCheck.NONE:
        screen.say(f"warning: {UNCHECKED}")
