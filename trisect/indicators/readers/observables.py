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
_DAY: Final = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ].*)?", re.DOTALL)
_EPOCH_SECONDS: Final = re.compile(r"[0-9]{1,10}")
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


def day_of(moment: object) -> str:
    """The day of an ISO 8601 time or of seconds since 1970 (both UTC) as YYYY-MM-DD; empty where it is neither."""
    text = text_of(moment)
    iso = _DAY.fullmatch(text)
    if iso:
        return iso[1]
    if _EPOCH_SECONDS.fullmatch(text):
        return datetime.fromtimestamp(int(text), tz=UTC).date().isoformat()
    return ""


def labels_of(tags: Iterable[object]) -> dict[str, str]:
    """Label fields from tags of ours; the last tag of a field wins."""
    found = (_TAG.fullmatch(text_of(tag)) for tag in tags)
    return {match[1].replace("-", "_"): match[2] for match in found if match}


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
    fault = Reason.BAD_ENCODING if has_surrogates(text) else cell_fault(text)
    if fault is not None:
        return Unreadable(where, fault)
    fields = dict.fromkeys(RawRow._fields, "") | dict(labels)
    fields |= {"where": where, "kind": kind, "value": text, "ref": ref_of(where, name)}
    return RawRow(**fields)
