"""The page about the paper has every row of its checklist, and each test that it names exists."""

from __future__ import annotations

import re

import pytest
from unit.docs.pages import ROOT

ROWS = [
    [cell.strip() for cell in line.strip("|\n").split("|")]
    for line in (ROOT / "docs/paper.md").read_text(encoding="utf-8").splitlines()
    if re.match(r"\| \d+ \|", line)
]
TESTS = sorted({found for row in ROWS for found in re.findall(r"`(tests/\S+::\w+)`", row[4])})


def test_every_mechanism_has_its_row() -> None:
    assert [int(row[0]) for row in ROWS] == list(range(1, 33))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_row_names_a_test_or_says_that_it_comes(row: list[str]) -> None:
    assert "::" in row[4] or "**comes**" in row[4]


@pytest.mark.parametrize("test", TESTS)
def test_a_test_that_is_named_exists(test: str) -> None:
    path, _, name = test.partition("::")
    assert re.search(rf"^(?:async )?def {name}\(", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)
