"""The files in which raw values may appear are the ones that docs/privacy-walk.md lists."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3]
PACKAGES = ("trisect", "nodes", "coordinator")
GENERATED = ROOT / "trisect/wire/v1"
CARRIERS = {
    # types that hold a raw value or a canonical form
    "RawRow",
    "RawBatch",
    "Batch",
    "ChangeEntryRequest",
    "RawValue",
    "TextLines",
    "Indicator",
    # functions that take or give one
    "read_batches",
    "open_reading",
    "batch_to_wire",
    "batch_from_wire",
    "clean_cell",
    "canonical",
    "detect",
    "refang",
    "to_entry",
}


def listed() -> list[str]:
    text = (ROOT / "docs/privacy-walk.md").read_text()
    section = text.partition("## Where raw values may appear\n")[2].partition("\n## ")[0]
    return re.findall(r"^- `([^`]+)`$", section, re.MULTILINE)


def names(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name):
                yield name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.alias(name=name):
                yield name.rpartition(".")[2]
            case _:
                continue


def carriers() -> Iterator[str]:
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            if not path.is_relative_to(GENERATED) and CARRIERS.intersection(names(path.read_text())):
                yield str(path.relative_to(ROOT))


def covers(entry: str, path: str) -> bool:
    return path == entry or (entry.endswith("/") and path.startswith(entry))


def test_the_list_is_there_and_its_files_exist() -> None:
    assert len(listed()) > 5
    for entry in listed():
        path = ROOT / entry
        assert path.is_dir() if entry.endswith("/") else path.is_file(), entry


def test_no_other_file_touches_raw_values() -> None:
    stray = [path for path in carriers() if not any(covers(entry, path) for entry in listed())]
    assert not stray, "list them in docs/privacy-walk.md, or better, keep raw values out of them"


def test_no_file_is_listed_without_need() -> None:
    found = list(carriers())
    needless = [entry for entry in listed() if not any(covers(entry, path) for path in found)]
    assert not needless


def test_the_parts_that_never_see_a_raw_value() -> None:
    never = (
        "coordinator/",
        "trisect/store/",
        "trisect/psi/",
        "trisect/trust/",
        "trisect/rules/",
        "nodes/exchanges/",
    )
    assert not [path for path in carriers() if path.startswith(never)]


def test_every_carrier_exists_somewhere() -> None:
    """A renamed type must not slip off the watch list unnoticed."""
    known = set().union(
        *(names(path.read_text()) for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    )
    assert known >= CARRIERS
