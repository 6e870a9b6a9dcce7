"""What STIX and MISP have in common: a row from one observable, its tags and its dates.

Both carry labels of ours as machine tags, `trisect:category="romance"`; tags of other vocabularies are not
guessed at.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Final

from trisect.indicators.entries import RawRow
from trisect.indicators.readers.batch import Reason, Unreadable
from trisect.indicators.readers.csv_table import cell_fault
from trisect.indicators.readers.json_text import Fraction, has_surrogates

_TAG: Final = re.compile(
    r'trisect:(category|fraud[-_]role|channel|ai[-_]technique|confidence)="([^"\x00-\x1f]{1,64})"'
)
_EPOCH_SECONDS: Final = re.compile(
    r"[0-9]{9,10}"
)  # since 1973; fewer digits are a year or a date without marks
_UTC: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|\+00:00)", re.ASCII
)
_NO_DATE: Final = "no date"
_NOT_A_LIST: Final = object()
_ID: Final = re.compile(r"(?:[a-z][a-z0-9-]{1,62}--)?[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def text_of(value: object) -> str:
    """The value itself where it is text, else empty."""
    return value if isinstance(value, str) and not isinstance(value, Fraction) else ""


def place_of(identifier: object, number: int) -> str:
    """A STIX id or a UUID where it is one; else `#number`, since any other text might hold the value itself."""
    text = text_of(identifier)
    return text if _ID.fullmatch(text) else f"#{number}"


def ref_of(where: str, name: str) -> str:
    """The ref of a row: its id, or the file's base name and the object's number."""
    return f"{name}:{where[1:]}" if where.startswith("#") else where


def date_of(moment: object) -> str:
    """As `moment_of`; a moment in UTC is cut to its day, so that the rows of one day share a label."""
    text = moment_of(moment)
    utc = _UTC.fullmatch(text)
    return utc[1] if utc else text


def moment_of(moment: object) -> str:
    """The text of a date or moment as it was, for `trisect.indicators.labels` to read; empty where there is none.

    Seconds since 1970 become a day in UTC. What is no text, or no whole number, becomes a text that is no date.
    """
    if moment is None:
        return ""
    if not isinstance(moment, str):
        return _NO_DATE
    if _EPOCH_SECONDS.fullmatch(moment) and not isinstance(moment, Fraction):
        return datetime.fromtimestamp(int(moment), tz=UTC).date().isoformat()
    return moment


def labels_of(tags: Iterable[object]) -> dict[str, str]:
    """Label fields from tags of ours; the last tag of a field wins."""
    found = (_TAG.fullmatch(text_of(tag)) for tag in tags)
    return {match[1].replace("-", "_"): match[2] for match in found if match}


def items_in(value: object) -> list[object]:
    """The items of a JSON list; what is neither a list nor null is one item, so that it is not lost unsaid."""
    if value is None:
        return []
    return value if isinstance(value, list) else [_NOT_A_LIST]


def objects_in(value: object) -> list[dict[str, object]]:
    """The objects of a JSON list; anything else in it, or a value that is no list, counts for nothing."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def row(where: str, *, name: str, kind: str, value: object, labels: Mapping[str, str]) -> RawRow | Unreadable:
    """A row for one observable, or why its value cannot be handed on.

    Args:
        where: id of its object, or `#number`.
        name: base name of the file.
        kind: name of our kind; empty leaves it to the intake.
        value: must be text.
        labels: label fields that are known.
    """
    text = text_of(value)
    if not text:
        return Unreadable(where, Reason.NO_VALUE if value in (None, "") else Reason.NOT_TEXT)
    for cell in (text, *labels.values()):
        fault = Reason.BAD_ENCODING if has_surrogates(cell) else cell_fault(cell)
        if fault is not None:
            return Unreadable(where, fault)
    fields = dict.fromkeys(RawRow._fields, "") | dict(labels)
    fields |= {"where": where, "kind": kind, "value": text, "ref": ref_of(where, name)}
    return RawRow(**fields)
