"""The manual as tests read it: its pages, their links, their blocks of code and the command lines in them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[3]
PROGRAMS = ("trisect", "trisect-node", "trisect-coordinator")
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`([^`\n]+)`")
_BEFORE = re.compile(
    r"^(?:sudo -u \w+ |docker compose (?:exec|run)(?: -\S+)* \w+ |[a-z_]+=\S+ |grep -o \S+ \S+ \| )+"
)


@dataclass(frozen=True, slots=True)
class Line:
    """One command line of the manual."""

    page: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}: {self.text}"

    @property
    def words(self) -> list[str]:
        """The program and its arguments, without what only the shell sees."""
        words = shlex.split(self.text, comments=True)
        for mark in ("<", ">", "|", "&&", "&"):
            if mark in words:
                del words[words.index(mark) :]
        words[0] = words[0].removeprefix("/opt/trisect/bin/")
        return words


@cache
def pages() -> tuple[Path, ...]:
    found = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "deploy").rglob("*.md")]
    return tuple(sorted(found))


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def prose(text: str) -> str:
    """A page without its blocks of code."""
    return _BLOCK.sub("", text)


def blocks(text: str, language: str | None = None) -> Iterator[str]:
    for found, body in _BLOCK.findall(text):
        if language is None or found == language:
            yield body


def inline(text: str) -> Iterator[str]:
    yield from _INLINE.findall(prose(text))


def examples() -> Iterator[Line]:
    """Command lines in blocks of code."""
    for page in pages():
        for block in blocks(page.read_text()):
            for line in block.replace("\\\n", " ").splitlines():
                text = _BEFORE.sub("", line.strip())
                if text.partition(" ")[0].removeprefix("/opt/trisect/bin/") in PROGRAMS:
                    yield Line(name(page), text)


def mentions() -> Iterator[Line]:
    """Commands that the prose names: `trisect party admit --fingerprint`."""
    for page in pages():
        for code in inline(page.read_text()):
            words = code.split()
            if words[0] in PROGRAMS and len(words) > 1:
                yield Line(name(page), code)
