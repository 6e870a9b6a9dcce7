"""What an end of an exchange commits to of its snapshot, and the proof that an entry was in it.

A snapshot has a Merkle tree over salted leaves: the leaf of a token is SHA-256(0x00 || nonce || token), its nonce
HMAC-SHA256(salt, token); random hashes fill the leaves up to a size band, in an order that tells nothing. Salt and all
that is random follow from the owner's secret and from the snapshot, so that one that is used again is kept once. What
leaves the owner is SHA-256(domain, blind, root), blinded anew for each exchange: nobody can tell whether two snapshots are the same. The
owner opens one leaf to somebody who knows the value and the consortium's peppers. Not here: how long leaves are kept
(`trisect.store.snapshots`), and whether a receipt stands in the record.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Self

from trisect.errors import NotFoundError, VerificationError
from trisect.indicators.tokens import TOKEN_BYTES, Token
from trisect.record import tree
from trisect.rules.offers import NO_SNAPSHOT, Receipt

NONCE_BYTES: Final = 32
NAME_BYTES: Final = 32
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
    leaves: bytes


def name_of(tokens: bytes, secret: bytes) -> bytes:
    """Name a snapshot.

    Args:
        tokens: 32 bytes each in ascending order, one after the other.
        secret: 32 bytes, the owner's.
    """
    mac = hmac.new(secret, _NAME, _HASH)
    mac.update(tokens)
    return mac.digest()


def grow(name: bytes, tokens: bytes, secret: bytes, size: int) -> SnapshotTree:
    """Make the tree of a snapshot.

    Args:
        name: as `name_of` gives it.
        tokens: as for `name_of`.
        secret: the owner's.
        size: how many leaves there are to be, at least one for each token; the band of the set.
    """
    salt = _salt(name, secret)
    count = len(tokens) // TOKEN_BYTES
    leaves = [_leaf(_nonce(salt, token), token) for token in _cut(tokens)]
    leaves += (hmac.digest(salt, number.to_bytes(8), _HASH) for number in range(size - count))
    leaves.sort()
    return SnapshotTree(name, tree.root_over(leaves), b"".join(leaves))


def commitment(root: bytes, exchange: bytes, secret: bytes) -> bytes:
    """Give what one exchange shows of a snapshot's root, 32 bytes."""
    return _blinded(_blind(exchange, secret), root)


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
        leaves = list(_cut(kept.leaves))
        try:
            index = leaves.index(_leaf(nonce, token))
        except ValueError:
            raise NotFoundError(
                "that entry was not in the snapshot of this exchange",
                hint="is the kind right? The list may have had it before or after: `trisect exchange list` tells when",
            ) from None
        blind = _blind(Receipt.peek(receipt).exchange, secret)
        path = tuple(tree.proof_over(leaves, index))
        return cls(receipt, blind, nonce, index, len(leaves), path)

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
        own = Receipt.peek(self.receipt).own_snapshot
        if self.leaves != size or own == NO_SNAPSHOT or _blinded(self.blind, root) != own:
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


def _cut(joined: bytes) -> Iterator[bytes]:
    return (joined[at : at + TOKEN_BYTES] for at in range(0, len(joined), TOKEN_BYTES))


def _salt(name: bytes, secret: bytes) -> bytes:
    return hmac.digest(secret, _SALT + name, _HASH)


def _blind(exchange: bytes, secret: bytes) -> bytes:
    return hmac.digest(secret, _BLIND + exchange, _HASH)


def _blinded(blind: bytes, root: bytes) -> bytes:
    return hashlib.sha256(_COMMITMENT + blind + root).digest()


def _nonce(salt: bytes, token: bytes) -> bytes:
    return hmac.digest(salt, token, _HASH)


def _leaf(nonce: bytes, token: bytes) -> bytes:
    return tree.leaf_hash(nonce + token)
