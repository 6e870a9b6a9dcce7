"""The shipped sample lists: which party imports what, shares it with whom, and what must be found.

The known answer is a set intersection over values that were written by hand, not over what our own
canonical forms yield; `deploy/samples/SOURCES.md` tells where the values come from.
"""

from __future__ import annotations

import csv
import json
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from trisect.errors import BadInputError
from trisect.indicators.readers.batch import Batch
from trisect.indicators.readers.opening import read_batches


@dataclass(frozen=True, slots=True)
class Import:
    """One list of one party."""

    party: str
    collection: str
    path: Path
    kind: str
    region: str
    source: str
    legal_basis: str
    retention_days: int


@dataclass(frozen=True, slots=True)
class Share:
    """With whom a list is shared."""

    party: str
    collection: str
    recipients: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """One exchange of the demonstration, and the refs of the asker's rows that must be found."""

    asker: str
    collection: str
    answerer: str
    theirs: str
    expected: frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Samples:
    """Everything that the demonstration does."""

    folder: Path
    purpose: str
    imports: tuple[Import, ...]
    shares: tuple[Share, ...]
    matches: tuple[Match, ...]

    def raw_values(self) -> Iterator[str]:
        """Give every value as its list spells it."""
        for one in self.imports:
            for batch in read(one):
                yield from batch.columns["value"]

    def canonical_values(self) -> Iterator[tuple[str, str]]:
        """Give kind and hand-written canonical value of everything on the lists."""
        for path in sorted((self.folder / "canonical").glob("*.csv")):
            with path.open(newline="", encoding="utf-8") as file:
                for row in csv.DictReader(file):
                    yield row["kind"], refanged(row["canonical"])


def load() -> Samples:
    """Read the samples that are shipped with the program, or those of the source tree."""
    folder = _folder()
    plan = tomllib.loads((folder / "demo.toml").read_text(encoding="utf-8"))
    answer = json.loads((folder / "known_answer.json").read_text(encoding="utf-8"))
    return Samples(
        folder=folder,
        purpose=plan["purpose"],
        imports=tuple(_import(folder, found) for found in plan["import"]),
        shares=tuple(
            Share(found["party"], found["collection"], tuple(found["with"])) for found in plan["share"]
        ),
        matches=tuple(_match(found) for found in answer["exchanges"]),
    )


def read(one: Import) -> Iterator[Batch]:
    """Read a list in batches."""
    with one.path.open("rb") as stream:
        yield from read_batches(stream, name=one.path.name)


def refanged(text: str) -> str:
    """Take back how the canonical values are stored."""
    return text.replace("[.]", ".").replace("hxxp", "http")


def _folder() -> Path:
    packaged = Path(str(resources.files("trisect.cli.demo"))) / "samples"
    source = Path(__file__).resolve().parents[3] / "deploy" / "samples"
    for folder in (packaged, source):
        if (folder / "demo.toml").exists():
            return folder
    raise BadInputError("the sample lists are not installed", hint="install trisect again from its wheel")


def _import(folder: Path, found: dict[str, Any]) -> Import:
    fields = {name: value for name, value in found.items() if name != "file"}
    return Import(path=folder / found["party"] / found["file"], **fields)


def _match(found: dict[str, Any]) -> Match:
    expected = frozenset((hit["kind"], hit["asker_ref"]) for hit in found["hits"])
    return Match(found["asker"], found["collection"], found["answerer"], found["with"], expected)
