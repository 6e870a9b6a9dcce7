"""Size bands: what a set's size looks like to others.

A set is padded with random dummies to 2^k x {16..31}/16 items, so at most 6.25 % are dummies and an
observer learns the size only to within a band.
"""

from __future__ import annotations

SMALLEST_BAND = 16
LARGEST_SET = 20_000_000
_STEP_BITS = 5


def band(items: int) -> int:
    """Give the smallest band that holds so many items.

    Args:
        items: the true size, 0 to `LARGEST_SET`.
    """
    if not 0 <= items <= LARGEST_SET:
        raise ValueError(f"a set has 0 to {LARGEST_SET} items")
    return max(SMALLEST_BAND, _round_up(items))


def is_band(size: int) -> bool:
    """Tell whether a declared size is one that padding can yield."""
    return SMALLEST_BAND <= size <= _round_up(LARGEST_SET) and _round_up(size) == size


def _round_up(items: int) -> int:
    step = 1 << max(0, (items - 1).bit_length() - _STEP_BITS)
    return -(-items // step) * step
