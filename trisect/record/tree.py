"""The Merkle tree of the public record (RFC 9162, 2.1): hashes, proofs, and how they are checked.

A tree of n entries is kept as its *complete* nodes: `(level, index)` names the root of the perfect subtree over the
entries from `index << level` to `(index + 1) << level`; entries themselves are on level 0. Complete nodes never
change, so that a tree only grows. Not here: where nodes are kept (`trisect.store.record`), and who signs a root
(`trisect.record.checkpoint`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import Self

from trisect.errors import VerificationError

HASH_BYTES = 32
MAX_SIZE = 2**53 - 1
"""What JSON can count (RFC 8785)."""
MAX_PROOF = 2 * MAX_SIZE.bit_length()
"""More hashes than any proof needs."""
EMPTY = hashlib.sha256(b"").digest()
"""The root of a tree without entries."""

Node = Callable[[int, int], bytes]
"""Gives the hash of a complete node by level and index."""


def leaf_hash(entry: bytes) -> bytes:
    """Hash an entry as a leaf."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two nodes as their parent."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Frontier:
    """The right edge of a growing tree: the roots of the perfect subtrees that make it up, largest first.

    Args:
        size: how many entries there are.
        node: gives the complete nodes of that tree.
    """

    def __init__(self, size: int, node: Node) -> None:
        self.size = size
        self._peaks = [node(level, index) for level, index in _peaks(size)]

    @classmethod
    def empty(cls) -> Self:
        """Begin a tree."""
        return cls(0, lambda _level, _index: b"")

    def add(self, leaf: bytes) -> None:
        """Add a leaf's hash, where nobody keeps nodes."""
        for _ in self.append(leaf):
            pass

    def append(self, leaf: bytes) -> Iterator[tuple[int, int, bytes]]:
        """Add a leaf's hash; gives every node that it completes, as (level, index, hash), the leaf first."""
        level, index, found = 0, self.size, leaf
        yield level, index, found
        while index & 1:
            found = node_hash(self._peaks.pop(), found)
            level, index = level + 1, index >> 1
            yield level, index, found
        self._peaks.append(found)
        self.size += 1

    @property
    def root(self) -> bytes:
        """The root of the tree as it is now."""
        if not self._peaks:
            return EMPTY
        found = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            found = node_hash(peak, found)
        return found


def root(size: int, node: Node) -> bytes:
    """Compute the root over the first `size` entries."""
    return Frontier(size, node).root


def inclusion_proof(index: int, size: int, node: Node) -> list[bytes]:
    """Prove that an entry is in the tree of a size (RFC 9162, 2.1.3.1).

    Args:
        index: of the entry, from 0; below `size`.
        size: of the tree.
        node: gives the complete nodes of that tree or of a later one.

    Returns:
        Sibling hashes, the leaf's first.
    """
    found: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            found.append(_hash(middle, end, node))
            end = middle
        else:
            found.append(_hash(start, middle, node))
            start = middle
    return found[::-1]


def root_over(leaves: Sequence[bytes]) -> bytes:
    """Compute the root over the hashes of all leaves, where nobody keeps nodes."""
    peaks, level = [], list(leaves)
    while level:
        if len(level) & 1:
            peaks.append(level.pop())
        level = _parents(level)
    found = peaks[0] if peaks else EMPTY
    for peak in peaks[1:]:
        found = node_hash(peak, found)
    return found


