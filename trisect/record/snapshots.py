"""What an end of an exchange commits to of its snapshot, and the proof that an entry was in it.

A snapshot has a Merkle tree over salted leaves: the leaf of a token is SHA-256(0x00 || nonce || token), its nonce
HMAC-SHA256(salt, token); random hashes fill the leaves up to a size band, in an order that tells nothing. Salt and all
that is random follow from the owner's secret and from the snapshot, so that one that is used again is kept once. What
leaves the owner is SHA-256(domain, exchange, end, blind, root), so that nobody can tell whether two snapshots are the same, nor
give another's commitment as its own. The
owner opens one leaf to somebody who knows the value and the consortium's peppers. Not here: how long leaves are kept
(`trisect.store.snapshots`), and whether a receipt stands in the record.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Self

from trisect.errors import NotFoundError, VerificationError
from trisect.indicators.tokens import Token
from trisect.record import tree
from trisect.rules.offers import Receipt

NONCE_BYTES: Final = 32
NAME_BYTES: Final = 32
_SUBTREE: Final = 4_096
"""Leaves whose hashes are in memory one by one at one time; a power of two."""
_SCHEMA: Final = 1
_FIELDS: Final = {"trisect_snapshot_proof", "receipt", "blind", "nonce", "leaf", "leaves", "proof"}
_NAME: Final = b"trisect/snapshot/v1\x00"
_SALT: Final = b"trisect/snapshot-salt/v1\x00"
_BLIND: Final = b"trisect/snapshot-blind/v1\x00"
_COMMITMENT: Final = b"trisect/snapshot-commitment/v1\x00"
_HASH: Final = "sha256"


@dataclass(frozen=True, slots=True)
class SnapshotTree:
    """A snapshot's tree, as its owner keeps it.

    Attributes:
        name: 32 bytes, the same for the same tokens under one secret.
        root: 32 bytes, which nobody else sees before a proof.
        leaves: their hashes in order, 32 bytes each, one after the other.
    """

    name: bytes
    root: bytes
    leaves: bytes | bytearray


def name_of(tokens: bytes, secret: bytes) -> bytes:
    """Name a snapshot.

    Args:
        tokens: 32 bytes each in ascending order, one after the other.
        secret: 32 bytes, the owner's.
    """
    mac = hmac.new(secret, _NAME, _HASH)
    mac.update(tokens)
    return mac.digest()


class Growing:
    """The tree of a snapshot in the making: takes little more memory than its leaves do.

    Args:
        name: as `name_of` gives it.
        secret: the owner's.
        size: how many leaves there are to be, at least one for each token; the band of the set.
    """

    def __init__(self, name: bytes, secret: bytes, size: int) -> None:
        self._name = name
        self._salt = _salt(name, secret)
        self._left = size
        self._by_first = [bytearray() for _ in range(256)]

    def add(self, tokens: bytes) -> None:
        """Add some of the snapshot's tokens, 32 bytes each."""
        for token in _cut(tokens):
            self._add(_leaf(_nonce(self._salt, token), token))

    def grown(self) -> SnapshotTree:
        """Fill up what is missing; gives the tree. Nothing is added after it."""
        for number in range(self._left):
            self._add(hmac.digest(self._salt, number.to_bytes(8), _HASH))
        leaves, by_first = bytearray(), self._by_first
        while by_first:
            leaves += b"".join(sorted(_cut(by_first.pop(0))))
        return SnapshotTree(self._name, tree.root_over(_subtrees(leaves)), leaves)

    def _add(self, leaf: bytes) -> None:
        self._by_first[leaf[0]] += leaf
        self._left -= 1


def grow(name: bytes, tokens: bytes, secret: bytes, size: int) -> SnapshotTree:
    """Make the tree of a snapshot at once; see `Growing`."""
    growing = Growing(name, secret, size)
    growing.add(tokens)
    return growing.grown()


def commitment(root: bytes, exchange: bytes, side: str, secret: bytes) -> bytes:
    """Give what one end of an exchange shows of its snapshot's root, 32 bytes."""
    return _blinded(exchange, side, _blind(exchange, secret), root)


