"""What an end offers to an engine: its tokens, padded, salted with probes, shuffled.

Probes are items that both ends derive from the channel's secret: a present one stands in both sets and must
be found, an absent one stands in the client's only and must not. The client (`trisect.psi.halves`) puts `PROBES` of
each at random places of every block. In a match, answers in another order, or for other items, escape a pair of probes
with a chance of at most f(1-f) where a fraction f of the answers matches, hence a block with at most 2^-40. In a count
nobody sees which items matched: fewer than the present probes are noticed, more are not.
"""

from __future__ import annotations

import hmac
import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trisect.clock import Randomness
from trisect.errors import VerificationError
from trisect.psi.bands import band
from trisect.psi.points import BLOCK_POINTS

TOKEN_BYTES = 32
Items = npt.NDArray[np.uint8]
"""An array of shape (n, 32)."""

PROBES = 20
"""Probes of each sort in every block of the client's."""

_PER_BLOCK = BLOCK_POINTS - 2 * PROBES


def probed_blocks(padded: int) -> int:
    """Tell into how many blocks the client's padded set goes, with its probes."""
    return -(-padded // _PER_BLOCK)


def client_size(padded: int) -> int:
    """Tell how many items a client with that padded size has evaluated, probes included."""
    return padded + 2 * PROBES * probed_blocks(padded)


def server_size(padded: int, client_padded: int) -> int:
    """Tell how many items a server offers, the present probes included."""
    return padded + present_probes(client_padded)


def present_probes(client_padded: int) -> int:
    """Tell how many probes are in both sets."""
    return PROBES * probed_blocks(client_padded)


@dataclass(frozen=True, slots=True)
class Arrangement:
    """What the client's items are, in the order they are sent.

    Attributes:
        origin: for each item the index of the client's token, -1 a dummy, -2 a present probe, -3 an absent one.
    """

    origin: npt.NDArray[np.int64]

    def matched(self, indices: Sequence[int]) -> list[int]:
        """Check the probes and give the indices of the client's tokens that matched, ascending.

        Args:
            indices: where in `items` the engine found a match.

        Raises:
            VerificationError: a present probe is missing, an absent one or a dummy matched.
        """
        found = self.origin[np.asarray(indices, dtype=np.int64)]
        present = int((self.origin == _PRESENT).sum())
        if len(set(indices)) != len(indices) or int((found == _PRESENT).sum()) != present:
            raise VerificationError("the engine did not find every probe that is surely present")
        if ((found == _ABSENT) | (found == _DUMMY)).any():
            raise VerificationError("the engine found a probe that is surely absent")
        return sorted(int(index) for index in found[found >= 0])


_DUMMY, _PRESENT, _ABSENT = -1, -2, -3


def client_items(tokens: bytes, probe_secret: bytes, randomness: Randomness) -> tuple[Items, Arrangement]:
    """Arrange a client's distinct tokens (32 bytes each, one after the other) for one exchange."""
    own = _tokens(tokens)
    size = band(len(own))
    count = present_probes(size)
    present, absent = (_probes(probe_secret, sort, count) for sort in (b"present", b"absent"))
    items = np.concatenate([own, _dummies(size - len(own), randomness), present, absent])
    marks = np.repeat([_DUMMY, _PRESENT, _ABSENT], [size - len(own), count, count])
    order = _interleaved(_shuffled(size, randomness), count, randomness)
    return items[order], Arrangement(np.concatenate([np.arange(len(own)), marks])[order])


def server_items(tokens: bytes, probe_secret: bytes, client_padded: int, randomness: Randomness) -> Items:
    """Arrange a server's distinct tokens for one exchange."""
    own = _tokens(tokens)
    present = _probes(probe_secret, b"present", present_probes(client_padded))
    items = np.concatenate([own, _dummies(band(len(own)) - len(own), randomness), present])
    return items[_shuffled(len(items), randomness)]


def _tokens(tokens: bytes) -> Items:
    return np.frombuffer(tokens, np.uint8).reshape(-1, TOKEN_BYTES)


def _dummies(count: int, randomness: Randomness) -> Items:
    return np.frombuffer(randomness(count * TOKEN_BYTES), np.uint8).reshape(-1, TOKEN_BYTES)


def _probes(secret: bytes, sort: bytes, count: int) -> Items:
    made = (hmac.digest(secret, sort + struct.pack(">I", index), "sha256") for index in range(count))
    return np.frombuffer(b"".join(made), np.uint8).reshape(-1, TOKEN_BYTES)


def _shuffled(count: int, randomness: Randomness) -> npt.NDArray[np.intp]:
    return np.argsort(np.frombuffer(randomness(count * 8), np.uint64), kind="stable")


def _interleaved(shuffled: npt.NDArray[np.intp], probes: int, randomness: Randomness) -> npt.NDArray[np.intp]:
    """Order shuffled items and the probes that stand behind them so that each block gets its probes of each sort."""
    padded = len(shuffled)
    parts = []
    for block, start in enumerate(range(0, padded, _PER_BLOCK)):
        own = padded + np.arange(block * PROBES, (block + 1) * PROBES)
        members = np.concatenate([shuffled[start : start + _PER_BLOCK], own, own + probes])
        parts.append(members[_shuffled(len(members), randomness)])
    return np.concatenate(parts)
