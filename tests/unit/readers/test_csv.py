"""CSV in the wild. All numbers are from ranges reserved for fiction."""

import csv
import io
import time
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trisect.errors import BadInputError
from trisect.indicators.entries import RawRow
from trisect.indicators.readers import Reason, Unreadable, open_reading, read_batches, rows


def read(data: bytes | str, name: str = "list.csv", **mapping: str) -> tuple[list[RawRow], dict[str, Reason]]:
    data = data.encode() if isinstance(data, str) else data
    reading = list(open_reading(io.BytesIO(data), name=name, mapping=mapping))
    good = [row for row in reading if isinstance(row, RawRow)]
    bad = {row.where: row.reason for row in reading if isinstance(row, Unreadable)}
    return good, bad


def values(data: bytes | str, **mapping: str) -> list[str]:
    return [row.value for row in read(data, **mapping)[0]]


def test_header_ref_and_kind_are_told_from_the_names() -> None:
    good, bad = read("MSISDN,Case-ID\n+12025550101,A1\n+12025550102,\n")
    assert not bad
    assert [(row.where, row.kind, row.value, row.ref) for row in good] == [
        ("2", "phone", "+12025550101", "A1"),
        ("3", "phone", "+12025550102", "list.csv:3"),
    ]


@pytest.mark.parametrize(
    "codec", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "gb18030"]
)
def test_encodings(codec: str) -> None:
    text = "手机号,编号\n+12025550101,a\n+12025550102,b\n" * 1
    good, bad = read(text.encode(codec))
    assert not bad
    assert [(row.kind, row.value, row.ref) for row in good] == [
        ("phone", "+12025550101", "a"),
        ("phone", "+12025550102", "b"),
    ]


def test_latin_1_header_and_cells() -> None:
    good, bad = read("Téléphone;ref;phone\ncafé;r1;+33199001234\nThéâtre;r2;+33199001235\n".encode("cp1252"))
    assert not bad
    assert [(row.value, row.ref) for row in good] == [("+33199001234", "r1"), ("+33199001235", "r2")]


def test_late_accent_in_a_file_that_began_as_ascii_is_latin_1() -> None:
    body = b"domain,ref\n" + b"a.example,x\n" * 20_000 + "b.example,café\n".encode("cp1252")
    assert read(body)[0][-1].ref == "café"


def test_broken_utf_8_is_refused_by_row_not_guessed() -> None:
    body = "domain,ref\na.example,编\n".encode() + b"b\xff.example,x\nc.example,y\n"
    good, bad = read(body)
    assert [row.value for row in good] == ["a.example", "c.example"]
    assert bad == {"3": Reason.BAD_ENCODING}


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_delimiters_and_line_ends(delimiter: str, end: str) -> None:
    text = end.join(
        delimiter.join(cells)
        for cells in (["phone", "ref"], ["+12025550101", "a"], ["+12025550102", "b"], [])
    )
    assert [(row.where, row.value, row.ref) for row in read(text)[0]] == [
        ("2", "+12025550101", "a"),
        ("3", "+12025550102", "b"),
    ]


def test_excel_names_its_delimiter() -> None:
    good, bad = read("sep=|\r\nphone|ref\r\n+12025550101|a\r\n")
    assert not bad
    assert (good[0].where, good[0].ref) == ("3", "a")


def test_quoted_line_breaks_count_as_lines_of_the_file() -> None:
    good, bad = read('phone,ref\n"+1202\n5550101","a ""b"""\n\n+12025550102,c\n')
    assert not bad
    assert [(row.where, row.value, row.ref) for row in good] == [
        ("2", "+1202\n5550101", 'a "b"'),
        ("5", "+12025550102", "c"),
    ]


def test_an_unclosed_quote_costs_one_record_not_the_rest_of_the_file() -> None:
    good, bad = read('phone,ref\n+12025550101,a\n"+12025550102,b\n+12025550103,c\n+12025550104,d\n')
    assert [row.value[-1] for row in good] == ["1", "3", "4"]
    assert bad == {"3": Reason.UNCLOSED_QUOTE}


def test_an_unclosed_quote_far_from_the_end() -> None:
    body = '"+12025550102,b\n' + "".join(f"+1202555{n:04},c{n}\n" for n in range(100_000))
    good, bad = read("phone,ref\n" + body)
    assert len(good) == 100_000
    assert good[0].where == "3"
    assert bad == {"2": Reason.UNCLOSED_QUOTE}


