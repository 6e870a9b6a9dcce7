"""What the global options of one run add up to."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

HOME_VARIABLE = "TRISECT_HOME"


class Format(enum.StrEnum):
    """How results are printed."""

    TEXT = "text"
    JSON = "json"
    JSONL = "jsonl"


@dataclass(slots=True)
class Settings:
    """The global options; each level of the command line that is given one overrides the levels before it."""

    home: Path | None = None
    output: Format = Format.TEXT
    yes: bool = False
    quiet: bool = False
    no_input: bool = False

    def merge(
        self, *, home: Path | None, output: Format | None, yes: bool, quiet: bool, no_input: bool
    ) -> None:
        """Take over what one level was given."""
        self.home = home or self.home
        self.output = output or self.output
        self.yes = self.yes or yes
        self.quiet = self.quiet or quiet
        self.no_input = self.no_input or no_input


def format_of(arguments: Sequence[str]) -> Format:
    """Tell the format that a command line asks for, also where it cannot be parsed; the last wins."""
    found = Format.TEXT
    for position, argument in enumerate(arguments):
        if argument == "--":
            break
        name, equals, value = argument.partition("=")
        if name != "--format":
            continue
        wanted = value if equals else "".join(arguments[position + 1 : position + 2])
        if wanted in set(Format):
            found = Format(wanted)
    return found
