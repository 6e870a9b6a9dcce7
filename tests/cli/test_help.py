"""The help of every command of the three programs, word for word. After a change: `python tests/cli/test_help.py` writes it anew."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from coordinator.cli import app as coordinator
from nodes.cli import app as node
from trisect.cli.main import run
from trisect.cli.tree import command as trisect

PROGRAMS = {
    "trisect": trisect,
    "trisect-node": get_command(node),
    "trisect-coordinator": get_command(coordinator),
}
GOLDEN = Path(__file__).parent / "golden"
TERMINAL = {"COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"}


def paths() -> Iterator[tuple[str, ...]]:
    """Every command and group of the three programs, as the words that call it."""
    waiting: list[tuple[tuple[str, ...], Any]] = [
        ((program,), command) for program, command in PROGRAMS.items()
    ]
    while waiting:
        words, command = waiting.pop()
        yield words
        waiting += [((*words, name), child) for name, child in getattr(command, "commands", {}).items()]


def help_of(words: tuple[str, ...]) -> str:
    program, *rest = words
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        if program == "trisect":
            code = run([*rest, "--help"])
        else:
            code = PROGRAMS[program].main([*rest, "--help"], prog_name=program, standalone_mode=False)
    assert code == 0
    return out.getvalue()


def file_of(words: tuple[str, ...]) -> Path:
    return GOLDEN / f"{'-'.join(words)}.txt"


def test_help_is_what_was_agreed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in TERMINAL.items():
        monkeypatch.setenv(name, value)
    found = {file_of(words).name: help_of(words) for words in paths()}
    kept = {path.name: path.read_text() for path in GOLDEN.glob("*.txt")}
    assert found == kept, "if the change is wanted: python tests/cli/test_help.py"


def test_help_is_within_its_width() -> None:
    assert all(len(line) <= 100 for path in GOLDEN.glob("*.txt") for line in path.read_text().splitlines())


def main() -> None:
    os.environ.update(TERMINAL)
    GOLDEN.mkdir(exist_ok=True)
    for path in GOLDEN.glob("*.txt"):
        path.unlink()
    for words in paths():
        file_of(words).write_text(help_of(words))


if __name__ == "__main__":
    main()
