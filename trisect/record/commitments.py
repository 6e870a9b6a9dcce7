"""What a proxy puts into the public record of an epoch of consents: one root over commitments, padded.

Whoever reads the record learns that at most so many consents were given or taken back; whoever holds a receipt can show
that its own is among them. Not here: the commitments themselves (`trisect.rules.consents`).
"""

from __future__ import annotations

from collections.abc import Sequence

from trisect.clock import Randomness
from trisect.record import tree

LEAST_LEAVES = 16
MOST_EVENTS = 4_096
"""Consents given and taken back that one epoch commits to at most; the next has the others."""


def padded(commitments: Sequence[bytes], randomness: Randomness) -> list[bytes]:
    """Fill commitments up with random ones to a power of two, in an order that tells nothing."""
    size = max(LEAST_LEAVES, 1 << (len(commitments) - 1).bit_length())
    dummies = [randomness(tree.HASH_BYTES) for _ in range(size - len(commitments))]
    return sorted([*commitments, *dummies])


def root(leaves: Sequence[bytes]) -> bytes:
    """Give the root over leaves."""
    return tree.root_over([tree.leaf_hash(leaf) for leaf in leaves])


def proof(leaves: Sequence[bytes], commitment: bytes) -> tuple[int, list[bytes]]:
    """Prove that a commitment is among leaves; gives its place and the hashes beside its path."""
    index = leaves.index(commitment)
    return index, tree.proof_over([tree.leaf_hash(leaf) for leaf in leaves], index)
