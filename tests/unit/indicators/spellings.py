"""Hypothesis strategies for made-up values that every kind must accept, each in some awkward spelling."""

from __future__ import annotations

import base64
import binascii
import string
from collections.abc import Callable

import bip_utils as bip
import phonenumbers
from hypothesis import strategies as st

from trisect.indicators.forms.telecom import passes_luhn
from trisect.indicators.kinds import Kind

FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
DIGITS = string.digits
LETTERS = string.ascii_letters


def digits(count: int) -> st.SearchStrategy[str]:
    return st.text(DIGITS, min_size=count, max_size=count)


def with_luhn(body: str) -> str:
    return next(body + check for check in DIGITS if passes_luhn(body + check))


@st.composite
def gapped(draw: st.DrawFn, values: st.SearchStrategy[str], gaps: str = " -") -> str:
    """Put gaps between characters, perhaps in full width and with invisible marks around it."""
    value = draw(values)
    every = draw(st.integers(2, 6))
    gap = draw(st.sampled_from(["", *gaps]))
    text = gap.join(value[start : start + every] for start in range(0, len(value), every))
    if draw(st.booleans()):
        text = text.translate(FULL_WIDTH)
    return draw(st.sampled_from(["{}", " {}\n", "\u202a{}\u202c", "{}\u200b", "\ufeff{}"])).format(text)


@st.composite
def phones(draw: st.DrawFn) -> str:
    region = draw(st.sampled_from(sorted(phonenumbers.SUPPORTED_REGIONS)))
    types = [phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.MOBILE]
    example = phonenumbers.example_number_for_type(region, draw(st.sampled_from(types)))
    example = example or phonenumbers.example_number(region)
    assert example is not None
    tail = draw(digits(3))
    national = phonenumbers.national_significant_number(example)
    number = phonenumbers.parse(f"+{example.country_code}{national[:-3]}{tail}")
    if not phonenumbers.is_valid_number(number):
        number = example
    style = draw(
        st.sampled_from(
            [
                phonenumbers.PhoneNumberFormat.INTERNATIONAL,
                phonenumbers.PhoneNumberFormat.RFC3966,
                phonenumbers.PhoneNumberFormat.E164,
            ]
        )
    )
    extension = draw(st.sampled_from(["", ";ext=12", " ext. 12", " x12", "转12"]))
    text = phonenumbers.format_number(number, style) + extension
    return text.translate(FULL_WIDTH) if draw(st.booleans()) else text


def hosts() -> st.SearchStrategy[str]:
    label = st.from_regex(r"[a-z0-9_]([a-z0-9\-]{0,12}[a-z0-9])?", fullmatch=True).filter(
        lambda text: text[2:4] != "--"
    )
    wide = st.sampled_from(["食狮", "faß", "bücher", "пример", "例え", "i\u2764"])
    tops = st.sampled_from(["com", "co.uk", "中国", "test", "xyz", "com.cn", "онлайн"])
    return st.builds(
        lambda labels, top, end: ".".join([*labels, top]) + end,
        st.lists(label | wide, min_size=2, max_size=4),
        tops,
        st.sampled_from(["", "."]),
    )


@st.composite
def defanged(draw: st.DrawFn, values: st.SearchStrategy[str]) -> str:
    text = draw(values)
    dot = draw(st.sampled_from([".", "[.]", "(.)", "{.}", "[dot]", " [.] "]))
    text = text.replace(".", dot)
    return text.upper() if draw(st.booleans()) and "ß" not in text else text


def urls() -> st.SearchStrategy[str]:
    path = st.lists(st.text(LETTERS + DIGITS + "._~%@:!$&'()*+,;= -食é[]|", max_size=8), max_size=4).map(
        "/".join
    )
    return st.builds(
        "{}{}{}{}/{}{}{}".format,
        st.sampled_from(
            ["http://", "https://", "hxxps://", "hxxp[:]//", "HTTP://", "ftp://", "wss://", "", "//"]
        ),
        st.sampled_from(["", "user@", "user:secret@"]),
        st.one_of(
            hosts().map(str), defanged(hosts()), st.sampled_from(["8.8.8.8", "0x8.2056", "[2001:db8::1]"])
        ),
        st.sampled_from(["", ":80", ":443", ":8443"]),
        path,
        st.sampled_from(["", "?", "?a=1&b=/", "?q=[.]"]),
        st.sampled_from(["", "#", "#top"]),
    ).filter(lambda text: text.startswith(("h", "H", "f", "w", "//")) or "@" not in text.partition("/")[0])


