"""How a CSV file is laid out, told from its first lines: delimiter, header or none, which column is what."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from trisect.errors import BadInputError
from trisect.indicators.readers.headers import (
    KIND_SYNONYMS,
    Plan,
    check_fields,
    fold,
    is_kind,
    is_known,
    is_value_like,
    plan,
    shown,
)

_DELIMITERS: Final = ",;\t|"
_SAMPLE_ROWS: Final = 100
_ALIKE: Final = 0.9  # of the sampled rows have as many cells as the first: then it is a table
_SEP_LINE: Final = re.compile(r'"?sep=(.)"?\r?\n?', re.IGNORECASE)  # Excel's own first line
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d([T ][\d:.+Z-]*)?|\d\d?[./]\d\d?[./]\d{4}")


@dataclass(frozen=True, slots=True)
class Layout:
    """What must be known before the first row can be read.

    Attributes:
        delimiter: one character.
        skip: lines before the first record (Excel's `sep=` line).
        header: whether the first record names the columns.
        width: cells in every row.
        plan: which column feeds which field.
    """

    delimiter: str
    skip: int
    header: bool
    width: int
    plan: Plan


def sniff_rows(sample: str, *, complete: bool) -> tuple[str, int, list[list[str]], float]:
    """Delimiter, lines to skip, first rows, and the share of them with as many cells as the first.

    Args:
        sample: decoded beginning of the file.
        complete: whether that is the whole file; else its last line may be cut and is left out.
    """
    lines = io.StringIO(sample, newline="").readlines()
    if not complete and len(lines) > 1:
        lines.pop()
    told = _SEP_LINE.fullmatch(lines[0]) if lines else None
    if told:
        return told[1], 1, *_rows(lines[1:], told[1])
    best = max(_DELIMITERS, key=lambda delimiter: _score(*_rows(lines, delimiter)))
    return best, 0, *_rows(lines, best)


def _rows(lines: Sequence[str], delimiter: str) -> tuple[list[list[str]], float]:
    rows: list[list[str]] = []
    try:
        for row in csv.reader(lines, delimiter=delimiter, strict=True):
            if row and not (len(row) == 1 and row[0].isspace()):
                rows.append(row)
            if len(rows) == _SAMPLE_ROWS:
                break
    except csv.Error:
        pass  # what came before it must do
    alike = sum(len(row) == len(rows[0]) for row in rows) / len(rows) if rows else 0.0
    return rows, alike


def _score(rows: Sequence[Sequence[str]], alike: float) -> tuple[bool, float, int]:
    """A table of several columns first, then the most even one, then the widest."""
    width = len(rows[0]) if rows else 0
    return width > 1, alike, width


def is_table(sample: str, *, complete: bool) -> bool:
    """Whether text without a name to go by is CSV rather than one value a line."""
    _, skip, rows, alike = sniff_rows(sample, complete=complete)
    if not rows:
        return False
    if skip or has_header(rows):
        return True
    return len(rows) > 1 and len(rows[0]) > 1 and alike >= _ALIKE


def has_header(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row names columns: one name we know, no cell like a value, none that recurs below.

    A name recurs where a table without header holds kinds (`domain, example.com`).
    """
    first = rows[0]
    if not any(is_known(cell) for cell in first) or any(is_value_like(cell) for cell in first):
        return False
    recurs = [index for index, cell in enumerate(first) if fold(cell) in KIND_SYNONYMS]
    return not any(
        index < len(row) and is_kind(row[index]) and fold(row[index]) == fold(first[index])
        for row in rows[1:]
        for index in recurs
    )


def _is_named_above(rows: Sequence[Sequence[str]], asked: str) -> bool:
    """Whether the column asked for by number holds a word first and nothing but values below it.

    Such a word is a name in a language that we have no table for.
    """
    index = int(asked[:9]) - 1 if asked.isascii() and asked.isdigit() else -1
    cells = [row[index] for row in rows if 0 <= index < len(row)]
    word = len(cells) > 1 and fold(cells[0]).replace("_", "").isalpha()
    return word and not is_value_like(cells[0]) and all(map(is_value_like, cells[1:]))


def sniff_layout(sample: str, *, complete: bool, mapping: Mapping[str, str]) -> Layout | None:
    """The layout of a CSV file, or None where it has no row at all.

    Raises:
        BadInputError: the mapping does not fit the columns, or nothing tells which column holds the value.
    """
    check_fields(mapping)
    delimiter, skip, rows, _ = sniff_rows(sample, complete=complete)
    if not rows:
        return None
    first = [cell.lstrip("\ufeff") for cell in rows[0]]
    by_name = any(not (asked.isascii() and asked.isdigit()) for asked in mapping.values())
    alone = "1" if len(first) == 1 else ""
    named = _is_named_above(rows, mapping.get("value", alone))
    header = by_name or named or has_header([first, *rows[1:]])
    found = plan(first, mapping, rows[1:]) if header else _headless(rows, mapping)
    return Layout(delimiter, skip, header, len(first), found)


def _headless(rows: Sequence[Sequence[str]], mapping: Mapping[str, str]) -> Plan:
    """Plan columns without names: as mapped, or the one whose cells name kinds and the one like values."""
    width = len(rows[0])
    even = [row for row in rows if len(row) == width]
    names = [str(number) for number in range(1, width + 1)]
    if "value" in mapping:
        return plan(names, mapping, [])
    kinds = [index for index in range(width) if all(is_kind(row[index]) for row in even)]
    rest = [index for index in range(width) if index not in kinds]
    values = rest if len(rest) == 1 else [index for index in rest if _holds_values(even, index)]
    if len(values) != 1 or len(kinds) > 1:
        raise BadInputError(
            f"the file has no header that we know, and nothing tells which of its {width} columns holds the value",
            hint=f"say which: --map value=1 (a number counts columns); {shown(rows[0])}",
        )
    guessed = {"value": names[values[0]]}
    if kinds:
        guessed["kind"] = names[kinds[0]]
    return plan(names, guessed | dict(mapping), [])


def _holds_values(rows: Sequence[Sequence[str]], index: int) -> bool:
    return all(is_value_like(row[index]) and not _DATE.fullmatch(row[index].strip()) for row in rows)
