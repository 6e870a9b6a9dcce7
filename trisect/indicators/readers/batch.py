"""What a reader hands out: rows by column, and the rows that cannot be read with the reason."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import repeat
from typing import NamedTuple

from trisect.errors import BadInputError
from trisect.indicators.entries import RawRow

_AS_ROW: Callable[[tuple[str, ...]], RawRow] = partial(
    tuple.__new__, RawRow
)  # a third of the time of RawRow(...)
COLUMNS = RawRow._fields[1:]  # every field of a row but `where`


class Reason(enum.StrEnum):
    """Why a row cannot be read. Reasons about a *value* belong to `trisect.indicators.entries`."""

    RAGGED = "ragged"  # more or fewer cells than the header
    UNCLOSED_QUOTE = "unclosed_quote"  # the file or the length limit ends inside quotes
    BAD_QUOTING = "bad_quoting"  # text directly after a closing quote
    TOO_LONG = "too_long"  # a cell above 64 KiB or a record above 1 MiB
    NUL = "nul"  # a cell holds a NUL character
    BAD_ENCODING = "bad_encoding"  # a cell holds bytes that its file's encoding does not know
    BAD_JSON = "bad_json"  # not JSON, NaN or Infinity, or nested too deep
    NOT_AN_OBJECT = "not_an_object"  # JSON, but not an object
    DUPLICATE_KEY = "duplicate_key"  # one key twice in an object
    NOT_TEXT = "not_text"  # a list, object, fraction, true or false where text belongs
    NO_VALUE = "no_value"  # no key or property that holds the value
    NOT_FRAUD = "not_fraud"  # its own list says it is harmless, a victim's, or not for detection
    WITHDRAWN = "withdrawn"  # revoked in STIX, deleted in MISP
    EXPIRED = "expired"  # a STIX indicator whose valid_until has passed
    BAD_DATE = "bad_date"  # a valid_until that is no ISO 8601 date or moment
    CHANGING_NAME = "changing_name"  # an account known by a name that can change its owner, and no stable id
    REFUSED_KIND = (
        "refused_kind"  # a STIX or MISP type of a kind whose values are not taken (note: a scam's text)
    )
    UNSUPPORTED_TYPE = "unsupported_type"  # a STIX or MISP type that we have no kind for
    UNSUPPORTED_PATTERN = "unsupported_pattern"  # another language, operator or qualifier than equality
    SEVERAL_OBSERVABLES = "several_observables"  # a pattern that only a combination of values meets
    BAD_PATTERN = "bad_pattern"  # not a STIX pattern
    BAD_COMPOSITE = "bad_composite"  # a MISP `a|b` type whose value has not two parts


class Unreadable(NamedTuple):
    """One row that cannot be read.

    Attributes:
        where: line at which the record starts, or the STIX or MISP id.
        reason: why; never the value.
    """

    where: str
    reason: Reason


Reading = Iterator[RawRow | Unreadable]


@dataclass(frozen=True, slots=True)
class Batch:
    """A run of rows by column, as the administrator's command sends them to the node.

    Attributes:
        columns: field name -> one text a row. A field that is empty in every row has no column.
        where: for each row the line at which it starts (first line of a file is 1), or its STIX or MISP id.
        unreadable: the rows of the same run that cannot be read; they have no place in the columns.

    Raises:
        BadInputError: an unknown field, or columns of different lengths.
    """

    columns: Mapping[str, list[str]]
    where: list[str]
    unreadable: list[Unreadable] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Refuse a shape that `rows` would read wrongly."""
        for name, cells in self.columns.items():
            if name not in COLUMNS:
                raise BadInputError(
                    f"a batch has a column {name[:40]!r} that no row has",
                    hint="bring both ends to the same version of Trisect",
                )
            if len(cells) != len(self.where):
                raise BadInputError(
                    f"column {name!r} has {len(cells)} cells for {len(self.where)} rows",
                    hint="bring both ends to the same version of Trisect",
                )

    def __len__(self) -> int:
        """Rows, read and unreadable."""
        return len(self.where) + len(self.unreadable)


def rows(batch: Batch) -> Iterator[RawRow]:
    """The readable rows of a batch, in the order of its source."""
    cells = [batch.columns.get(name, repeat("")) for name in COLUMNS]
    return map(_AS_ROW, zip(batch.where, *cells, strict=False))


def gather(reading: Iterable[RawRow | Unreadable], size: int) -> Iterator[Batch]:
    """Batches of at most `size` rows (read and unreadable together) from single rows."""
    found: list[RawRow] = []
    unreadable: list[Unreadable] = []
    for row in reading:
        if isinstance(row, Unreadable):
            unreadable.append(row)
        else:
            found.append(row)
        if len(found) + len(unreadable) >= size:
            yield _batch(found, unreadable)
            found, unreadable = [], []
    if found or unreadable:
        yield _batch(found, unreadable)


def _batch(found: list[RawRow], unreadable: list[Unreadable]) -> Batch:
    if not found:
        return Batch({}, [], unreadable)
    where, *cells = (list(column) for column in zip(*found, strict=True))
    columns = {name: column for name, column in zip(COLUMNS, cells, strict=True) if any(column)}
    return Batch(columns, where, unreadable)


def split(
    columns: Mapping[str, list[str]], where: list[str], unreadable: list[Unreadable], size: int
) -> Iterator[Batch]:
    """Batches of at most `size` rows from long columns; a slice of empty cells loses its column."""
    for start in range(0, len(where), size):
        stop = start + size
        part = {name: cells[start:stop] for name, cells in columns.items()}
        part = {name: cells for name, cells in part.items() if any(cells)}
        yield Batch(part, where[start:stop])
    for start in range(0, len(unreadable), size):
        yield Batch({}, [], unreadable[start : start + size])
