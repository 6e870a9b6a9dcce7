"""Rows a second from a CSV file to committed SQLite rows, through command and node, as an administrator sees it."""

from __future__ import annotations

import random
import tempfile
import time
from pathlib import Path

from bench.parties import parties, trisect

ROWS = 300_000


def phones(count: int) -> list[str]:
    """Make American numbers up, in the spellings of complaint lists; every one is valid."""
    dice = random.Random(1)
    spellings = ("({}) {}-{}", "{}-{}-{}", "+1 {} {} {}", "1{}{}{}", "{}{}{}", "{}.{}.{}")
    areas = ("212", "305", "415", "617", "702", "818", "916")
    made: set[tuple[str, str, str]] = set()
    while len(made) < count:
        made.add((dice.choice(areas), f"{dice.randrange(200, 999)}", f"{dice.randrange(10_000):04}"))
    return [dice.choice(spellings).format(*number) for number in sorted(made) if number[1][1:] != "11"]


def domains(count: int) -> list[str]:
    """Make host names up."""
    return [f"login-{number}.secure-{number % 977}.example.com" for number in range(count)]


def main() -> None:
    """Measure both kinds."""
    with parties() as folder, tempfile.TemporaryDirectory() as scratch:
        warm = Path(scratch) / "warm.csv"
        warm.write_text("domain\n" + "\n".join(domains(5_000)) + "\n")
        trisect(folder / "telco", "import", warm, "--collection", "warm")
        for kind, values in (("phone", phones(ROWS)), ("domain", domains(ROWS))):
            path = Path(scratch) / f"{kind}.csv"
            path.write_text(
                f"{kind},ref\n" + "".join(f'"{value}",case-{at}\n' for at, value in enumerate(values))
            )
            started = time.perf_counter()
            data = trisect(folder / "telco", "import", path, "--collection", kind, "--region", "US")
            seconds = time.perf_counter() - started
            print(
                f"{kind:8} {data['rows']:>9,} rows, {data['rejected']:,} rejected: "
                f"{seconds:6.2f} s, {data['rows'] / seconds:>9,.0f} rows/s"
            )
