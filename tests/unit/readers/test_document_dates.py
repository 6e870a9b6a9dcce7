"""Dates of STIX and MISP: they mean what they mean in a CSV file, and an end that has passed is an end."""

import datetime as dt
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest

from trisect.indicators.entries import RawRow
from trisect.indicators.forms import RejectedError
from trisect.indicators.labels import end_of, parse_label
from trisect.indicators.readers import ReaderName, Reason, Unreadable, open_reading

NOW = dt.datetime(2026, 11, 22, 12, 0, tzinfo=dt.UTC)
ID = "indicator--11111111-1111-4111-8111-111111111111"


def reading(document: object, reader: ReaderName) -> list[RawRow | Unreadable]:
    stream = io.BytesIO(json.dumps(document).encode())
    return list(open_reading(stream, name="f.json", reader=reader, clock=lambda: NOW))


def told(**more: object) -> dict[str, Any]:
    return {"type": "indicator", "id": ID, "pattern": "[url:value = 'a']", "pattern_type": "stix", **more}


def documents(moment: object) -> Iterator[tuple[object, ReaderName]]:
    """Every place where a first day can stand."""
    seen = {"type": "url", "id": ID.replace("indicator", "url"), "value": "a"}
    refers = {"type": "observed-data", "first_observed": moment, "object_refs": [seen["id"]]}
    attribute = {"type": "url", "value": "a", "first_seen": moment}
    yield [told(valid_from=moment)], ReaderName.STIX
    yield [seen, refers], ReaderName.STIX
    yield {"Attribute": [attribute]}, ReaderName.MISP
    yield {"Attribute": [], "Object": [{"name": "x", "Attribute": [attribute]}]}, ReaderName.MISP


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2024-01-01T23:30:00-05:00", "2024-01-02"),
        ("2024-01-01T00:30:00.123456789+01:00", "2023-12-31"),
        ("2024-01-01T23:30:00Z", "2024-01-01"),
        ("2024-01-01T23:59:59.999999999+00:00", "2024-01-01"),
        ("2024-01-01 23:30:00", "2024-01-01"),
        ("2024-01-01", "2024-01-01"),
        ("1767225600", "2026-01-01"),
        (1767225600, "2026-01-01"),
    ],
)
def test_a_moment_is_a_day_in_utc(moment: object, day: str) -> None:
    for document, reader in documents(moment):
        (row,) = reading(document, reader)
        assert isinstance(row, RawRow)
        assert str(parse_label(row._asdict()).first_seen) == day


@pytest.mark.parametrize(
    "moment",
    [
        "01/02/2024",
        "2024-13-01",
        "yesterday",
        "2024-01-01T24:30:00Z",
        "2024-02-30T00:00:00Z",
        "2024",
        20240101,
        1.5,
        True,
        ["2024-01-01"],
        {},
    ],
)
def test_what_is_no_date_is_said_as_in_csv(moment: object) -> None:
    for document, reader in documents(moment):
        (row,) = reading(document, reader)
        assert isinstance(row, RawRow)
        with pytest.raises(RejectedError) as caught:
            parse_label(row._asdict())
        assert (caught.value.reason.value, caught.value.column) == ("bad_date", "first_seen")


@pytest.mark.parametrize("moment", [None, ""])
def test_no_date_is_none(moment: object) -> None:
    for document, reader in documents(moment):
        (row,) = reading(document, reader)
        assert isinstance(row, RawRow)
        assert parse_label(row._asdict()).first_seen is None


def test_text_that_cannot_be_sent_is_not_handed_on_in_a_date() -> None:
    for moment, reason in (
        ("a\ud800", Reason.BAD_ENCODING),
        ("a\0", Reason.NUL),
        ("a" * 70_000, Reason.TOO_LONG),
    ):
        for document, reader in documents(moment):
            (row,) = reading(document, reader)
            assert isinstance(row, Unreadable)
            assert row.reason is reason


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        ("2026-11-22T11:59:59Z", Reason.EXPIRED),
        ("2026-11-22T12:00:00.000Z", Reason.EXPIRED),
        ("2026-11-22T12:00:00.001Z", None),
        ("2026-11-22T13:30:00+02:00", Reason.EXPIRED),
        ("2026-11-22T11:30:00-02:00", None),
        ("2026-11-21", Reason.EXPIRED),
        ("2026-11-22", None),
        ("soon", Reason.BAD_DATE),
        ("9999-12-31", Reason.BAD_DATE),
        (True, Reason.BAD_DATE),
        (None, None),
    ],
)
def test_an_indicator_ends_with_its_valid_until(end: object, reason: Reason | None) -> None:
    (row,) = reading([told(valid_until=end)], ReaderName.STIX)
    if reason is None:
        assert isinstance(row, RawRow)
    else:
        assert row == Unreadable(ID, reason)


def test_an_expired_indicator_holds_as_many_places_as_a_valid_one() -> None:
    """Else a resumed import would skip or repeat rows when something expired between its two runs."""
    pattern = "[url:value = 'a' OR mutex:name = 'b' OR url:value = 'c']"
    before = reading([told(pattern=pattern)], ReaderName.STIX)
    after = reading([told(pattern=pattern, valid_until="2020-01-01T00:00:00Z")], ReaderName.STIX)
    assert len(before) == len(after) == 3
    assert {row.reason for row in after if isinstance(row, Unreadable)} == {Reason.EXPIRED}


def test_an_end_without_offset_is_in_utc() -> None:
    assert end_of("2026-11-22T12:00:00") == NOW
    assert end_of(" ") is None


def test_what_stands_in_place_of_a_misp_element_is_named() -> None:
    lost = Reason.NOT_AN_OBJECT
    for document, numbers in (
        ({"Attribute": ["text", {"type": "url", "value": "a"}, 7]}, ["#1", "#3"]),
        ({"Attribute": {"type": "url", "value": "a"}}, ["#1"]),
        ({"Attribute": [], "Object": {"name": "x", "Attribute": []}}, ["#1"]),
        (
            {"Attribute": [], "Object": ["text", {"Attribute": ["text"]}, {"Attribute": "text"}]},
            ["#1", "#2", "#3"],
        ),
        ({"Object": [{"deleted": True, "Attribute": ["text"]}]} | {"Attribute": None}, ["#1"]),
        ({"response": [{"Event": "text"}, {"Event": {"Attribute": [None]}}]}, ["#1", "#2"]),
    ):
        found = reading(document, ReaderName.MISP)
        assert [row for row in found if isinstance(row, Unreadable)] == [Unreadable(n, lost) for n in numbers]
    (row,) = reading({"response": [{"type": "url", "value": "a"}]}, ReaderName.MISP)
    assert isinstance(row, RawRow)


def test_an_event_without_attributes_holds_nothing() -> None:
    assert reading({"Event": {"info": "x", "Attribute": [], "Object": None}}, ReaderName.MISP) == []
