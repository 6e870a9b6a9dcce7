"""Opens a fraud list: tells which reader it wants, and runs that reader."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterator, Mapping
from typing import BinaryIO, Final

from trisect.clock import Clock, system_clock
from trisect.errors import BadInputError
from trisect.indicators.readers.batch import Batch, Reading, gather, rows
from trisect.indicators.readers.csv_table import read_csv
from trisect.indicators.readers.encoding import TextLines
from trisect.indicators.readers.headers import check_fields
from trisect.indicators.readers.json_lines import is_json_object, read_json_lines
from trisect.indicators.readers.json_text import read_whole
from trisect.indicators.readers.layout import is_table
from trisect.indicators.readers.misp import is_misp, read_misp
from trisect.indicators.readers.plain_lines import read_lines
from trisect.indicators.readers.stix import is_stix, read_stix

BATCH_ROWS: Final = 16_384
_STIX_MARK: Final = re.compile(
    r'"type"\s*:\s*"bundle"|"spec_version"\s*:|"id"\s*:\s*"[a-z0-9-]+--[0-9a-f]{8}-'
)
_MISP_MARK: Final = re.compile(
    r'"(?:Event|response|Attribute)"\s*:|\A\{\s*"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"\s*:\s*\{'
)


class ReaderName(enum.StrEnum):
    """The readers, as `--reader` names them."""

    CSV = "csv"
    JSONL = "jsonl"
    STIX = "stix"
    MISP = "misp"
    LINES = "lines"


def open_reading(
    stream: BinaryIO,
    *,
    name: str,
    reader: ReaderName | None = None,
    mapping: Mapping[str, str] | None = None,
    clock: Clock = system_clock,
) -> Reading:
    """Read a fraud list row by row.

    Args:
        stream: the file, read once from its present position; need not be seekable.
        name: its base name, for default refs `FILE:LINE`.
        reader: None tells it from the content, and from the name's ending where that leaves a choice.
        mapping: field -> column name, key, or 1-based column number.
        clock: tells what has expired.

    Returns:
        Rows in the order of the file; unreadable ones may come some thousand rows late.

    Raises:
        BadInputError: the mapping does not fit, nothing tells which column holds the value, or a JSON file is
            too large or broken. Raised here or, for what shows only later, while iterating.
    """
    return _one_by_one(read_batches(stream, name=name, reader=reader, mapping=mapping, clock=clock))


def _one_by_one(batches: Iterator[Batch]) -> Reading:
    for batch in batches:
        yield from rows(batch)
        yield from batch.unreadable


def read_batches(
    stream: BinaryIO,
    *,
    name: str,
    reader: ReaderName | None = None,
    mapping: Mapping[str, str] | None = None,
    size: int = BATCH_ROWS,
    clock: Clock = system_clock,
    encoding: str = "",
    read_as: Callable[[str], None] | None = None,
) -> Iterator[Batch]:
    """Read a fraud list by column, which is the faster way; errors are those of `open_reading`.

    Args:
        stream: the file, read once from its present position; need not be seekable.
        name: its base name, for default refs `FILE:LINE`.
        reader: None tells it from the content, and from the name's ending where that leaves a choice.
        mapping: field -> column name, key, or 1-based column number.
        size: most rows of a batch, read and unreadable together; batches may be smaller, none is empty.
        clock: tells what has expired.
        encoding: Python's name of it; empty tells it from the first bytes.
        read_as: called with the name of the encoding that the file is read in.

    Returns:
        Batches in the order of the file. Memory stays at a few blocks, whatever the file's size; STIX and MISP
        files are held whole.
    """
    if size < 1:
        raise ValueError("a batch holds at least one row")
    asked = dict(mapping or {})
    check_fields(asked)
    lines = TextLines(stream, encoding)
    if read_as is not None:
        read_as(lines.encoding.codec)
    chosen = reader or _sniff(lines, name, mapped=bool(asked))
    match chosen:
        case ReaderName.CSV:
            return read_csv(lines, name=name, mapping=asked, size=size)
        case ReaderName.LINES:
            return read_lines(lines, name=name, mapping=asked, size=size)
        case ReaderName.JSONL:
            return gather(read_json_lines(lines, name=name, mapping=asked), size)
        case ReaderName.STIX | ReaderName.MISP:
            if asked:
                raise BadInputError(
                    f"{chosen.upper()} files say themselves what is what, so there is nothing to map",
                    hint="leave --map out",
                )
            return gather(_read_document(lines, chosen, name=name, sniffed=reader is None, clock=clock), size)


def _read_document(
    lines: TextLines, chosen: ReaderName, *, name: str, sniffed: bool, clock: Clock
) -> Reading:
    document = read_whole(lines, what="JSON" if sniffed else chosen.upper())
    stix = chosen is ReaderName.STIX
    if sniffed:
        if not is_stix(document) and not is_misp(document):
            raise BadInputError(
                "the file is JSON, but neither STIX nor MISP",
                hint="write one JSON object a line (--reader jsonl), or CSV",
            )
        stix = is_stix(document)
    return read_stix(document, name=name, now=clock()) if stix else read_misp(document, name=name)


def _sniff(lines: TextLines, name: str, *, mapped: bool) -> ReaderName:
    """Tell the reader from the first 64 KiB; the name decides only what they leave open."""
    text = lines.sample.lstrip("\ufeff \t\r\n")
    ending = name.casefold().rpartition(".")[2]
    if text.startswith("{") or (text.startswith("[") and ending == "json"):
        return _sniff_json(text, ending)
    if re.match(r"\[\s*\{", text):
        return _sniff_json(text, ending)
    if mapped or ending in ("csv", "tsv") or is_table(lines.sample, complete=lines.complete):
        return ReaderName.CSV
    return ReaderName.LINES


def _sniff_json(text: str, ending: str) -> ReaderName:
    first_line, _, rest = text.partition("\n")
    by_itself = is_json_object(first_line)
    marked = (
        ReaderName.STIX if _STIX_MARK.search(text) else ReaderName.MISP if _MISP_MARK.search(text) else None
    )
    if ending in ("jsonl", "ndjson") or (by_itself and (marked is None or rest.lstrip().startswith("{"))):
        return ReaderName.JSONL
    if marked is None and ending != "json" and text.startswith("{"):
        return ReaderName.JSONL
    return marked or ReaderName.STIX