def base58(*versions: bytes) -> st.SearchStrategy[str]:
    body = st.binary(min_size=20, max_size=20).filter(any)
    return st.builds(lambda v, b: str(bip.Base58Encoder.CheckEncode(v + b)), st.sampled_from(versions), body)


def keys() -> st.SearchStrategy[bytes]:
    return st.binary(min_size=32, max_size=32).filter(any)


def hashes() -> st.SearchStrategy[bytes]:
    return st.binary(min_size=20, max_size=20).filter(any)


def eip55(body: bytes) -> str:
    small = body.hex()
    nibbles = bip.Kekkak256.QuickDigest(small.encode()).hex()
    return "0x" + "".join(c.upper() if int(n, 16) > 7 else c for c, n in zip(small, nibbles, strict=False))


def xmr(version: int, size: int) -> st.SearchStrategy[str]:
    def encode(body: bytes) -> str:
        payload = bytes([version]) + body
        return str(bip.Base58XmrEncoder.Encode(payload + bip.Kekkak256.QuickDigest(payload)[:4]))

    return st.binary(min_size=size, max_size=size).map(encode)


def ton(tag: int, account: bytes) -> str:
    body = bytes([tag, 0]) + account
    return base64.urlsafe_b64encode(body + binascii.crc_hqx(body, 0).to_bytes(2, "big")).decode()


