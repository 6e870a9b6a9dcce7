"""What an analyst expects of a bare value, and where guessing would be wrong."""

from __future__ import annotations

import pytest

from trisect.indicators.detect import detect
from trisect.indicators.forms import Profile, Reason, RejectedError, canonical
from trisect.indicators.kinds import Kind

DEMO = Profile(allow_reserved=True)


@pytest.mark.parametrize(
    ("raw", "kind", "value"),
    [
        ("https://example.com/a?b=1", Kind.URL, "https://example.com/a?b=1"),
        ("hxxps://example[.]com/a", Kind.URL, "https://example.com/a"),
        ("example.com/login", Kind.URL, "http://example.com/login"),
        ("www.example.com", Kind.DOMAIN, "www.example.com"),
        ("食狮.中国", Kind.DOMAIN, "xn--85x722f.xn--fiqs8s"),
        ("example[.]com", Kind.DOMAIN, "example.com"),
        ("1.2.3.4", Kind.IP, "1.2.3.4"),
        ("2001:db8::1", Kind.IP, "2001:db8::1"),
        ("+1 202 555 0143", Kind.PHONE, "+12025550143"),
        ("+1 202-555-0143 ext 7", Kind.PHONE, "+12025550143;ext=7"),
        ("DE89 3704 0044 0532 0130 00", Kind.IBAN, "DE89370400440532013000"),
        ("0xD0cC2B24980CBCCA47EF755Da88B220a82291407", Kind.WALLET, "eip155:0xd0cc2b24980cbcca47ef755da88b220a82291407"),
        ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", Kind.WALLET, "bip122:bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"),
        ("user@example.org", Kind.EMAIL, "user@example.org"),
        ("user[at]example[.]org", Kind.EMAIL, "user@example.org"),
        ("fraudster@okaxis", Kind.PAYMENT_HANDLE, "fraudster@okaxis"),
        ("upi://pay?pa=fraudster@okaxis&am=1", Kind.PAYMENT_HANDLE, "fraudster@okaxis"),
        ("4111 1111 1111 1111", Kind.PAYMENT_CARD, "4111111111111111"),
    ],
)  # fmt: skip
def test_one_kind_fits(raw: str, kind: Kind, value: str) -> None:
    found = detect(raw, DEMO)
    assert (found.kind, found.value) == (kind, value)
    assert canonical(kind, raw, DEMO) == found


@pytest.mark.parametrize(
    ("raw", "region", "reason"),
    [
        ("ab" * 32, None, Reason.AMBIGUOUS),
        ("D0cC2B24980CBCCA47EF755Da88B220a82291407", None, Reason.AMBIGUOUS),
        ("490154203237518", None, Reason.AMBIGUOUS),
        ("2025550143", None, Reason.UNRECOGNISED),
        ("com.example.wallet", None, Reason.UNRECOGNISED),
        ("hello", None, Reason.UNRECOGNISED),
        ("co.uk", None, Reason.PUBLIC_SUFFIX),
        ("10.0.0.1", None, Reason.PRIVATE),
        ("01.02.03.04", None, Reason.AMBIGUOUS),
        ("DE89370400440532013001", None, Reason.CHECKSUM),
        ("1a1zp1ep5qgefi2dmptftl5slmv7divfna", None, Reason.INVALID),
        ("", None, Reason.EMPTY),
    ],
)
def test_a_guess_is_refused(raw: str, region: str | None, reason: Reason) -> None:
    with pytest.raises(RejectedError) as caught:
        detect(raw, Profile(region=region, allow_reserved=True))
    assert caught.value.reason is reason


def test_a_region_makes_national_numbers_and_short_codes_phones() -> None:
    assert detect("(202) 555-0143", Profile(region="US", allow_reserved=True)).value == "+12025550143"
    assert detect("95588", Profile(region="CN")).kind is Kind.SHORTCODE
    assert detect("11010519491231002X", Profile(region="CN")).kind is Kind.NATIONAL_ID
