"""From row to entry: labels, references that give too much away, and the end of the raw value."""

from __future__ import annotations

import gc
import sys

import pytest

from trisect.indicators.entries import Entry, RawRow, to_entry
from trisect.indicators.forms import Profile, Reason, RejectedError, canonical
from trisect.indicators.kinds import Kind
from trisect.indicators.labels import FraudRole
from trisect.indicators.tokens import Pepper, Tokeniser

DEMO = Profile(region="US", allow_reserved=True)
TOKENISER = Tokeniser([Pepper(b"p" * 32)])
BLANK = RawRow("7", "", "", "", "", "", "", "", "", "", "", "")


def made(row: RawRow, kind: Kind | None = Kind.PHONE, profile: Profile = DEMO) -> Entry:
    return to_entry(row, default_kind=kind, profile=profile, tokeniser=TOKENISER)


def refusal(row: RawRow, kind: Kind | None = Kind.PHONE) -> tuple[Reason, str]:
    with pytest.raises(RejectedError) as caught:
        made(row, kind)
    return caught.value.reason, caught.value.column


def test_a_row_becomes_an_entry() -> None:
    entry = made(BLANK._replace(value="(202) 555-0143", ref=" case-17 ", subject="p-9", fraud_role="mule"))
    assert entry.token == TOKENISER.token(canonical(Kind.PHONE, "+12025550143", DEMO))
    assert (entry.kind, entry.ref, entry.subject) == (Kind.PHONE, "case-17", "p-9")
    assert entry.label.fraud_role is FraudRole.MULE


def test_the_row_s_kind_goes_before_the_collection_s_and_auto_finds_it() -> None:
    assert made(BLANK._replace(kind="domain", value="example.com")).kind is Kind.DOMAIN
    assert made(BLANK._replace(value="example.com"), None).kind is Kind.DOMAIN
    assert made(BLANK._replace(value="95588"), profile=Profile(region="CN")).kind is Kind.SHORTCODE
    assert refusal(BLANK._replace(kind="telepathy", value="x")) == (Reason.UNKNOWN_KIND, "kind")


def test_cells_are_cleaned_and_labels_checked() -> None:
    plain = made(BLANK._replace(value="+12025550143"))
    assert made(BLANK._replace(value="'+12025550143")).token == plain.token
    assert made(BLANK._replace(value='="(202) 555-0143"')).token == plain.token
    assert refusal(BLANK._replace(value="=1+1"))[0] is Reason.FORMULA
    assert refusal(BLANK._replace(value="+12025550143", confidence="many")) == (
        Reason.BAD_CONFIDENCE,
        "confidence",
    )


GIVEAWAYS = [
    (Kind.PHONE, "2025550143", "2025550143"),
    (Kind.PHONE, "2025550143", "+1 (202) 555-0143"),
    (Kind.PHONE, "2025550143", "case_202-555-0143_a"),
    (Kind.PHONE, "2025550143", "5550143"),
    (Kind.PHONE, "2025550143", "２０２５５５０１４３"),
    (Kind.PHONE, "1-800-FLOWERS", "8003569377"),
    (Kind.PHONE, "8003569377", "1-800-FLOWERS"),
    (Kind.PHONE, "2025550143 ext 5", "2025550143"),
    (Kind.DOMAIN, "example.com", "example[.]com"),
    (Kind.DOMAIN, "食狮.中国", "食狮.中国 (seen)"),
    (Kind.DOMAIN, "食狮.中国", "xn--85x722f.xn--fiqs8s"),
    (Kind.EMAIL, "user@example.org", "USER[at]example[.]org"),
    (Kind.IMEI, "490154203237518", "49015420323751"),
    (Kind.IMEI, "49015420323751", "490154203237518"),
    (Kind.IBAN, "DE89 3704 0044 0532 0130 00", "ref DE89-3704-0044-0532-0130-00"),
    (Kind.BANK_ACCOUNT, "US:021000021:123456789", "123456789"),
    (Kind.IP, "1.2.3.4", "::ffff:1.2.3.4"),
    (Kind.WALLET, "155dDX3rWoNsY4aiJFbsu6wLB91c2J2Ws5BgMfJKyM1eGnkS", "155dDX3rWoNsY4aiJFbsu6wLB91c2J2Ws5BgMfJKyM1eGnkS"),
    (Kind.WALLET, "155dDX3rWoNsY4aiJFbsu6wLB91c2J2Ws5BgMfJKyM1eGnkS", "b477d42ac66fb36b2e5d1c53f8b1530de94c3cfe7a666ea5d6c72c467c53b429"),
    (Kind.SHORTCODE, "US:911", "911"),
]  # fmt: skip


@pytest.mark.parametrize("column", ["ref", "subject"])
@pytest.mark.parametrize(("kind", "value", "name"), GIVEAWAYS, ids=range(len(GIVEAWAYS)))
def test_a_reference_that_is_the_identifier_is_refused(
    kind: Kind, value: str, name: str, column: str
) -> None:
    assert refusal(BLANK._replace(value=value, **{column: name}), kind) == (Reason.REF_IS_IDENTIFIER, column)


@pytest.mark.parametrize(
    "name", ["case-2026-000143", "202", "0143", "A-555", "客户 12", "f47ac10b-58cc-4372-a567-0e02b2c3d479"]
)
def test_own_record_numbers_pass(name: str) -> None:
    assert made(BLANK._replace(value="2025550143", ref=name)).ref == name


def test_a_reference_is_short_and_printable() -> None:
    assert refusal(BLANK._replace(value="2025550143", ref="a\x1b[0m")) == (Reason.CONTROL_CHARACTERS, "ref")
    assert refusal(BLANK._replace(value="2025550143", subject="a" * 257)) == (Reason.TOO_LONG, "subject")


RAW = [
    (Kind.PHONE, "(202) 555-01", "43"),
    (Kind.PHONE, "+44 (0)20 7946 0", "123"),
    (Kind.DOMAIN, "www.exam", "ple.com"),
    (Kind.URL, "http://exam", "ple.com/a/?q=1"),
    (Kind.EMAIL, "us\u00e9r@exam", "ple.org"),
    (Kind.IBAN, "DE89 3704 0044 05", "32 0130 00"),
    (Kind.WALLET, "0xD0cC2B24980CBCCA47EF755Da88B", "220a82291407"),
    (Kind.NATIONAL_ID, "CN:11010519491231", "002X"),
    (None, "https://exam", "ple.net/x"),
]


@pytest.mark.parametrize(("kind", "head", "tail"), RAW)
def test_the_raw_value_dies(kind: Kind | None, head: str, tail: str) -> None:
    raw = f"{head}{tail}"  # an object of its own, known to nobody else
    row = BLANK._replace(value=raw, ref="case-1", fraud_role="suspect")
    made(row, kind)
    del row
    gc.collect()
    assert sys.getrefcount(raw) == 2, "something still refers to the raw value"


def test_reprs_are_silent() -> None:
    row = BLANK._replace(value="2025550143", ref="secret-ref", subject="secret-subject")
    assert "555" not in repr(row)
    assert "secret" not in repr(row)
    assert "secret" not in repr(made(row))
