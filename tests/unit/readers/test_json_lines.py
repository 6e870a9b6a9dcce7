import io
import json

import pytest

from trisect.errors import BadInputError
from trisect.indicators.entries import RawRow
from trisect.indicators.readers import ReaderName, Reason, Unreadable, open_reading


def read(*lines: str, **mapping: str) -> tuple[list[RawRow], dict[str, Reason]]:
    data = "\n".join(lines).encode()
    found = list(open_reading(io.BytesIO(data), name="f.jsonl", reader=ReaderName.JSONL, mapping=mapping))
    good = [row for row in found if isinstance(row, RawRow)]
    return good, {row.where: row.reason for row in found if isinstance(row, Unreadable)}


def test_keys_are_read_like_columns() -> None:
    good, bad = read(
        json.dumps({"msisdn": "+12025550101", "case_id": "a", "category": "romance", "confidence": 80}),
        "",
        json.dumps(
            {"indicator": "a.example", "type": "hostname", "first_seen": "2026-01-02", "noise": [1.5]}
        ),
        json.dumps({"phone": 12025550102, "ref": None}),
    )
    assert not bad
    assert [
        (row.where, row.kind, row.value, row.ref, row.category, row.confidence, row.first_seen)
        for row in good
    ] == [
        ("1", "phone", "+12025550101", "a", "romance", "80", ""),
        ("3", "domain", "a.example", "f.jsonl:3", "", "", "2026-01-02"),
        ("4", "phone", "12025550102", "f.jsonl:4", "", "", ""),
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"phone": "1", "phone": "2"}', Reason.DUPLICATE_KEY),
        ('{"phone": ["1"]}', Reason.NOT_TEXT),
        ('{"phone": {"a": "1"}}', Reason.NOT_TEXT),
        ('{"phone": 1.5}', Reason.NOT_TEXT),
        ('{"phone": 1e11}', Reason.NOT_TEXT),
        ('{"phone": true}', Reason.NOT_TEXT),
        ('{"phone": NaN}', Reason.BAD_JSON),
        ('{"phone": "1"', Reason.BAD_JSON),
        ('{"phone": ' + "[" * 5000, Reason.BAD_JSON),
        ('["1"]', Reason.NOT_AN_OBJECT),
        ('{"colour": "red", "shape": "round"}', Reason.NO_VALUE),
        ('{"phone": "1", "email": "a"}', Reason.NO_VALUE),
        ('{"phone": "\\ud800"}', Reason.BAD_ENCODING),
        ('{"phone": "\\u0000"}', Reason.NUL),
        ('{"phone": "' + "1" * 70_000 + '"}', Reason.TOO_LONG),
        ('{"phone": "' + "1" * 2_000_000 + '"}', Reason.TOO_LONG),
        ('{"indicator": "a.example", "verdict": "benign"}', Reason.NOT_FRAUD),
    ],
)
def test_unreadable_lines(line: str, reason: Reason) -> None:
    good, bad = read('{"phone": "+12025550101"}', line, '{"phone": "+12025550102"}')
    assert [row.where for row in good] == ["1", "3"]
    assert bad == {"2": reason}


def test_huge_integers_stay_text() -> None:
    number = "9" * 6000
    assert read('{"number": ' + number + "}")[0][0].value == number


def test_mapping() -> None:
    good, bad = read('{"a": "+12025550101", "b": "r"}', '{"b": "s"}', value="a", ref="b")
    assert [(row.value, row.ref) for row in good] == [("+12025550101", "r")]
    assert bad == {"2": Reason.NO_VALUE}
    with pytest.raises(BadInputError) as caught:
        read('{"a": "+12025550101", "b": "r"}', value="c")
    assert "a, b" in caught.value.hint