def proof_over(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Prove that a leaf is among the hashes of all leaves, where nobody keeps nodes; as `inclusion_proof`."""
    levels = [list(leaves)]
    while len(levels[-1]) > 1:
        levels.append(_parents(levels[-1]))
    return inclusion_proof(index, len(leaves), lambda level, at: levels[level][at])


def _parents(level: Sequence[bytes]) -> list[bytes]:
    """Hash the pairs of a level of complete nodes; the last one of an odd number has no parent yet."""
    return [node_hash(left, right) for left, right in zip(level[::2], level[1::2], strict=False)]


def consistency_proof(first: int, second: int, node: Node) -> list[bytes]:
    """Prove that a tree is the beginning of a later one (RFC 9162, 2.1.4.1).

    Args:
        first: the earlier size, at least 1.
        second: the later size.
        node: gives the complete nodes of the later tree.
    """
    if first == second:
        return []
    found: list[bytes] = []
    start, end = 0, second
    while first < end:
        middle = start + _split(end - start)
        if first <= middle:
            found.append(_hash(middle, end, node))
            end = middle
        else:
            found.append(_hash(start, middle, node))
            start = middle
    if start:
        found.append(_hash(start, end, node))
    return found[::-1]


def check_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], expected: bytes) -> None:
    """Check that a leaf is in a tree (RFC 9162, 2.1.3.2).

    Args:
        leaf: the entry's `leaf_hash`.
        index: of the entry, from 0.
        size: of the tree.
        proof: what `inclusion_proof` gives.
        expected: the tree's root.

    Raises:
        VerificationError: it is not, by this proof.
    """
    _check_shape(expected)
    if root_above(leaf, index, size, proof) != expected:
        raise VerificationError("an entry is not in the record at that place")


def root_above(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes:
    """Compute the root of the tree that a proof of inclusion is of, as `check_inclusion` compares it.

    Raises:
        VerificationError: there is no such proof.
    """
    if not 0 <= index < size <= MAX_SIZE:
        raise VerificationError("a proof of inclusion names an entry outside of its tree")
    _check_shape(leaf, *proof)
    found = leaf
    for sibling, is_left in _climb(index, size - 1, proof):
        found = node_hash(sibling, found) if is_left else node_hash(found, sibling)
    return found


def check_consistency(
    first: int, first_root: bytes, second: int, second_root: bytes, proof: Sequence[bytes]
) -> None:
    """Check that one tree is the beginning of another (RFC 9162, 2.1.4.2).

    A tree without entries is the beginning of every tree and proves nothing, so a proof from it is refused.

    Raises:
        VerificationError: it is not, by this proof.
    """
    if not 0 < first <= second <= MAX_SIZE:
        raise VerificationError(
            "a proof of consistency must lead from a tree with entries to one that is not smaller"
        )
    _check_shape(first_root, second_root, *proof)
    if first == second:
        if proof or first_root != second_root:
            raise VerificationError("two heads of one size are not the same")
        return
    if not first & (first - 1):
        proof = [first_root, *proof]
    if not proof:
        raise VerificationError("a proof of consistency is empty")
    at, last = first - 1, second - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    former = later = proof[0]
    for sibling, is_left in _climb(at, last, proof[1:]):
        former = node_hash(sibling, former) if is_left else former
        later = node_hash(sibling, later) if is_left else node_hash(later, sibling)
    if former != first_root or later != second_root:
        raise VerificationError(
            "the record has been rewritten: its head does not follow from the one that was seen"
        )


def _climb(at: int, last: int, proof: Sequence[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Go up from a node beside the rightmost of its level; tells of each sibling whether it is the left one.

    Raises:
        VerificationError: there are more siblings than levels, or fewer.
    """
    for sibling in proof:
        if last == 0:
            raise VerificationError("a proof is too long")
        is_left = bool(at & 1) or at == last
        while is_left and at and not at & 1:  # levels on which it has no sibling
            at, last = at >> 1, last >> 1
        yield sibling, is_left
        at, last = at >> 1, last >> 1
    if last:
        raise VerificationError("a proof is too short")


def _check_shape(*hashes: bytes) -> None:
    if len(hashes) > MAX_PROOF or any(len(found) != HASH_BYTES for found in hashes):
        raise VerificationError(f"a proof is not a list of at most {MAX_PROOF} hashes of {HASH_BYTES} bytes")


def _peaks(size: int) -> Iterator[tuple[int, int]]:
    """Name the perfect subtrees of a tree, largest first."""
    start = 0
    for level in reversed(range(size.bit_length())):
        if size >> level & 1:
            yield level, start >> level
            start += 1 << level


def _split(size: int) -> int:
    """Give the largest power of two below a size of at least 2."""
    return 1 << (size - 1).bit_length() - 1


def _hash(start: int, end: int, node: Node) -> bytes:
    """Hash a subtree that begins where a perfect one of its size may begin."""
    return root(end - start, lambda level, index: node(level, index + (start >> level)))
