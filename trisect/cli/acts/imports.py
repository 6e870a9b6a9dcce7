"""Imports: a file or stdin goes to the node in batches, and what it rejects comes back into a file."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any

from trisect.cli import files, link, screen
from trisect.cli.acts.import_options import Options
from trisect.cli.acts.rejects import SUFFIX, RejectsFile
from trisect.cli.acts.sending import messages, send
from trisect.cli.call import Call
from trisect.cli.failures import PartialError, UsageError
from trisect.cli.progress import Progress
from trisect.errors import BadInputError, ConflictError, TrisectError
from trisect.indicators.readers import read_batches
from trisect.wire.v1 import collections_pb2 as pb

__all__ = ["Options", "run"]
STDIN = "-"
LARGE_DROP = "TRI-LARGE-DROP"
"""How a node refuses to drop more than a fifth of a list before somebody has said yes."""
GUESSED = "cp1252"
"""What a file is read in of which nothing tells the encoding; any bytes are text in it."""
_CURE = "check that it is the whole list; then import it again with --yes"


@dataclass(frozen=True, slots=True)
class Source:
    """What is read.

    Attributes:
        stream: the bytes.
        name: for default refs.
        size: in bytes; None for what can be read only once (a pipe), which is never resumed.
        mark: size and time of change, to notice that the file changed under our hands.
    """

    stream: BufferedReader
    name: str
    size: int | None
    mark: tuple[int, int]


def run(call: Call, file: Path, options: Options, *, strict: bool, rejects: Path | None) -> None:
    """Import one list; where it would drop much of the one that is there, ask, and go on from there."""
    if rejects is not None:
        files.check_place(rejects)
    with _opened(file) as source:
        place = rejects or _default_place(file, options.collection)
        try:
            data = call.run(_import(call, source, options, place, allow_large_drop=call.settings.yes))
        except TrisectError as error:
            if error.code != LARGE_DROP or call.settings.yes:
                raise
            _ask(call, source, error)
            source.stream.seek(0)
            data = call.run(_import(call, source, options, place, allow_large_drop=True))
    if strict and data["rejected"]:
        raise PartialError(
            f"{screen.count(data['rejected'], 'row was', 'rows were')} rejected; the others are imported",
            data=data,
            text=lambda: _print(data),
            hint=f"mend the rows that {data['rejects_file']} lists and import again",
        )
    call.report.result(data, lambda: _print(data))


def _ask(call: Call, source: Source, refused: TrisectError) -> None:
    """Ask whether much of a list may be dropped; raises UsageError where nobody can be asked, or it is too late."""
    if source.size is None and call.asks:
        raise UsageError(
            f"{refused.message}: this needs a yes, and the list cannot be read a second time", hint=_CURE
        ) from refused
    call.confirm(refused.message, cure=_CURE)


async def _import(
    call: Call, source: Source, options: Options, place: Path, *, allow_large_drop: bool
) -> dict[str, Any]:
    """Send a list from its beginning; gives what became of it."""
    with RejectsFile(place) as kept:
        fingerprint = b"" if source.size is None else options.fingerprint(source.stream, source.name)
        begin = options.begin(allow_large_drop=allow_large_drop, fingerprint=fingerprint)
        read_as: list[str] = []
        last = await _send(call, source, options, begin, kept, read_as.append)
        if read_as == [GUESSED] and not options.encoding:
            call.report.note(
                f"nothing in the file tells its encoding; it was read as {GUESSED}, the Latin-1 of spreadsheets. If it "
                "is another, import it again with --encoding"
            )
        return {
            "encoding": read_as[0],
            "collection": options.collection,
            "rows": last.rows,
            "accepted": last.accepted,
            "duplicates": last.duplicates,
            "rejected": last.rejected,
            "rejects_file": str(kept.path) if kept.exists else None,
            "retracted": last.retracted,
            "version": last.collection_version,
        }


async def _send(
    call: Call,
    source: Source,
    options: Options,
    begin: pb.ImportBegin,
    kept: RejectsFile,
    read_as: Callable[[str], None],
) -> pb.ImportReply:
    batches = read_batches(
        source.stream,
        name=source.name,
        reader=options.reader,
        mapping=options.mapping,
        encoding=options.encoding,
        read_as=read_as,
    )

    def on_reply(reply: pb.ImportReply) -> None:
        kept.add(reply.rejects)
        share = min(source.stream.tell() / source.size, 1.0) if source.size else None
        progress.update("importing", reply.rows, share=share)

    with Progress(call.report, "rows") as progress:
        async with link.node(call) as node:
            return await send(
                node.collections.Import(),
                begin,
                messages(batches),
                before_finish=lambda: _check_unchanged(source),
                on_reply=on_reply,
            )


@contextmanager
def _opened(file: Path) -> Iterator[Source]:
    """Open a list; only a plain file can be read twice, and so resumed."""
    if str(file) == STDIN:
        # A buffer of our own: the interpreter closes sys.stdin's at exit while a thread may still read it.
        with open(sys.stdin.fileno(), "rb", closefd=False) as stream:
            yield Source(stream, "stdin", None, (0, 0))
        return
    try:
        with file.open("rb") as stream:
            found = os.fstat(stream.fileno())
            plain = stat.S_ISREG(found.st_mode)
            yield Source(
                stream, file.name, found.st_size if plain else None, (found.st_size, found.st_mtime_ns)
            )
    except OSError as error:
        if error.filename is None:
            raise
        raise BadInputError(f"cannot read {file}: {error.strerror}", hint="is the path right?") from error


def _check_unchanged(source: Source) -> None:
    if source.size is None:
        return
    found = os.fstat(source.stream.fileno())
    if (found.st_size, found.st_mtime_ns) != source.mark:
        raise ConflictError(
            "the file changed while it was read", hint="import it again when nobody writes to it"
        )


def _default_place(file: Path, collection: str) -> Path:
    if str(file) == STDIN:
        return Path(collection + SUFFIX)
    return file.with_name(file.name + SUFFIX)


def _print(data: dict[str, Any]) -> None:
    pairs: dict[str, object] = {
        "collection": f"{data['collection']}, version {data['version']}",
        "rows": data["rows"],
        "accepted": data["accepted"],
        "duplicates": data["duplicates"],
        "rejected": data["rejected"],
    }
    if data["retracted"]:
        pairs["retracted"] = data["retracted"]
    if data["rejects_file"]:
        pairs["listed in"] = data["rejects_file"]
    screen.facts(pairs)
