"""Which reader a file wants, plain lines, and bytes that are nothing at all."""

import codecs
import io
import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from trisect.errors import BadInputError
from trisect.indicators.entries import RawRow
from trisect.indicators.readers import Batch, ReaderName, Reason, Unreadable, open_reading, read_batches


def read(
    data: bytes | str, name: str = "list", reader: ReaderName | None = None, **mapping: str
) -> list[Any]:
    data = data.encode() if isinstance(data, str) else data
    return list(open_reading(io.BytesIO(data), name=name, reader=reader, mapping=mapping))


def test_lines_skip_comments_and_blanks_and_keep_commas() -> None:
    text = "# a list\n+12025550101\n\n  # more\nhttp://a.example/x,y\n"
    found = read(text, "list.txt")
    assert [(row.where, row.value, row.ref) for row in found] == [
        ("2", "+12025550101", "list.txt:2"),
        ("5", "http://a.example/x,y", "list.txt:5"),
    ]


def test_lines_with_odd_bytes() -> None:
    text = (
        b"one.example\ntwo\0.example\n" + "编.example\n".encode() + b"\xff.example\n" + b"x" * 70_000 + b"\n"
    )
    reasons = {row.where: row.reason for row in read(text) if isinstance(row, Unreadable)}
    assert reasons == {"2": Reason.NUL, "4": Reason.BAD_ENCODING, "5": Reason.TOO_LONG}


def test_one_value_from_stdin() -> None:
    assert [row.value for row in read("http://a.example/x,y\n", "-")] == ["http://a.example/x,y"]


def test_lines_take_no_mapping() -> None:
    with pytest.raises(BadInputError):
        read("a.example\n", reader=ReaderName.LINES, ref="2")


BUNDLE = {
    "type": "bundle",
    "objects": [
        {
            "type": "domain-name",
            "id": "domain-name--11111111-1111-4111-8111-111111111111",
            "value": "a.example",
        }
    ],
}
EVENT = {"Event": {"Attribute": [{"type": "domain", "value": "a.example", "to_ids": True}]}}


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("document", [BUNDLE, EVENT, [EVENT], {"response": [EVENT]}, BUNDLE["objects"][0]])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_json_files_are_told_apart(document: Any, indent: int | None, mark: str) -> None:
    (row,) = read(mark + json.dumps(document, indent=indent), "feed.json")
    assert isinstance(row, RawRow)
    assert (row.kind, row.value) == ("domain", "a.example")


def test_json_lines_are_told_from_json() -> None:
    rows = read('{"type": "domain", "value": "a.example"}\n{"type": "url", "value": "http://b.example"}\n')
    assert [(row.kind, row.value) for row in rows] == [("domain", "a.example"), ("url", "http://b.example")]


@pytest.mark.parametrize("reader", [ReaderName.STIX, ReaderName.MISP])
@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        "3",
        '{"a": NaN}',
        '{"Event": 1, "Event": 2}',
        "[" * 100_000,
        '{"a":' * 100 + "1" + "}" * 100,
    ],
)
def test_broken_json_files_are_refused_whole(text: str, reader: ReaderName | None) -> None:
    with pytest.raises(BadInputError):
        read(text, "x.json", reader)


def test_brackets_in_strings_are_no_nesting() -> None:
    bundle = {"type": "bundle", "x_note": "[" * 500 + '"\\', "objects": BUNDLE["objects"]}
    assert len(read(json.dumps(bundle))) == 1


def test_documents_take_no_mapping() -> None:
    with pytest.raises(BadInputError):
        read(json.dumps(BUNDLE), "b.json", value="x")


def test_a_batch_refuses_a_wrong_shape() -> None:
    with pytest.raises(BadInputError):
        Batch({"value": ["a"]}, ["1", "2"])
    with pytest.raises(BadInputError):
        Batch({"where": ["1"]}, ["1"])


SEEDS = [b'phone,ref\n"', b'{"type":"bundle","objects":[', b"\xff\xfe", b"sep=,\n", b"[{", b'{"a":"\\ud800"}']


@given(
    data=st.one_of(
        st.binary(max_size=300),
        st.lists(
            st.sampled_from([*SEEDS, b",", b'"', b"\n", b"\r", b"a", b"9999", b";", b"\0", b"}", b"]"]),
            max_size=30,
        ).map(b"".join),
    ),
    reader=st.sampled_from([None, *ReaderName]),
    name=st.sampled_from(["x", "x.csv", "x.json", "x.jsonl"]),
)
@example(data=b"sep=\n\n", reader=None, name="x.csv")
@example(data=b"\x00\x00\x00\x00", reader=None, name="x.csv")
@settings(deadline=None, max_examples=600)
def test_any_bytes_read_or_are_bad_input(data: bytes, reader: ReaderName | None, name: str) -> None:
    try:
        for row in open_reading(io.BytesIO(data), name=name, reader=reader):
            assert all(isinstance(cell, str) for cell in row)
            for cell in row:
                cell.encode()
    except BadInputError:
        pass


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from(
            ["type", "id", "value", "objects", "Event", "Attribute", "Object", "response", "pattern", "labels",
             "hashes", "object_refs", "Tag", "name", "uuid", "iban", "confidence"]
        ),
        inner | st.sampled_from(["bundle", "indicator", "file", "domain|ip", "domain", "observed-data", "x-misp-object"]),
        max_size=5,
    ),
    max_leaves=25,
)  # fmt: skip


@given(document=JSON, reader=st.sampled_from([ReaderName.STIX, ReaderName.MISP, ReaderName.JSONL]))
@settings(deadline=None, max_examples=600)
def test_any_json_reads_or_is_bad_input(document: Any, reader: ReaderName | None) -> None:
    try:
        for row in read(json.dumps(document), "x.json", reader):
            for cell in row:
                cell.encode()
    except BadInputError:
        pass


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("cp1251", "cp1251"),
        ("shift_jis", "shift_jis"),
        ("gbk", "gbk"),
        ("UTF-8", "utf-8"),
        ("utf_16_le", "utf-16-le"),
    ],
)
def test_a_named_encoding_is_taken_at_its_word(name: str, codec: str) -> None:
    text = {"cp1251": "москва", "shift_jis": "日本", "gbk": "中文"}.get(codec, "münchen")
    marks = {"utf-8": codecs.BOM_UTF8, "utf-16-le": codecs.BOM_UTF16_LE}
    stream = io.BytesIO(marks.get(codec, b"") + f"value\n{text}.example\n".encode(codec))
    told: list[str] = []
    batches = list(read_batches(stream, name="l.csv", encoding=name, read_as=told.append))
    assert [value for batch in batches for value in batch.columns["value"]] == [f"{text}.example"]
    assert told == [codec]
