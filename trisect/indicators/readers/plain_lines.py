"""Plain lines: one value a line; lines that begin with `#`, and blank ones, are no rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from trisect.errors import BadInputError
from trisect.indicators.readers.batch import Batch, Unreadable, split
from trisect.indicators.readers.csv_table import cell_fault
from trisect.indicators.readers.encoding import TextLines
from trisect.indicators.readers.headers import check_fields


def read_lines(lines: TextLines, *, name: str, mapping: Mapping[str, str], size: int) -> Iterator[Batch]:
    """Batches with no column but the value and its default ref.

    Raises:
        BadInputError: the mapping asks for a second column.
    """
    check_fields(mapping)
    if any(item != ("value", "1") for item in mapping.items()):
        raise BadInputError(
            "plain lines have one column, which holds the value, so there is nothing to map",
            hint="leave --map out, or read the file with --reader csv",
        )
    first = 1
    for block in lines.blocks():
        numbered = [
            (number, line.rstrip("\r\n"))
            for number, line in enumerate(block.lines, start=first)
            if not line.isspace() and not line.lstrip().startswith("#")
        ]
        first += len(block.lines)
        faults = {number: cell_fault(line) for number, line in numbered}
        unreadable = [Unreadable(str(number), fault) for number, fault in faults.items() if fault is not None]
        kept = [(number, line) for number, line in numbered if faults[number] is None]
        where = [str(number) for number, _ in kept]
        columns = {"value": [line for _, line in kept], "ref": [f"{name}:{number}" for number in where]}
        yield from split(columns, where, unreadable, size)
