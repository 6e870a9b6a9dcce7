"""Spells canonical values the way people, registers and spreadsheets do; for `make_samples` only.

Nothing of Trisect is imported: the sample's known answer must not rest on the code that it tests. Real hosts
always come out defanged.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable

from Crypto.Hash import keccak

Spell = Callable[[random.Random, str, str], str]  # (choice, canonical value, region of the list)

_NATIONAL = {"US": ("+1", 10), "GB": ("+44", 10), "FR": ("+33", 9), "AU": ("+61", 9)}
_TRUNK = {"US": "", "GB": "0", "FR": "0", "AU": "0"}
_HARD_HYPHEN = "\u2011"
_B58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_FULL_WIDTH = str.maketrans("+0123456789", "＋０１２３４５６７８９")


def phone(choice: random.Random, value: str, region: str) -> str:
    """`value` in E.164; national forms only in a list of that country."""
    code = next(code for code, _ in _NATIONAL.values() if value.startswith(code))
    rest = value.removeprefix(code)
    forms = [
        value,
        f"{code} {_grouped(rest)}",
        f"{code}-{_grouped(rest, '-')}",
        f"{code}.{_grouped(rest, '.')}",
        f"tel:{code}-{_grouped(rest, '-')}",
        f"\u202a{value}\u202c",
        value.translate(_FULL_WIDTH),
        f" {code}\u00a0{_grouped(rest)} ",
        f"{code} {_grouped(rest, _HARD_HYPHEN)}",
    ]
    if code != "+1":
        forms.append(f"{code} (0){_grouped(rest)}")
    if _NATIONAL.get(region, ("",))[0] == code:
        national = _TRUNK[region] + rest
        forms += [national, _grouped(national), _grouped(national, "-")] * 2
        if region == "US":
            forms += [f"({rest[:3]}) {rest[3:6]}-{rest[6:]}", f"1-{rest[:3]}-{rest[3:6]}-{rest[6:]}"] * 3
    elif region == "US":
        forms.append(f"011 {code[1:]} {_grouped(rest)}")
    elif region:
        forms.append(f"{'0011' if region == 'AU' else '00'} {code[1:]} {_grouped(rest)}")
    return choice.choice(forms)


def _grouped(digits: str, gap: str = " ") -> str:
    return gap.join((digits[:3], digits[3:6], digits[6:]))


def domain(choice: random.Random, value: str, _region: str) -> str:
    """Defanged; with capitals, a root dot, or in Unicode where it is punycode."""
    dot = choice.choice(("[.]", "[.]", "[.]", "(.)", "[dot]", "{.}"))
    text = choice.choice((value, value, value.upper(), value.title(), f"{value}."))
    if "xn--" in value and choice.choice((True, False)):
        text = unicode_host(value)
    return text.replace(".", dot)


def unicode_host(value: str) -> str:
    """Decode the punycode labels of a host (RFC 3492)."""
    labels = (
        label[4:].encode().decode("punycode") if label.startswith("xn--") else label
        for label in value.split(".")
    )
    return ".".join(labels)


def url(choice: random.Random, value: str, region: str) -> str:
    """`value` is `https://host/path` without port, query and fragment."""
    scheme, _, rest = value.partition("://")
    host, _, path = rest.partition("/")
    mark = scheme.replace("http", choice.choice(("hxxp", "hXXp", "HXXP")))
    separator = choice.choice(("://", "://", "[:]//"))
    port = choice.choice(("", "", {"http": ":80", "https": ":443"}[scheme]))
    host = domain(choice, host, region)
    if host.endswith(("[.]", "(.)", "[dot]", "{.}")) and port:
        port = ""
    tail = choice.choice(("", "", "#top", "/" if path else ""))
    return f"{mark}{separator}{host}{port}/{path}{tail}"


def wallet(choice: random.Random, value: str, _region: str) -> str:
    """`value` is `chain:address`; SS58 has the public key in hex."""
    chain, _, address = value.partition(":")
    forms = [address, f" {address}", f"{address} "]
    if chain == "bip122":
        forms += [f"bitcoin:{address}", f"BTC:{address}"]
        if address.startswith("bc1"):
            forms += [address.upper()] * 3
    elif chain == "eip155":
        forms = [address, checksummed(address), checksummed(address), f"eip155:1:{address}", f"eth:{address}"]
    elif chain == "ss58":
        forms = [ss58(bytes.fromhex(address), network) for network in (0, 2, 42)]
    else:
        forms.append(f"{chain}:{address}")
    return choice.choice(forms)


def checksummed(address: str) -> str:
    """The EIP-55 spelling of an Ethereum address."""
    bare = address.removeprefix("0x").lower()
    digest = keccak.new(digest_bits=256, data=bare.encode()).hexdigest()
    return "0x" + "".join(
        letter.upper() if nibble in "89abcdef" else letter
        for letter, nibble in zip(bare, digest, strict=False)
    )


def ss58(key: bytes, network: int) -> str:
    """The SS58 address of a 32-byte public key on one of the networks 0 to 63."""
    body = bytes([network]) + key
    check = hashlib.blake2b(b"SS58PRE" + body, digest_size=64).digest()[:2]
    number, text = int.from_bytes(body + check, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = _B58[digit] + text
    zeros = len(body) - len(body.lstrip(b"\0"))
    return "1" * zeros + text


def ss58_key(address: str) -> bytes | None:
    """The public key in an SS58 address, or None where it is no address of networks 0 to 63."""
    number = 0
    for letter in address:
        if letter not in _B58:
            return None
        number = number * 58 + _B58.index(letter)
    zeros = len(address) - len(address.lstrip("1"))
    data = b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")
    return data[1:33] if data and ss58(data[1:33], data[0]) == address else None


def email(choice: random.Random, value: str, _region: str) -> str:
    """The local part stays as it is; the host may not."""
    local, _, host = value.partition("@")
    forms = (
        f"{local}@{host.upper()}",
        f"{local}@{host.replace('.', '[.]')}",
        f"{local}[at]{host.replace('.', '[dot]')}",
        f"mailto:{local}@{host.title()}",
        value,
    )
    return choice.choice(forms)


def iban(choice: random.Random, value: str, _region: str) -> str:
    """In groups of four, in small letters, with a label."""
    groups = [value[start : start + 4] for start in range(0, len(value), 4)]
    forms = (
        value,
        " ".join(groups),
        "-".join(groups),
        "\u00a0".join(groups),
        value.lower(),
        f"IBAN: {' '.join(groups)}",
    )
    return choice.choice(forms)


SPELL: dict[str, Spell] = {
    "phone": phone,
    "domain": domain,
    "url": url,
    "wallet": wallet,
    "email": email,
    "iban": iban,
}
