"""Matches and counts: asked for, followed to their end, or only explained."""

from __future__ import annotations

from trisect.cli import link, screen
from trisect.cli.acts import exchange
from trisect.cli.call import Call
from trisect.cli.failures import InterruptedCommandError
from trisect.cli.units import span
from trisect.errors import BadInputError
from trisect.rules.vocabulary import Mode, collection_name, purpose
from trisect.trust.statements import KeyCheck, party_name
from trisect.wire.v1 import matching_pb2 as pb


def question(
    collection: str, peer: str, peer_collection: str, why: str, engine: str, mode: str = Mode.MATCH
) -> pb.StartMatchRequest:
    """Check what is asked; raises BadInputError."""
    return pb.StartMatchRequest(
        collection=collection_name(collection),
        peer=_peer(peer),
        peer_collection=collection_name(peer_collection),
        purpose=purpose(why).value,
        engine=engine,
        mode=mode,
    )


def _peer(text: str) -> str:
    try:
        return party_name(text)
    except BadInputError as error:
        raise BadInputError("--peer is not a party's name", hint=error.hint) from error


def ask(call: Call, asked: pb.StartMatchRequest, *, explain: bool, detach: bool) -> None:
    """Start an exchange and follow it to its end, or do only a part of that."""
    if explain:
        call.run(_explain(call, asked))
    elif detach:
        call.run(_detach(call, asked))
    else:
        _run(call, asked)


async def _explain(call: Call, asked: pb.StartMatchRequest) -> None:
    """Say what it would cost and who would learn what."""
    async with link.node(call) as node:
        found = await node.matching.ExplainMatch(asked, timeout=link.CALL_S)
    data = {
        "engine": found.engine,
        "why": found.why,
        "asker_learns": found.asker_learns,
        "answerer_learns": found.answerer_learns,
        "coordinator_learns": found.coordinator_learns,
        "assumes": found.assumes,
        "asked": found.asked,
        "asked_padded": found.asked_padded,
        "bytes_estimate": found.bytes_estimate,
        "seconds_estimate": found.seconds_estimate,
        "key_check": found.key_check or None,
    }

    def text() -> None:
        screen.facts(
            {
                "engine": f"{found.engine}: {found.why}",
                "this node learns": found.asker_learns,
                f"{asked.peer} learns": found.answerer_learns,
                "the coordinator learns": found.coordinator_learns,
                "that rests on": found.assumes,
                "entries": f"{found.asked:,}, shown as {found.asked_padded:,}",
                "traffic": f"about {screen.size(found.bytes_estimate)}, if the peer's list is as long",
                "time": f"about {span(found.seconds_estimate)}",
            }
        )
        if found.key_check == KeyCheck.NONE:
            screen.say(f"warning: {exchange.UNCHECKED}")
        call.report.note("nothing was sent")

    call.report.result(data, text)


async def _detach(call: Call, asked: pb.StartMatchRequest) -> None:
    """Start an exchange and leave it to the node."""
    exchange_id = await _start(call, asked)
    call.report.result(
        {"exchange_id": exchange_id, "state": "running"},
        lambda: screen.say(f"exchange {exchange_id} runs; `trisect exchange watch {exchange_id}` follows it"),
    )


def _run(call: Call, asked: pb.StartMatchRequest) -> None:
    """Start an exchange and follow it to its end; Ctrl-C leaves it running."""
    exchange_id = call.run(_start(call, asked))
    try:
        ended = call.run(exchange.follow(call, exchange_id))
    except InterruptedCommandError as error:
        raise InterruptedCommandError(
            f"interrupted; exchange {exchange_id} goes on without this command",
            hint=f"`trisect exchange watch {exchange_id}` follows it, `trisect exchange cancel {exchange_id}` ends it",
        ) from error
    found = {"matched": ended.matched}
    if asked.mode == Mode.COUNT:
        found = {"count": ended.counted, "rounded_to": ended.rounded_to}
    data = {
        "exchange_id": ended.exchange_id,
        "engine": ended.engine,
        "asked": ended.asked,
        **found,
        "seconds": round(ended.seconds, 3),
        "bytes_sent": ended.bytes_sent,
        "bytes_received": ended.bytes_received,
        "state": ended.state,
        "key_check": ended.key_check or None,
    }
    call.report.result(data, lambda: exchange.print_result(ended))


async def _start(call: Call, asked: pb.StartMatchRequest) -> str:
    async with link.node(call) as node:
        reply = await node.matching.StartMatch(asked, timeout=link.CALL_S)
    return reply.exchange_id
