"""Rich on stdout for people: aligned, plain, and deaf to control characters in what others wrote."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from trisect.rpc.words import printable

PIPE_WIDTH = 160
NARROWEST = 80
"""A terminal that is narrower breaks the lines of a table itself, rather than that columns are lost."""
_NOTHING = "-"

Row = Mapping[str, Any]
Cell = str | Callable[[Row], object]
"""The name of a row's field, or what makes the cell of a row."""


def console() -> Console:
    """Open stdout; a pipe is wide, so that no id is folded in it."""
    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else PIPE_WIDTH
    return Console(file=sys.stdout, markup=False, emoji=False, highlight=False, width=width)


def plain(value: object) -> str:
    """Write a value for people; characters that could steer a terminal become `?`."""
    match value:
        case None | "":
            return _NOTHING
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:,.1f}"
        case list() | tuple():
            return ", ".join(map(plain, value)) or _NOTHING
    return printable(str(value))


def listing(
    columns: Mapping[str, Cell], rows: Iterable[Row], *, empty: str, whole: Collection[str] = ()
) -> None:
    """Print described things, one a line: each heading with its cell; the rest as in `table`."""
    lines = [[row[cell] if isinstance(cell, str) else cell(row) for cell in columns.values()] for row in rows]
    table(list(columns), lines, empty=empty, whole=whole)


def table(
    headings: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    empty: str,
    whole: Collection[str] = (),
) -> None:
    """Print a table, or a sentence where there are no rows.

    Args:
        headings: of the columns.
        rows: their cells.
        empty: the sentence.
        whole: headings of the columns that are copied or read aloud; the others fold where it is too wide.
    """
    lines = [[Text(plain(cell)) for cell in row] for row in rows]
    if not lines:
        say(empty)
        return
    found = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        found.add_column(heading, overflow="fold", no_wrap=heading in whole)
    for line in lines:
        found.add_row(*line)
    _show(found)


def facts(pairs: Mapping[str, object]) -> None:
    """Print names and values, one pair a line."""
    found = Table(box=None, pad_edge=False, show_header=False)
    found.add_column(style="bold", no_wrap=True)
    found.add_column(overflow="fold")
    for name, value in pairs.items():
        found.add_row(printable(name), Text(plain(value)))
    _show(found)


def _show(found: Table) -> None:
    """Print a table; a pipe gets it without the blanks that fill its last column."""
    out = console()
    out.width = max(out.width, NARROWEST)
    if out.is_terminal:
        out.print(found)
        return
    with out.capture() as kept:
        out.print(found)
    sys.stdout.write("".join(f"{line.rstrip()}\n" for line in kept.get().splitlines()))


def say(text: str) -> None:
    """Print a sentence; newlines at its ends part it from others, and within it they become `?`."""
    inner = text.strip("\n")
    before, _, after = text.partition(inner) if inner else ("", "", text)
    console().print(Text(f"{before}{printable(inner)}{after}"))


def count(number: int, one: str, many: str = "") -> str:
    """Write a number with its noun."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def size(number: float) -> str:
    """Write a number of bytes."""
    for unit in ("B", "KiB", "MiB"):
        if number < 1024:  # noqa: PLR2004
            return f"{number:,.0f} {unit}" if unit == "B" else f"{number:,.1f} {unit}"
        number /= 1024
    return f"{number:,.1f} GiB"
