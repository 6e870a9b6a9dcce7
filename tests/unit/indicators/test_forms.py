"""Rules of single kinds that the vectors do not reach: spellings that meet, and refusals with their reasons."""

from __future__ import annotations

from typing import Any

import pytest

from trisect.errors import BadInputError, Fault
from trisect.indicators.forms import TEXTS, Profile, Reason, RejectedError, canonical
from trisect.indicators.kinds import Kind

MEETING: list[tuple[Kind, dict[str, Any], str, list[str]]] = [
    (Kind.PHONE, {"region": "US", "allow_reserved": True}, "+12025550143;ext=5",
     ["(202) 555-0143 ext. 5", "202.555.0143x5", "tel:+1-202-555-0143;ext=5", "+1 202 555 0143 #5", "2025550143 转5"]),
    (Kind.PHONE, {"region": "EG"}, "+201001234567", ["٠١٠٠١٢٣٤٥٦٧", "010 0123 4567"]),
    (Kind.PHONE, {"region": "MX"}, "+522221234567", ["222 123 4567", "+52 222 123 4567", "+52 1 222 123 4567"]),
    (Kind.PHONE, {"plus_optional": True, "allow_reserved": True}, "+442079460123", ["442079460123", "+442079460123"]),
    (Kind.PHONE, {"region": "US", "trust_plus": True}, "+6620162300", ["+6620162300", "011 66 2016 2300"]),
    (Kind.SHORTCODE, {"region": "CN"}, "CN:1069012345678", ["1069012345678", "cn:1069 0123 45678"]),
    (Kind.SMS_SENDER, {}, "my bank", ["MY BANK", "ＭＹ Bank"]),
    (Kind.IMEI, {}, "49015420323751", ["49 015420 323751", "490154203237518", "4901542032375186"]),
    (Kind.BANK_ACCOUNT, {"region": "GB"}, "GB:200000:55779911", ["20-00-00:55779911", "gb:200000:5577 9911"]),
    (Kind.WALLET, {}, "ltc:M7zVKQKmtV5Rc7erVGVVC3khZbXxsS5HEX", ["ltc:31nM1WuowNDzocNxPPW9NQWJEtwWpjfcLj"]),
    (Kind.WALLET, {}, "eip155:0xd0cc2b24980cbcca47ef755da88b220a82291407",
     ["ethereum:0xD0cC2B24980CBCCA47EF755Da88B220a82291407?value=1", "eip155:1:0xd0cc2b24980cbcca47ef755da88b220a82291407",
      "D0CC2B24980CBCCA47EF755DA88B220A82291407"]),
    (Kind.WALLET, {}, "bch:qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a",
     ["qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a", "BITCOINCASH:QPM2QSZNHKS23Z7629MMS6S4CWEF74VCWVY22GDX6A",
      "bch:bitcoincash:qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a"]),
    (Kind.NATIONAL_ID, {"region": "CN", "upgrade_legacy": True}, "CN:11010519491231002X",
     ["110105491231002", "11010519491231002x", "CN: 110105 1949 1231 002X"]),
    (Kind.PASSPORT, {"region": "GB"}, "GB:925076473", ["925076473", "gb: 9250 76473"]),
    (Kind.DEVICE, {}, "idfa:AbC-9", ["IDFA:AbC-9", "idfa : AbC-9"]),
    (Kind.APP_CERTIFICATE, {}, "ab" * 31 + "cd", ["AB:" * 31 + "CD", "SHA-256: " + "ab" * 31 + "cd"]),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "options", "value", "spellings"), MEETING, ids=range(len(MEETING)))
def test_spellings_meet(kind: Kind, options: dict[str, Any], value: str, spellings: list[str]) -> None:
    profile = Profile(**options)
    assert {canonical(kind, spelling, profile).value for spelling in [value, *spellings]} == {value}


