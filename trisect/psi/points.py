"""Blocks of elements as they cross the channel: 33-byte compressed P-256 points, one after the other.

Everything a peer sends is checked here, in Python, before the engine's C++ sees it: a hostile structure
can abort the whole process there. Whether a point lies on the curve is the engine's own check.
Not here: the mathematics (`trisect.psi.ecdh`).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trisect.errors import VerificationError

POINT_BYTES = 33
BLOCK_POINTS = 7_936
"""Elements in one frame: 7,936 x 33 bytes and a small header stay below the frame's 256 KiB."""

_PREFIXES = (2, 3)
Points = npt.NDArray[np.uint8]
"""An array of shape (n, 33)."""


def blocks(size: int) -> int:
    """Tell how many blocks carry so many elements."""
    return -(-size // BLOCK_POINTS)


def block_size(size: int, index: int) -> int:
    """Tell how many elements block `index` of a set of that size holds."""
    return min(BLOCK_POINTS, size - index * BLOCK_POINTS)


def parse(data: bytes, count: int) -> Points:
    """Read exactly `count` compressed points.

    Raises:
        VerificationError: another length, or a point that does not start with 02 or 03.
    """
    if len(data) != count * POINT_BYTES:
        raise VerificationError(f"a block of {count} elements does not have {count * POINT_BYTES} bytes")
    points = np.frombuffer(data, np.uint8).reshape(count, POINT_BYTES)
    if not np.isin(points[:, 0], _PREFIXES).all():
        raise VerificationError("a block holds an element that is no compressed point")
    return points


def check_ascending(points: Points) -> None:
    """Check that points are strictly sorted as byte strings, hence without duplicates.

    Raises:
        VerificationError: they are not; an engine would silently lose matches.
    """
    if len(points) < 2:  # noqa: PLR2004
        return
    leading = _leading_words(points)
    falls = leading[1:] < leading[:-1]
    ties = np.flatnonzero(leading[1:] == leading[:-1])
    if falls.any() or any(bytes(points[at]) >= bytes(points[at + 1]) for at in ties):
        raise VerificationError("the setup is not strictly sorted, so matches would be lost")


def check_distinct(points: Points) -> None:
    """Check that no point occurs twice: distinct items under one key give distinct points.

    Raises:
        VerificationError: one does, so whoever made them did not do what it should.
    """
    words = np.sort(_leading_words(points))
    if len(words) > 1 and (words[1:] == words[:-1]).any() and len(set(map(bytes, points))) != len(points):
        raise VerificationError("a block holds the same element twice")


def ascending(points: Points) -> Points:
    """Sort points as byte strings."""
    words = _leading_words(points)
    order = np.argsort(words, kind="stable")
    found = points[order]
    ordered = words[order]
    ties = np.flatnonzero(ordered[1:] == ordered[:-1])
    if len(ties):  # eight random bytes agree: once in 10^7 runs of a million elements
        return np.frombuffer(b"".join(sorted(map(bytes, points))), np.uint8).reshape(points.shape)
    return found


def _leading_words(points: Points) -> npt.NDArray[np.uint64]:
    # The first byte is 02 or 03; seven more make ties as good as impossible between honest points.
    return np.ascontiguousarray(points[:, :8]).view(">u8").ravel().astype(np.uint64)
