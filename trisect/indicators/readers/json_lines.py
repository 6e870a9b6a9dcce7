"""JSON Lines: one object a line, its keys read like the columns of a CSV file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from trisect.errors import BadInputError
from trisect.indicators.entries import RawRow
from trisect.indicators.readers.batch import COLUMNS, Reading, Reason, Unreadable
from trisect.indicators.readers.csv_table import cell_fault
from trisect.indicators.readers.encoding import MAX_LINE_CHARS, TextLines
from trisect.indicators.readers.headers import (
    Plan,
    check_fields,
    fold,
    is_harmless,
    kind_of,
    plan,
    wants_sample,
)
from trisect.indicators.readers.json_text import DuplicateKeyError, Fraction, has_surrogates, parse

_MAX_PLANS: Final = 256  # object shapes to remember; a file with more shapes is read all the same, slower

_Object = dict[str, object]
_Record = tuple[int, _Object | Reason]


def read_json_lines(lines: TextLines, *, name: str, mapping: Mapping[str, str]) -> Reading:
    """Rows of a JSON Lines file, in the order of the file.

    Raises:
        BadInputError: an unknown field, or no object in the first block has a key that the mapping names.
    """
    check_fields(mapping)
    plans: dict[tuple[str, ...], Plan | None] = {}
    first_block = True
    for records in _records(lines):
        if first_block and mapping:
            _check_mapping(mapping, records)
        first_block = False
        for line, record in records:
            if isinstance(record, Reason):
                yield Unreadable(str(line), record)
                continue
            keys = tuple(record)
            if keys not in plans:
                if len(plans) >= _MAX_PLANS:
                    plans.clear()
                plans[keys] = _plan(keys, mapping, records)
            yield _row(line, list(record.values()), plans[keys], name)


def _records(lines: TextLines) -> Iterator[list[_Record]]:
    number = 0
    for block in lines.blocks():
        found: list[_Record] = []
        for line in block.lines:
            number += 1
            if line and not line.isspace():
                found.append((number, _parse(line)))
        yield found


def _parse(line: str) -> _Object | Reason:
    if len(line) > MAX_LINE_CHARS:
        return Reason.TOO_LONG
    try:
        parsed = parse(line.strip("\ufeff \t\r\n"))
    except DuplicateKeyError:
        return Reason.DUPLICATE_KEY
    except (ValueError, RecursionError):
        return Reason.BAD_JSON
    return parsed if isinstance(parsed, dict) else Reason.NOT_AN_OBJECT


def _check_mapping(mapping: Mapping[str, str], records: Sequence[_Record]) -> None:
    """Refuse a mapping to keys that no object of the first block has; some objects may lack some keys."""
    objects = [record for _, record in records if isinstance(record, dict)]
    keys = list(dict.fromkeys(key for found in objects for key in found))
    if not objects:
        return
    known = {fold(key) for key in keys}
    missing = [field for field, asked in mapping.items() if fold(asked) not in known]
    if missing:
        plan(
            keys, {missing[0]: mapping[missing[0]]}, [], counted=False
        )  # raises, and names the keys there are


def _plan(keys: tuple[str, ...], mapping: Mapping[str, str], records: Sequence[_Record]) -> Plan | None:
    folded = {fold(key) for key in keys}
    present = {field: asked for field, asked in mapping.items() if fold(asked) in folded}
    if "value" in mapping and "value" not in present:
        return None
    wanted = wants_sample(keys)
    alike = [
        [cell if isinstance(cell, str) else "" for cell in record.values()]
        for _, record in (records if wanted else ())
        if isinstance(record, dict) and tuple(record) == keys
    ]
    try:
        return plan(keys, present, alike, counted=False)
    except BadInputError:
        return None  # this object has no value, or several; others may have


def _row(line: int, cells: list[object], found: Plan | None, name: str) -> RawRow | Unreadable:
    where = str(line)
    if found is None:
        return Unreadable(where, Reason.NO_VALUE)
    verdict = cells[found.verdict] if found.verdict is not None else None
    if isinstance(verdict, str) and is_harmless(verdict):
        return Unreadable(where, Reason.NOT_FRAUD)
    texts = dict.fromkeys(COLUMNS, "")
    texts["kind"] = found.kind
    for field, place in found.places.items():
        cell = cells[place]
        text = _text(cell)
        if isinstance(text, Reason):
            return Unreadable(where, text)
        texts[field] = kind_of(text) if field == "kind" else text
    texts["ref"] = texts["ref"] or f"{name}:{where}"
    return RawRow(where=where, **texts)


def _text(cell: object) -> str | Reason:
    """The text of a value: strings and whole numbers as they were written, null as absent."""
    if cell is None:
        return ""
    if not isinstance(cell, str) or isinstance(cell, Fraction):
        return Reason.NOT_TEXT
    if has_surrogates(cell):
        return Reason.BAD_ENCODING
    return cell_fault(cell) or cell


def is_json_object(line: str) -> bool:
    """Whether a line by itself is one JSON object."""
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False
