"""Published lists, where this machine holds them, else made-up ones: refused or idempotent, never a crash.

The lists are real: people whose lines were spoofed may stand behind them. A failure shows counts, no value.
"""

from __future__ import annotations

import csv
import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import pytest

from trisect.indicators.forms import Profile, RejectedError, canonical
from trisect.indicators.kinds import Kind

LISTS = Path(__file__).parents[4] / "shared" / "data"


def calls() -> Iterable[str]:
    for path in sorted((LISTS / "ftc_dnc").glob("*.json")):
        yield from json.loads(path.read_text(encoding="utf-8"))


def infoblox(wanted: str) -> Iterable[str]:
    for path in sorted((LISTS / "infoblox").glob("*.csv")):
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from (row["indicator"] for row in csv.DictReader(file) if row["type"] == wanted)


def phishing_hosts() -> Iterable[str]:
    yield from json.loads((LISTS / "polkadot_phishing" / "all.json").read_text(encoding="utf-8"))["deny"]


def phishing_wallets() -> Iterable[str]:
    lists = json.loads((LISTS / "polkadot_phishing" / "address.json").read_text(encoding="utf-8"))
    return [wallet for wallets in lists.values() for wallet in wallets]


def sanctioned_wallets() -> Iterable[str]:
    for chain in ("DASH", "LTC", "XBT", "XMR", "ZEC"):
        yield from (LISTS / "ofac" / f"{chain}.txt").read_text(encoding="ascii").split()


def invented_hosts() -> Iterable[str]:
    return [f"www.{hashlib.sha256(str(n).encode()).hexdigest()[:12]}.example{n}.com" for n in range(300)]


def invented_calls() -> Iterable[str]:
    return [f"({area}) 3{n:02d}-{n:04d}" for area in (202, 415, 833) for n in range(100)]


def invented_wallets() -> Iterable[str]:
    return ["0x" + hashlib.sha256(str(n).encode()).hexdigest()[:40] for n in range(300)]


class Case(NamedTuple):
    """One list, the share of it that must be accepted, and what stands in for it elsewhere."""

    name: str
    kind: Kind
    region: str | None
    floor: float
    real: Callable[[], Iterable[str]]
    invented: Callable[[], Iterable[str]]


CASES = [
    Case("complaints about calls", Kind.PHONE, "US", 0.985, calls, invented_calls),
    Case("hosts of one vendor", Kind.DOMAIN, None, 0.995, lambda: infoblox("domain"), invented_hosts),
    Case("URLs of one vendor", Kind.URL, None, 0.995, lambda: infoblox("url"), invented_hosts),
    Case("phishing hosts", Kind.DOMAIN, None, 0.995, phishing_hosts, invented_hosts),
    Case("phishing wallets", Kind.WALLET, None, 0.99, phishing_wallets, invented_wallets),
    Case("sanctioned wallets", Kind.WALLET, None, 0.99, sanctioned_wallets, invented_wallets),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_list_is_accepted_or_refused_with_reasons(case: Case) -> None:
    kind, name = case.kind, case.name
    values = list(case.real() if LISTS.is_dir() else case.invented())
    profile = Profile(region=case.region)
    outcome: Counter[str] = Counter()
    begun = time.perf_counter()
    for value in values:
        try:
            once = canonical(kind, value, profile)
        except RejectedError as refusal:
            outcome[refusal.reason.value] += 1
            continue
        except Exception as crash:  # noqa: BLE001 the message of another error might hold the value
            outcome[f"crash {type(crash).__name__}"] += 1
            continue
        outcome["accepted"] += 1
        if canonical(once.kind, once.value, profile) != once:
            outcome["unstable"] += 1
    print(f"{name}: {dict(outcome)} in {time.perf_counter() - begun:.1f} s")  # noqa: T201 counts only
    assert len(values) > 20, name
    assert not [what for what in outcome if what == "unstable" or what.startswith("crash")], dict(outcome)
    assert outcome["accepted"] >= case.floor * len(values), dict(outcome)
