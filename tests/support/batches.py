"""Values as the batches of an import."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from trisect.indicators.readers.batch import Batch


def cut(values: Sequence[str], size: int = 4096) -> Iterable[Batch]:
    """Cut values into batches, with refs r-0, r-1, ..."""
    for start in range(0, len(values), size):
        part = list(values[start : start + size])
        numbers = range(start, start + len(part))
        yield Batch(
            {"value": part, "ref": [f"r-{number}" for number in numbers]},
            [str(number + 1) for number in numbers],
        )