def test_text_after_a_closing_quote() -> None:
    good, bad = read('phone,ref\n"+1202"5550101,a\n+12025550102,b\n')
    assert [row.where for row in good] == ["3"]
    assert bad == {"2": Reason.BAD_QUOTING}


def test_lines_that_open_a_quote_whatever_came_before_do_not_take_for_ever() -> None:
    begun = time.perf_counter()
    good, bad = read("phone,ref\n" + 'x","y\n' * 20_000)
    assert not good
    assert len(bad) == 20_000
    assert time.perf_counter() - begun < 60


def test_ragged_rows_nul_and_long_cells_are_unreadable() -> None:
    long = "9" * 70_000
    good, bad = read(
        f"phone,ref\n+12025550101\n+12025550102,b,c\n+1202555\x000103,c\n{long},d\n+12025550105,e,\n+12025550106,f\n"
    )
    assert [row.ref for row in good] == ["e", "f"]
    assert bad == {"2": Reason.RAGGED, "3": Reason.RAGGED, "4": Reason.NUL, "5": Reason.TOO_LONG}


@pytest.mark.parametrize("letter", ["9", '"'])
def test_one_endless_line_is_one_unreadable_row(letter: str) -> None:
    body = b"phone,ref\n" + letter.encode() * 3_000_001 + b"\n+12025550101,a\n"
    good, bad = read(body)
    assert [row.where for row in good] == ["3"]
    assert list(bad) == ["2"]


@pytest.mark.parametrize("text", ["", "\n\n", "phone\n", "phone,ref\r\n", "\ufeff", "\ufeffphone\n", "  \n"])
def test_nothing_to_read(text: str) -> None:
    assert read(text) == ([], {})


def test_no_header() -> None:
    assert values("+12025550101\n+12025550102\n") == ["+12025550101", "+12025550102"]
    good, _ = read("domain,one.example\nurl,http://two.example/\ndomain,three.example\n")
    assert [(row.where, row.kind) for row in good] == [("1", "domain"), ("2", "url"), ("3", "domain")]
    good, _ = read("phone,+12025550101\nphone,+12025550102\n")
    assert [row.kind for row in good] == ["phone", "phone"]


def test_a_word_above_values_is_a_header_in_a_language_we_do_not_know() -> None:
    good, bad = read("Rufnummer\n+12025550101\n+12025550102\n")
    assert not bad
    assert [(row.where, row.kind, row.value) for row in good] == [
        ("2", "", "+12025550101"),
        ("3", "", "+12025550102"),
    ]


def test_no_header_and_two_candidates_is_refused_without_showing_a_value() -> None:
    with pytest.raises(BadInputError) as caught:
        read("+12025550101,one.example\n+12025550102,two.example\n")
    assert "--map value=1" in caught.value.hint
    assert "0101" not in caught.value.hint + caught.value.message
    assert "example" not in caught.value.hint + caught.value.message


def test_mapping_by_name_number_and_over_the_sniffed() -> None:
    text = "Nummer;Akte;Art\n+12025550101;a;x\n+12025550102;b;y\n"
    for mapping in (
        {"value": "Nummer", "ref": "Akte"},
        {"value": "1", "ref": "2"},
        {"value": "nummer", "ref": "akte"},
    ):
        good, _ = read(text, **mapping)
        assert [(row.where, row.value, row.ref) for row in good] == [
            ("2", "+12025550101", "a"),
            ("3", "+12025550102", "b"),
        ]
    good, _ = read("phone,id,ref\n+12025550101,7,8\n", ref="id")
    assert good[0].ref == "7"


@pytest.mark.parametrize("mapping", [{"nonsense": "phone"}, {"value": "fone"}, {"value": "9"}, {"ref": "0"}])
def test_bad_mappings_name_the_columns_there_are(mapping: dict[str, str]) -> None:
    with pytest.raises(BadInputError) as caught:
        read("phone,ref\n+12025550101,a\n", **mapping)
    assert "phone" in caught.value.hint or "fields are" in caught.value.hint


def test_a_column_name_that_is_a_value_is_never_shown() -> None:
    with pytest.raises(BadInputError) as caught:
        read("+12025550101,a\n+12025550102,b\n", value="phone")
    assert "5550101" not in caught.value.hint