REFUSED: list[tuple[Kind, dict[str, Any], str, Reason]] = [
    (Kind.PHONE, {}, "2025550143", Reason.NEEDS_REGION),
    (Kind.PHONE, {"region": "US"}, "__________", Reason.MASKED),
    (Kind.PHONE, {"region": "US"}, "(202) ***-0143", Reason.MASKED),
    (Kind.PHONE, {"region": "US"}, "202555014x", Reason.MASKED),
    (Kind.PHONE, {"region": "DE"}, "030 123456x5", Reason.MASKED),
    (Kind.PHONE, {"region": "US"}, "800-UNKNOWN", Reason.LETTERS),
    (Kind.PHONE, {"region": "US"}, "800-NNNNNNN", Reason.MASKED),
    (Kind.PHONE, {"region": "US"}, "800-AAAAAAA", Reason.LETTERS),
    (Kind.PHONE, {"region": "US"}, "800-FLOwers", Reason.LETTERS),
    (Kind.PHONE, {"region": "US"}, "*67 202 555 0143", Reason.FEATURE_CODE),
    (Kind.PHONE, {"region": "US"}, "0000000000", Reason.NULL_IDENTIFIER),
    (Kind.PHONE, {"region": "US"}, "202 555 0143 / 202 555 0144", Reason.INVALID),
    (Kind.PHONE, {"region": "US"}, "202 555 0143, 202 555 0144", Reason.INVALID),
    (Kind.PHONE, {"region": "US"}, "(202) 555-0143", Reason.RESERVED),
    (Kind.PHONE, {"region": "US"}, "+6620162300", Reason.AMBIGUOUS),
    (Kind.PHONE, {"region": "US"}, "011 66 2016 2300", Reason.AMBIGUOUS),
    (Kind.PHONE, {"region": "CN", "plus_optional": True}, "13123456789", Reason.AMBIGUOUS),
    (Kind.PHONE, {}, "+1202\x00555", Reason.CONTROL_CHARACTERS),
    (Kind.PHONE, {}, "+1202\ud800", Reason.NOT_UNICODE),
    (Kind.PHONE, {}, "+1 202" + " " * 300, Reason.TOO_LONG),
    (Kind.PHONE, {}, "\u200b\u200b", Reason.EMPTY),
    (Kind.SHORTCODE, {}, "95588", Reason.NEEDS_REGION),
    (Kind.SHORTCODE, {}, "ZZ:95588", Reason.UNSUPPORTED_COUNTRY),
    (Kind.SHORTCODE, {"region": "US"}, "1069012345678", Reason.INVALID),
    (Kind.SMS_SENDER, {}, "95588", Reason.WRONG_KIND),
    (Kind.SMS_SENDER, {}, "TWELVELETTER", Reason.TOO_LONG),
    (Kind.IMEI, {}, "11111111111111", Reason.NULL_IDENTIFIER),
    (Kind.IMEI, {}, "35-xxxxxx-323751", Reason.MASKED),
    (Kind.IMSI, {}, "46000123456789", Reason.INVALID),
    (Kind.IMSI, {}, "899990123456789", Reason.INVALID),
    (Kind.IMSI, {}, "999990123456789", Reason.PRIVATE),
    (Kind.IMSI, {}, "001010123456789", Reason.RESERVED),
    (Kind.IBAN, {}, "DE00370400440532013000", Reason.CHECKSUM),
    (Kind.IBAN, {}, "DE89 3704 0044 **** **** 00", Reason.MASKED),
    (Kind.PAYMENT_CARD, {}, "4111 1111 1111 1112", Reason.CHECKSUM),
    (Kind.PAYMENT_CARD, {}, "4111 1111 1111 1111 CVV 123", Reason.CARD_EXTRAS),
    (Kind.PAYMENT_CARD, {}, "4111 1111 1111 1111 123", Reason.CARD_EXTRAS),
    (Kind.PAYMENT_CARD, {}, "4111 1111 1111 1111 12/28", Reason.CARD_EXTRAS),
    (Kind.PAYMENT_CARD, {}, "5500 0055 5555 5559 1234", Reason.CARD_EXTRAS),
    (Kind.PAYMENT_CARD, {}, "4111 11XX XXXX 1111", Reason.MASKED),
    (Kind.PAYMENT_CARD, {}, "0000 0000 0000 0000", Reason.NULL_IDENTIFIER),
    (Kind.PAYMENT_HANDLE, {}, "user@example.org", Reason.WRONG_KIND),
    (Kind.PAYMENT_HANDLE, {}, "upi://pay?pa=a1@okaxis&pa=b2@okaxis", Reason.AMBIGUOUS),
    (Kind.PAYMENT_HANDLE, {}, "https://example.com", Reason.INVALID),
    (Kind.WALLET, {}, "0x" + "0" * 40, Reason.NULL_IDENTIFIER),
    (Kind.WALLET, {}, "1BpEi6DfDAUFd7GtittLSdBeYJvcoaVggv", Reason.CHECKSUM),
    (Kind.WALLET, {}, "bch:1BpEi6DfDAUFd7GtittLSdBeYJvcoaVggu", Reason.INVALID),
    (Kind.WALLET, {}, "bc1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", Reason.CHECKSUM),
    (Kind.WALLET, {}, "nochain:abc", Reason.INVALID),
    (Kind.NATIONAL_ID, {"region": "CN"}, "110105491231002", Reason.LEGACY_FORM),
    (Kind.NATIONAL_ID, {"region": "CN"}, "110105194912310029", Reason.CHECKSUM),
    (Kind.NATIONAL_ID, {"region": "AF"}, "12345", Reason.UNSUPPORTED_COUNTRY),
    (Kind.PASSPORT, {"region": "GB"}, "ABCDEFGH", Reason.INVALID),
    (Kind.SOCIAL_ACCOUNT, {}, "telegram:@name", Reason.CHANGING_NAME),
    (Kind.SOCIAL_ACCOUNT, {}, "https://x.com/a", Reason.INVALID),
    (Kind.DEVICE, {}, "idfa:00000000-0000-0000-0000-000000000000", Reason.NULL_IDENTIFIER),
    (Kind.MERCHANT, {}, "unionpay", Reason.INVALID),
    (Kind.FILE_SHA256, {}, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", Reason.NULL_IDENTIFIER),
    (Kind.FILE_SHA256, {}, "d41d8cd98f00b204e9800998ecf8427e", Reason.INVALID),
    (Kind.APP, {}, "wallet", Reason.INVALID),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "options", "raw", "reason"), REFUSED, ids=range(len(REFUSED)))
def test_refusals(kind: Kind, options: dict[str, Any], raw: str, reason: Reason) -> None:
    with pytest.raises(RejectedError) as caught:
        canonical(kind, raw, Profile(**options))
    assert caught.value.reason is reason
    assert caught.value.fault is Fault.BAD_INPUT
    assert raw not in f"{caught.value} {caught.value.hint}"


def test_every_reason_has_one_sentence_with_its_cure() -> None:
    assert set(TEXTS) == set(Reason)
    assert all(text and text[0].islower() and not text.endswith(".") for text in TEXTS.values())


def test_a_profile_names_a_real_country() -> None:
    for region in ("us", "ZZ", "USA", ""):
        with pytest.raises(BadInputError):
            Profile(region=region)
