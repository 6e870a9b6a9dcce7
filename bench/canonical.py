"""Rows per second of canonical forms and of whole rows, on made-up values.

Run: python bench/canonical.py [rows]. Prints one line per kind. The values are invented; telephone numbers are
drawn at random from the numbering plan and meet real lines only by chance, so they are never printed.
"""

from __future__ import annotations

import hashlib
import random
import sys
import time
from collections.abc import Callable

from bench import machine
from trisect.indicators.entries import RawRow, to_entry
from trisect.indicators.forms import Profile, RejectedError, canonical
from trisect.indicators.kinds import Kind
from trisect.indicators.tokens import Pepper, Tokeniser

SEED = 20261122
US = Profile(region="US")
GB = Profile(region="GB")
AREAS = ("833", "415", "202", "619", "212", "662", "800", "866", "425", "915", "306", "787")


def american(chance: random.Random) -> str:
    area, office, line = chance.choice(AREAS), chance.randint(200, 999), chance.randint(0, 9999)
    spelling = chance.choice(
        (
            "({}) {:03d}-{:04d}",
            "{}-{:03d}-{:04d}",
            "+1 {} {:03d} {:04d}",
            "{}{:03d}{:04d}",
            "1-{}-{:03d}-{:04d}",
            "+1{}{:03d}{:04d}",
        )
    )
    return spelling.format(area, office, line)


def british(chance: random.Random) -> str:
    spelling = chance.choice(
        ("07{:02d}1 {:06d}", "+44 7{:02d}1 {:06d}", "+44 (0)7{:02d}1 {:06d}", "020 7{:02d}1 {:04d}")
    )
    return spelling.format(
        chance.randint(40, 99),
        chance.randint(1000, 9999) if spelling[:3] == "020" else chance.randint(0, 999999),
    )


def word(chance: random.Random) -> str:
    return "".join(chance.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=chance.randint(6, 14)))


def host(chance: random.Random) -> str:
    return f"{word(chance)}.{word(chance)}.{chance.choice(('com', 'top', 'co.uk', 'xyz', 'com.cn'))}"


def german_iban(chance: random.Random) -> str:
    account = f"37040044{chance.randrange(10**10):010d}"
    return f"DE{98 - int(account + '131400') % 97:02d}{account}"


KINDS: dict[str, tuple[Kind, Profile, Callable[[random.Random], str]]] = {
    "phone US": (Kind.PHONE, US, american),
    "phone GB": (Kind.PHONE, GB, british),
    "domain": (Kind.DOMAIN, US, host),
    "domain defanged": (Kind.DOMAIN, US, lambda chance: host(chance).replace(".", "[.]")),
    "url": (Kind.URL, US, lambda chance: f"https://{host(chance)}/{word(chance)}?{word(chance)}=1"),
    "email": (Kind.EMAIL, US, lambda chance: f"{word(chance)}@{host(chance)}"),
    "ip": (Kind.IP, US, lambda chance: ".".join(str(chance.randint(11, 99)) for _ in range(4))),
    "iban": (Kind.IBAN, US, german_iban),
    "imei": (Kind.IMEI, US, lambda chance: f"35{chance.randrange(10**12):012d}"),
    "wallet eip155": (Kind.WALLET, US, lambda chance: f"0x{chance.randbytes(20).hex()}"),
    "file_sha256": (Kind.FILE_SHA256, US, lambda chance: hashlib.sha256(chance.randbytes(8)).hexdigest()),
}


def timed(work: Callable[[], int], rows: int) -> str:
    begun = time.perf_counter()
    accepted = work()
    return f"{rows / (time.perf_counter() - begun):10,.0f} rows/s   {accepted / rows:6.1%} accepted"


def forms(kind: Kind, profile: Profile, values: list[str]) -> int:
    accepted = 0
    for value in values:
        try:
            canonical(kind, value, profile)
        except RejectedError:
            continue
        accepted += 1
    return accepted


def entries(kind: Kind, profile: Profile, values: list[str]) -> int:
    tokeniser = Tokeniser([Pepper(bytes(32))])
    accepted = 0
    for number, value in enumerate(values):
        row = RawRow(
            str(number),
            "",
            value,
            f"case-{number}",
            "fake_loan",
            "suspect",
            "80",
            "2026-01-02",
            "",
            "phone",
            "",
            "",
        )
        try:
            to_entry(row, default_kind=kind, profile=profile, tokeniser=tokeniser)
        except RejectedError:
            continue
        accepted += 1
    return accepted


def main(rows: int) -> None:
    for name, (kind, profile, draw) in KINDS.items():
        chance = random.Random(SEED)
        values = [draw(chance) for _ in range(rows)]
        forms(kind, profile, values[:10])
        print(f"{name:24}", timed(lambda: forms(kind, profile, values), rows))  # noqa: B023
        if name in ("phone US", "domain"):
            print(f"{name + ', whole row':24}", timed(lambda: entries(kind, profile, values), rows))  # noqa: B023


if __name__ == "__main__":
    machine.tell()
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50_000)
