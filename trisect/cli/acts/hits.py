"""Hits: own entries that a peer has too."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, TextIO

from trisect.cli import files, link, screen
from trisect.cli.acts.exchange import check_id, short_ids, whole_id
from trisect.cli.call import Call
from trisect.cli.failures import UsageError
from trisect.cli.settings import Format
from trisect.wire.v1 import matching_pb2 as pb

FIELDS = ("collection", "kind", "ref", "peer", "purpose", "seen_at", "label", "exchange_id")
SHOWN = 100
"""Rows on a terminal; a pipe and a file get all."""

_FORMULA_STARTERS = frozenset("=+-@\uff1d\uff0b\uff0d\uff20\t\r\n'")

Hit = dict[str, Any]
Write = Callable[[Hit], None]


async def hits(call: Call, exchange_id: str, output: Path | None) -> None:
    """List hits, or write them to a file."""
    asked = check_id(exchange_id) if exchange_id else ""
    if output is None:
        await _to_stdout(call, asked)
    else:
        await _to_file(call, asked, output)


async def _to_stdout(call: Call, exchange_id: str) -> None:
    found: list[Hit] = []
    number = 0
    async for hit in _read(call, exchange_id):
        number += 1
        if call.settings.output is Format.JSONL:
            call.report.event("hit", hit)
        else:
            found.append(hit)
    data: dict[str, Any] = {"count": number}
    if call.settings.output is not Format.JSONL:
        data["hits"] = found
    call.report.result(data, lambda: _print(call, found))


async def _to_file(call: Call, exchange_id: str, output: Path) -> None:
    writer = _WRITERS.get(output.suffix.lower())
    if writer is None:
        raise UsageError("--output is neither .csv nor .jsonl", hint="name the file hits.csv or hits.jsonl")
    kept: list[Hit] = []
    number = 0
    with files.written(output) as stream:
        write = writer(stream)
        async for hit in _read(call, exchange_id):
            write(hit)
            number += 1
            if call.settings.output is Format.JSON:
                kept.append(hit)
    data: dict[str, Any] = {"count": number, "output": str(output)}
    if call.settings.output is Format.JSON:
        data["hits"] = kept
    call.report.result(data, lambda: screen.say(f"{screen.count(number, 'hit')} written to {output}"))


async def _read(call: Call, exchange_id: str) -> AsyncIterator[Hit]:
    async with link.node(call) as node:
        asked = await whole_id(node, exchange_id) if exchange_id else ""
        pages = node.matching.ListHits(pb.ListHitsRequest(exchange_id=asked))
        async for page in link.stream(pages):
            for hit in page.hits:
                yield {
                    "collection": hit.collection,
                    "kind": hit.kind,
                    "ref": hit.ref,
                    "peer": hit.peer,
                    "purpose": hit.purpose,
                    "seen_at": hit.seen_at,
                    "label": None,
                    "exchange_id": hit.exchange_id,
                }


def _csv(stream: TextIO) -> Write:
    writer = csv.DictWriter(stream, FIELDS)
    writer.writeheader()

    def write(hit: Hit) -> None:
        writer.writerow({name: _inert(cell) for name, cell in hit.items()})

    return write


def _inert(cell: str | None) -> str | None:
    """Mark a cell as text that a spreadsheet would run; one that has the mark gets another, so that each can go."""
    return f"'{cell}" if cell and cell[0] in _FORMULA_STARTERS else cell


def _json_lines(stream: TextIO) -> Write:
    def write(hit: Hit) -> None:
        stream.write(json.dumps(hit, ensure_ascii=False) + "\n")

    return write


_WRITERS: dict[str, Callable[[TextIO], Write]] = {".csv": _csv, ".jsonl": _json_lines}


def _print(call: Call, found: list[Hit]) -> None:
    shown = found[:SHOWN] if sys.stdout.isatty() else found
    screen.listing(
        {
            "COLLECTION": "collection",
            "KIND": "kind",
            "REF": "ref",
            "ALSO AT": "peer",
            "PURPOSE": "purpose",
            "SEEN": "seen_at",
            "EXCHANGE": short_ids(shown),
        },
        shown,
        empty="There is no hit.",
        whole=("EXCHANGE",),
    )
    if len(shown) < len(found):
        call.report.note(f"{len(found) - len(shown):,} more; `--output hits.csv` writes all {len(found):,}")