@dataclass(frozen=True, slots=True)
class SnapshotProof:
    """That an entry was in the snapshot of an exchange, for whoever knows the entry; it names none.

    Attributes:
        receipt: the signed receipt of the owner's end.
        blind: 32 bytes, of the commitment in it.
        nonce: 32 bytes, of the entry's leaf.
        leaf: its place among the leaves.
        leaves: how many there are.
        proof: the hashes beside its path to the root, 32 bytes each.
    """

    receipt: bytes
    blind: bytes
    nonce: bytes
    leaf: int
    leaves: int
    proof: tuple[bytes, ...]

    @classmethod
    def of(cls, token: Token, kept: SnapshotTree, secret: bytes, receipt: bytes) -> Self:
        """Prove that a token was in a snapshot; raises NotFoundError where it was not."""
        nonce = _nonce(_salt(kept.name, secret), token)
        leaf, size = _leaf(nonce, token), len(kept.leaves) // tree.HASH_BYTES
        index = bisect_left(range(size), leaf, key=lambda at: _at(kept.leaves, at))
        if index == size or _at(kept.leaves, index) != leaf:
            raise NotFoundError(
                "that entry was not in the snapshot of this exchange",
                hint="is the kind right? The list may have had it before or after: `trisect exchange list` tells when",
            )
        number, place = divmod(index, _SUBTREE)
        around = list(_cut(_subtree(kept.leaves, number)))
        path = tree.proof_over(around, place) + tree.proof_over(_subtrees(kept.leaves), number)
        blind = _blind(Receipt.peek(receipt).exchange, secret)
        return cls(receipt, blind, nonce, index, size, tuple(path))

    def check(self, token: Token, size: int) -> None:
        """Check that a token was in the snapshot that the receipt commits to; not who has signed the receipt.

        Args:
            token: of the pepper epoch of the exchange.
            size: the padded size of the set, by the permit.

        Raises:
            VerificationError: it was not, by this proof.
        """
        leaf = _leaf(self.nonce, token)
        root = tree.root_above(leaf, self.leaf, self.leaves, self.proof)
        receipt = Receipt.peek(self.receipt)
        shown = _blinded(receipt.exchange, receipt.side, self.blind, root)
        if self.leaves != size or shown != receipt.own_snapshot:
            raise VerificationError(
                "the proof is not of that entry",
                hint="give the value and the kind that it was made for; a proof that was changed holds for none",
            )

    def to_text(self) -> str:
        """Write it as a file."""
        fields = {
            "trisect_snapshot_proof": _SCHEMA,
            "receipt": self.receipt.decode(),
            "blind": self.blind.hex(),
            "nonce": self.nonce.hex(),
            "leaf": self.leaf,
            "leaves": self.leaves,
            "proof": [base64.b64encode(one).decode() for one in self.proof],
        }
        return json.dumps(fields, indent=1) + "\n"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a file; raises VerificationError."""
        try:
            fields = json.loads(text)
            if set(fields) == _FIELDS and fields["trisect_snapshot_proof"] == _SCHEMA:
                leaf, leaves = numbers = fields["leaf"], fields["leaves"]
                blind, nonce = randoms = bytes.fromhex(fields["blind"]), bytes.fromhex(fields["nonce"])
                proof = tuple(base64.b64decode(one, validate=True) for one in fields["proof"])
                if all(len(one) == NONCE_BYTES for one in randoms) and all(
                    type(one) is int and one >= 0 for one in numbers
                ):
                    return cls(fields["receipt"].encode(), blind, nonce, leaf, leaves, proof)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            pass
        raise VerificationError(
            "this is no proof of an entry in a snapshot", hint="`trisect exchange prove` writes one"
        )


def _cut(joined: bytes | bytearray) -> Iterator[bytes]:
    return (bytes(joined[at : at + tree.HASH_BYTES]) for at in range(0, len(joined), tree.HASH_BYTES))


def _at(leaves: bytes | bytearray, index: int) -> bytes:
    return bytes(leaves[index * tree.HASH_BYTES : (index + 1) * tree.HASH_BYTES])


def _subtree(leaves: bytes | bytearray, number: int) -> bytes | bytearray:
    """Give the leaves of one of the subtrees that a tree is made of part by part; the last may be smaller."""
    size = _SUBTREE * tree.HASH_BYTES
    return leaves[number * size : (number + 1) * size]


def _subtrees(leaves: bytes | bytearray) -> list[bytes]:
    """Give the roots of the subtrees, which are the leaves of a tree with the same root."""
    count = -(-len(leaves) // (_SUBTREE * tree.HASH_BYTES))
    return [tree.root_over(list(_cut(_subtree(leaves, number)))) for number in range(count)]


def _salt(name: bytes, secret: bytes) -> bytes:
    return hmac.digest(secret, _SALT + name, _HASH)


def _blind(exchange: bytes, secret: bytes) -> bytes:
    return hmac.digest(secret, _BLIND + exchange, _HASH)


def _blinded(exchange: bytes, side: str, blind: bytes, root: bytes) -> bytes:
    bound = len(exchange).to_bytes(8) + exchange + side.encode() + b"\x00"
    return hashlib.sha256(_COMMITMENT + bound + blind + root).digest()


def _nonce(salt: bytes, token: bytes) -> bytes:
    return hmac.digest(salt, token, _HASH)


def _leaf(nonce: bytes, token: bytes) -> bytes:
    return tree.leaf_hash(nonce + token)
