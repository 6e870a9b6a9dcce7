"""CSV in the wild: records with quotes and line breaks in them, read by block and handed out by column.

Quotes are read strictly. A record whose quotes never close, or close and go on, is one unreadable row, and
reading resumes at the line after the one it started on: a stray quote must not swallow the rest of a file.
What was left of a broken record may then show up as rows of its own, which the canonical forms refuse.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Final

from trisect.indicators.readers.batch import Batch, Reason, Unreadable, split
from trisect.indicators.readers.encoding import MAX_LINE_CHARS, REPLACEMENT, Block, TextLines
from trisect.indicators.readers.headers import is_harmless, kind_of
from trisect.indicators.readers.layout import Layout, sniff_layout

MAX_CELL_CHARS: Final = 1 << 16
_MAX_RECORD_CHARS: Final = 1 << 20
_MAX_RECORD_LINES: Final = 256  # a longer one is a stray quote; bounds what a resumed reading reads again


@dataclass(slots=True)
class _Records:
    """Records of one block: `starts[i]` is the line at which `rows[i]` starts."""

    starts: list[int] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)
    odd: bool = False


def read_csv(lines: TextLines, *, name: str, mapping: Mapping[str, str], size: int) -> Iterator[Batch]:
    """Batches of a CSV file of any layout that `sniff_layout` knows.

    Raises:
        BadInputError: the mapping does not fit the columns, or nothing tells which column holds the value.
    """
    layout = sniff_layout(lines.sample, complete=lines.complete, mapping=mapping)
    if layout is None:
        return
    header_due = layout.header
    for records in _records(lines.blocks(), layout):
        if header_due and records.rows:
            del records.starts[0], records.rows[0]
            header_due = False
        _drop_uneven(records, layout.width)
        columns = _columns(records, layout)
        where = list(map(str, records.starts))
        if "ref" in columns:
            columns["ref"] = [
                ref or f"{name}:{line}" for ref, line in zip(columns["ref"], where, strict=True)
            ]
        else:
            columns["ref"] = [f"{name}:{line}" for line in where]
        yield from split(columns, where, records.unreadable, size)


def _records(blocks: Iterable[Block], layout: Layout) -> Iterator[_Records]:
    """Records by block; a record that a block's end cuts is carried into the next."""
    carry: list[str] = []
    first = 1
    skip = layout.skip
    for block in blocks:
        lines = carry + block.lines
        if skip and lines:
            del lines[:skip]
            first, skip = first + layout.skip, 0
        found = _Records(odd=block.odd or bool(carry))
        used = len(lines)
        if block.quoted or carry or not _read_plain(lines, layout.delimiter, first, found):
            used = _read_quoted(lines, layout.delimiter, first, found, last=block.last)
        carry, first = lines[used:], first + used
        yield found


def _read_plain(lines: Sequence[str], delimiter: str, first: int, found: _Records) -> bool:
    """Read lines without any quote, each a record; false where a cell is too long for that."""
    try:
        found.rows = list(csv.reader(lines, delimiter=delimiter))
    except csv.Error:
        return False
    found.starts = list(range(first, first + len(lines)))
    return True


def _read_quoted(lines: Sequence[str], delimiter: str, first: int, found: _Records, *, last: bool) -> int:
    """Read records line by line; returns how many lines are used up.

    Lines of a record that may go on in the next block are left, unless it is too long already.
    """
    at = 0
    while True:
        start = at
        begun = [at]
        reader = csv.reader(_from(lines, begun), delimiter=delimiter, strict=True)
        try:
            for row in reader:
                found.starts.append(first + start)
                found.rows.append(row)
                begun[0] = start = at + reader.line_num
        except csv.Error as error:
            read_to = at + reader.line_num
            record_chars = sum(map(len, lines[start:read_to]))
            if read_to >= len(lines) and not last and record_chars <= _MAX_RECORD_CHARS:
                return start
            found.unreadable.append(Unreadable(str(first + start), _why(str(error), lines[start])))
            at = start + 1
        else:
            return len(lines)


def _from(lines: Sequence[str], begun: list[int]) -> Iterator[str]:
    """Lines for the CSV parser, from `begun[0]`, where it keeps the index at which its record begins."""
    for index in range(begun[0], len(lines)):
        if index - begun[0] >= _MAX_RECORD_LINES:
            raise csv.Error("unexpected end of data")
        yield lines[index]


def _why(message: str, line: str) -> Reason:
    if len(line) > MAX_LINE_CHARS:
        return Reason.TOO_LONG
    if "unexpected end" in message:
        return Reason.UNCLOSED_QUOTE
    if "field larger" in message:
        return Reason.UNCLOSED_QUOTE if len(line) <= MAX_CELL_CHARS else Reason.TOO_LONG
    return Reason.BAD_QUOTING


def _drop_uneven(records: _Records, width: int) -> None:
    """Take out blank lines, which are no rows, and rows with more or fewer cells than the first record."""
    rows = records.rows
    if width > 1 and set(map(len, rows)) <= {width}:
        return
    if width == 1 and not any(len(row) != 1 or row[0].isspace() for row in rows):
        return
    kept_starts: list[int] = []
    kept: list[list[str]] = []
    for start, row in zip(records.starts, rows, strict=True):
        if not row or (len(row) == 1 and row[0].isspace()):
            continue
        if len(row) == width or (len(row) > width and not any(row[width:])):
            kept_starts.append(start)
            kept.append(row)
        else:
            records.unreadable.append(Unreadable(str(start), Reason.RAGGED))
    records.starts, records.rows = kept_starts, kept


def _columns(records: _Records, layout: Layout) -> dict[str, list[str]]:
    """The planned columns; rows that are harmless or hold an unreadable cell move to `unreadable`."""
    plan = layout.plan
    faults = _faults(records, sorted(plan.places.values()))
    if plan.verdict is not None:
        for index, row in enumerate(records.rows):
            if is_harmless(row[plan.verdict]):
                faults.setdefault(index, Reason.NOT_FRAUD)
    if faults:
        records.unreadable += [
            Unreadable(str(records.starts[index]), reason) for index, reason in sorted(faults.items())
        ]
        kept = [index for index in range(len(records.rows)) if index not in faults]
        records.starts = [records.starts[index] for index in kept]
        records.rows = [records.rows[index] for index in kept]
    columns = {name: list(map(itemgetter(place), records.rows)) for name, place in plan.places.items()}
    if "kind" in columns:
        columns["kind"] = list(map(kind_of, columns["kind"]))
    elif plan.kind:
        columns["kind"] = [plan.kind] * len(records.rows)
    return columns


def _faults(records: _Records, places: Sequence[int]) -> dict[int, Reason]:
    """Cells that no later step should see, by row; looked for only where a block may hold one."""
    longest = max(
        (max(map(len, map(itemgetter(place), records.rows)), default=0) for place in places), default=0
    )
    if not records.odd and longest <= MAX_CELL_CHARS:
        return {}
    faults: dict[int, Reason] = {}
    for index, row in enumerate(records.rows):
        for place in places:
            fault = cell_fault(row[place])
            if fault is not None:
                faults.setdefault(index, fault)
    return faults


def cell_fault(cell: str) -> Reason | None:
    """Why a cell cannot be handed on, if so: too long, a NUL in it, or bytes that did not decode."""
    if len(cell) > MAX_CELL_CHARS:
        return Reason.TOO_LONG
    if "\0" in cell:
        return Reason.NUL
    return Reason.BAD_ENCODING if REPLACEMENT in cell else None