def either_case(text: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds(lambda value, up: value.upper() if up else value, text, st.booleans())


WALLETS: dict[str, st.SearchStrategy[str]] = {
    "eip155": hashes().map(eip55)
    | hashes().map(lambda b: "0x" + b.hex())
    | hashes().map(lambda b: b.hex().upper()),
    "bip122": base58(b"\x00", b"\x05")
    | either_case(hashes().map(lambda b: str(bip.SegwitBech32Encoder.Encode("bc", 0, b))))
    | either_case(keys().map(lambda b: str(bip.SegwitBech32Encoder.Encode("bc", 1, b)))),
    "bch": hashes().map(lambda b: str(bip.BchBech32Encoder.Encode("bitcoincash", b"\x00", b))),
    "ltc": base58(b"\x30", b"\x32") | base58(b"\x05").map("ltc:{}".format),
    "dash": base58(b"\x4c").map("dash:{}".format),
    "doge": base58(b"\x1e"),
    "zec": base58(b"\x1c\xb8", b"\x1c\xbd"),
    "xmr": xmr(18, 64) | xmr(42, 64) | xmr(19, 72),
    "tron": base58(b"\x41"),
    "solana": keys().map(lambda b: "sol:" + str(bip.Base58Encoder.Encode(b))),
    "ss58": st.builds(lambda b, f: str(bip.SS58Encoder.Encode(b, f)), keys(), st.sampled_from([0, 2, 42])),
    "xrpl": hashes().map(lambda b: str(bip.Base58Encoder.CheckEncode(b"\0" + b, bip.Base58Alphabets.RIPPLE))),
    "ton": st.builds(ton, st.sampled_from([0x11, 0x51]), keys())
    | keys().map(lambda b: f"ton:0:{b.hex().upper()}"),
}


def chinese_id(area: str, born: str, serial: str) -> str:
    body = area + born + serial
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return body + "10X98765432"[sum(int(d) * w for d, w in zip(body, weights, strict=True)) % 11]


def iban(country: str, account: str) -> str:
    shifted = "".join(str(int(c, 36)) for c in account + country + "00")
    return f"{country}{98 - int(shifted) % 97:02d}{account}"


def sha() -> st.SearchStrategy[str]:
    plain = st.binary(min_size=32, max_size=32).filter(lambda b: len(set(b)) > 2).map(bytes.hex)
    colons = plain.map(lambda text: ":".join(text[i : i + 2] for i in range(0, 64, 2)).upper())
    return plain | colons | plain.map("SHA256: {}".format)


def named(names: list[str], alphabet: str) -> st.SearchStrategy[str]:
    body = st.text(alphabet, min_size=1, max_size=30).map(lambda text: "a1" + text)
    return st.builds("{}{}{}".format, st.sampled_from(names), st.sampled_from([":", ": ", " :"]), body)


Make = Callable[[], st.SearchStrategy[str]]
ACCEPTED: dict[Kind, Make] = {
    Kind.PHONE: phones,
    Kind.SHORTCODE: lambda: st.builds("{}:{}".format, st.sampled_from(["CN", "us", "In"]), digits(5).map("9{}".format)),
    Kind.SMS_SENDER: lambda: st.builds(lambda a, b: (a + b)[:11], st.sampled_from(["Bank", "ＯＴＰ", "Ma-X"]), st.text(LETTERS + DIGITS + " .-&_", max_size=6)),
    Kind.IMEI: lambda: gapped(digits(12).map("35{}".format) | digits(12).map(lambda d: with_luhn("35" + d)) | digits(14).map("35{}".format), " -./"),
    Kind.IMSI: lambda: gapped(st.builds("{}{}".format, st.sampled_from(["460", "310", "234", "404", "262"]), digits(12))),
    Kind.IBAN: lambda: gapped(st.builds(iban, st.just("DE"), digits(18)) | digits(15).map(lambda d: iban("NO", f"{d[:10]}{_mod11(d[:10])}")) | digits(14).map(lambda d: iban("GB", "WEST" + d)), " -"),
    Kind.BANK_ACCOUNT: lambda: st.builds("{}:{}:{}".format, st.sampled_from(["GB", "cn", "Us"]), digits(6), digits(8).map("1 {}".format)),
    Kind.PAYMENT_CARD: lambda: gapped(digits(14).map(lambda d: with_luhn("4" + d)), " -"),
    Kind.PAYMENT_HANDLE: lambda: st.builds("{}{}@{}".format, st.sampled_from(["", "upi://pay?pa="]), st.text(LETTERS + DIGITS + "._-", max_size=20).map("F{}".format), st.sampled_from(["okaxis", "YBL", "Paytm"])) | named(["pix", "PayNow"], LETTERS + DIGITS + "-@."),
    Kind.WALLET: lambda: st.one_of(*WALLETS.values()),
    Kind.EMAIL: lambda: st.builds("{}{}{}{}".format, st.sampled_from(["", "mailto:"]), st.from_regex(r"[A-Za-z0-9!#$%&'*+=?^_`{|}~-]{1,10}(\.[A-Za-z0-9+]{1,5}){0,2}", fullmatch=True).filter(lambda t: "?" not in t), st.sampled_from(["@", "[@]", "[at]"]), hosts().filter(lambda h: "_" not in h and "\u2764" not in h)),
    Kind.URL: urls,
    Kind.DOMAIN: lambda: defanged(hosts()),
    Kind.IP: lambda: st.ip_addresses(network="8.0.0.0/7").map(str) | st.ip_addresses(network="2a00::/12").map(lambda ip: ip.exploded.upper()) | st.ip_addresses(network="8.0.0.0/7").map("::FFFF:{}".format) | st.ip_addresses(network="8.0.0.0/7").map(lambda ip: str(ip).replace(".", "[.]")),
    Kind.DEVICE: lambda: named(["IDFA", "android_id", "mac"], LETTERS + DIGITS + "-:/ é"),
    Kind.NATIONAL_ID: lambda: gapped(st.builds(chinese_id, st.sampled_from(["110105", "310101"]), st.dates().filter(lambda d: 1901 < d.year < 2020).map(lambda d: f"{d:%Y%m%d}"), digits(3))).map("cn: {}".format) | digits(8).map(lambda d: f"ES:{d}{'TRWAGMYFPDXBNJZSQVHLCKE'[int(d) % 23].lower()}").filter(lambda t: t[3:-1] != "0" * 8),
    Kind.PASSPORT: lambda: st.builds("{}:{} {}".format, st.sampled_from(["GB", "cn"]), st.sampled_from(["E", "ab"]), digits(7)),
    Kind.APP: lambda: st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,8}(\.[A-Za-z0-9_]{1,8}){1,4}", fullmatch=True),
    Kind.APP_CERTIFICATE: sha,
    Kind.APK_SHA256: sha,
    Kind.FILE_SHA256: sha,
    Kind.SOCIAL_ACCOUNT: lambda: named(["Telegram", "weibo", "x.com"], LETTERS + DIGITS + "-_.:"),
    Kind.MERCHANT: lambda: named(["Acquirer-1", "unionpay"], LETTERS + DIGITS + "._-"),
}  # fmt: skip


def _mod11(body: str) -> str:
    """Norwegian accounts end in a mod 11 digit; any digit passes a check of the IBAN alone."""
    total = sum(int(d) * w for d, w in zip(body, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2), strict=True))
    return str((11 - total % 11) % 11 % 10)
