"""The public record: its head, proofs, exports, and checks that need no daemon."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from trisect.cli import files, link, screen
from trisect.cli.call import Call
from trisect.cli.failures import UsageError
from trisect.errors import BadInputError
from trisect.record import entries, export
from trisect.record.checkpoint import PROOF_HEADER, EntryProof
from trisect.record.notes import Note, NoteKey
from trisect.trust.keys import normal_fingerprint
from trisect.wire.v1 import record_admin_pb2 as pb

NOT_COUNTED = (
    "This head does not count yet: witnesses of two roles have to cosign it, the proxies' among them. Nobody but the "
    "coordinator vouches for it."
)
UNCHECKED = "Nobody has compared the founder's fingerprint with what the founding government says itself: give it with --founder."


async def show(call: Call) -> None:
    """Show the newest head that the node has verified."""
    async with link.node(call) as node:
        found = await node.record.GetRecord(pb.GetRecordRequest(), timeout=link.CALL_S)
    data: dict[str, Any] = {
        "size": found.size,
        "root": found.root.hex(),
        "cosignatures": [{"party": one.party, "role": one.role, "at": one.at} for one in found.cosignatures],
        "roles": list(found.roles),
        "counts": found.counts,
        "trouble": found.trouble,
        "contradiction": list(found.contradiction),
        "log_key": found.log_key,
        "consortium": found.consortium,
        "founder_fingerprint": found.founder,
        "counted_size": found.counted_size,
        "counted_at": found.counted_at or None,
    }
    counted = f"{found.counted_size} entries, at {found.counted_at}" if found.counted_at else "none yet"

    def text() -> None:
        screen.facts(
            {
                "entries": found.size,
                "root": found.root.hex(),
                "last counted": counted,
                "log key": found.log_key,
            }
        )
        screen.listing(
            {"COSIGNED BY": "party", "ROLE": "role", "AT": "at"},
            data["cosignatures"],
            empty="Nobody has cosigned this head yet.",
        )
        _warn(NOT_COUNTED if not found.counts else "", found.trouble)

    call.report.result(data, text)


async def proof(call: Call, number: int, output: Path) -> None:
    """Write the proof of one entry."""
    files.check_place(output)
    async with link.node(call) as node:
        found = await node.record.GetRecordProof(pb.GetRecordProofRequest(number=number), timeout=link.CALL_S)
    with files.written(output) as stream:
        stream.write(found.proof)
    call.report.result(
        {"number": number, "kind": found.kind, "size": found.size, "output": str(output)},
        lambda: screen.say(f"entry {number} ({found.kind}) is proved in a record of {found.size}: {output}"),
    )


async def write(call: Call, output: Path) -> None:
    """Write a copy of the whole record, checked on the way."""
    async with link.node(call) as node:
        pages = link.stream(node.record.ListRecord(pb.ListRecordRequest()))
        head = (await anext(pages)).head
        found = [entry async for page in pages for entry in page.entries]
    lines = list(export.written(head.consortium, head.note, found))
    checked = export.check(lines, normal_fingerprint(head.founder))
    with files.written(output) as stream:
        stream.writelines(lines)
    call.report.result(
        {"size": checked.size, "counts": checked.cosigned.counts, "output": str(output)},
        lambda: screen.say(f"{screen.count(checked.size, 'entry', 'entries')} written to {output}"),
    )


def verify(call: Call, file: Path, founder: str, log_key: str) -> None:
    """Check an export or a proof, without any daemon."""
    try:
        with file.open(encoding="utf-8", newline="\n") as stream:
            if stream.readline() == f"{PROOF_HEADER}\n":
                stream.seek(0)
                _verify_proof(call, stream.read(), log_key)
            else:
                stream.seek(0)
                _verify_export(call, stream, founder)
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError(f"cannot read {file}", hint="name an export or a proof of the record") from error


def _verify_export(call: Call, lines: Iterable[str], founder: str) -> None:
    checked = export.check(lines, normal_fingerprint(founder) if founder else None)
    data: dict[str, Any] = {
        "size": checked.size,
        "consortium": checked.membership.consortium,
        "kinds": dict(sorted(checked.kinds.items())),
        "parties": len(checked.membership.parties),
        "permits": len(checked.permits),
        "founder_fingerprint": checked.membership.founder,
        "founder_checked": bool(founder),
        "log_key": str(checked.log),
        "cosigned_by": sorted(checked.cosigned.times),
        "counts": checked.cosigned.counts,
    }

    def text() -> None:
        screen.say(
            f"the record of {data['consortium']} holds: {screen.count(checked.size, 'entry', 'entries')}"
        )
        screen.facts(data["kinds"])
        if checked.permits:
            screen.say(
                "every permit is signed by answerer and coordinator, and rests on rules and notices in the record"
            )
        screen.facts(
            {"founder": checked.membership.founder, "cosigned by": ", ".join(data["cosigned_by"]) or "nobody"}
        )
        _warn("" if founder else UNCHECKED, "" if checked.cosigned.counts else NOT_COUNTED)

    call.report.result(data, text)


def _verify_proof(call: Call, text: str, log_key: str) -> None:
    if not log_key:
        raise UsageError(
            "a proof is checked with the record's key", hint="give --log-key; `trisect record show` tells it"
        )
    found = EntryProof.parse(text)
    head = found.check(NoteKey.from_text(log_key))
    kind = entries.kind(found.extra)
    names = _names(found.note, log_key)
    call.report.result(
        {"number": found.index, "kind": kind, "size": head.size, "origin": head.origin, "cosigned_by": names},
        lambda: screen.say(
            f"entry {found.index} ({kind}) stands in {head.origin}, under a head of {head.size} entries that "
            f"{', '.join(names) or 'nobody'} says to have cosigned"
        ),
    )


def _names(note: Note, log_key: str) -> list[str]:
    """List who says to have cosigned; whose keys these are is known to the consortium's members alone."""
    log = NoteKey.from_text(log_key)
    return sorted({line.name for line in note.signatures} - {log.name})


def _warn(*warnings: str) -> None:
    for warning in warnings:
        if warning:
            screen.say(f"warning: {warning}")