def test_two_columns_that_may_hold_the_value() -> None:
    with pytest.raises(BadInputError, match="several columns"):
        read("phone,email\n+12025550101,a@example.org\n")


def test_infoblox_outline() -> None:
    good, bad = read(
        "type,indicator,classification,detected_date\n"
        "domain,one.example,malicious,2024-09-14\ndomain,two.example,legitimate,2024-09-14\n"
        "url,http://three.example/,Parked,2024-09-14\nmutex,four,phishing,2024-09-15\n"
    )
    assert [(row.kind, row.value, row.first_seen, row.category) for row in good] == [
        ("domain", "one.example", "2024-09-14", ""),
        ("mutex", "four", "2024-09-15", ""),
    ]
    assert bad == {"3": Reason.NOT_FRAUD, "4": Reason.NOT_FRAUD}


def test_kind_synonyms_and_unknown_kinds() -> None:
    good, _ = read("kind,value\nIPv4,192.0.2.1\nhostname,a.example\nE-Mail Address,a@example.org\nodd,x\n")
    assert [row.kind for row in good] == ["ip", "domain", "email", "odd"]


def test_cells_pass_unchanged() -> None:
    assert values('phone,ref\n\'+12025550101,a\n"=""+12025550102""",b\n +12025550103 ,c\n') == [
        "'+12025550101",
        '="+12025550102"',
        " +12025550103 ",
    ]


def test_batches_are_columns_of_equal_length_without_empty_ones() -> None:
    text = "phone,category,channel\n" + "".join(f"+120255501{n:02},,sms\n" for n in range(100))
    batches = list(read_batches(io.BytesIO(text.encode()), name="x.csv", size=30))
    assert [len(batch) for batch in batches] == [30, 30, 30, 10]
    assert all(set(batch.columns) == {"value", "kind", "ref", "channel"} for batch in batches)
    assert [row.value for batch in batches for row in rows(batch)] == [
        f"+120255501{n:02}" for n in range(100)
    ]


CELLS = st.text(
    st.characters(codec="utf-8", exclude_characters="\0\ufffd\ufeff", exclude_categories=["Cs"]), max_size=12
)


@given(
    table=st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=30),
    delimiter=st.sampled_from(",;\t|"),
    ends=st.sampled_from(
        [("\n", csv.QUOTE_MINIMAL), *((end, csv.QUOTE_ALL) for end in ("\n", "\r\n", "\r"))]
    ),
    codec=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le"]),
    size=st.integers(1, 40),
)
@settings(deadline=None)
def test_what_a_csv_writer_writes_reads_back(
    *, table: list[tuple[str, str, str]], delimiter: str, ends: tuple[str, int], codec: str, size: int
) -> None:
    terminator, quoting = ends
    if quoting == csv.QUOTE_MINIMAL:  # Python 3.11 leaves a bare CR unquoted
        table = [(a.replace("\r", ""), b.replace("\r", ""), c.replace("\r", "")) for a, b, c in table]
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator=terminator, quoting=quoting)
    writer.writerow(["indicator", "reference", "channel"])
    starts = []
    for record in table:
        starts.append(1 + len(io.StringIO(out.getvalue(), newline="").readlines()))
        writer.writerow(record)
    data = out.getvalue().encode(codec)
    batches = list(read_batches(io.BytesIO(data), name="f", size=size, mapping={"value": "indicator"}))
    assert not [bad for batch in batches for bad in batch.unreadable]
    found = [row for batch in batches for row in rows(batch)]
    assert [(row.value, row.ref, row.channel) for row in found] == [
        (value, ref or f"f:{start}", channel)
        for (value, ref, channel), start in zip(table, starts, strict=True)
    ]
    assert [row.where for row in found] == [str(start) for start in starts]


class Endless(io.RawIOBase):
    """A million rows that nobody holds in memory."""

    def __init__(self, count: int) -> None:
        self.left = count

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:  # noqa: ARG002 -- io's signature
        if self.left <= 0:
            return b""
        self.left -= 4096
        return b"+12025550101,a\n" * 4096


def test_memory_stays_flat() -> None:
    tracemalloc.start()
    try:
        mapping = {"value": "1", "ref": "2"}
        count = sum(len(batch) for batch in read_batches(Endless(400_000), name="f", mapping=mapping))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count >= 400_000
    assert peak < 16 << 20
