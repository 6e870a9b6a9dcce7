"""What an end of an exchange commits to of its snapshot: one root over salted leaves, in its signed receipt.

The leaf of a token is SHA-256(0x00 || nonce || token), its nonce HMAC-SHA256(salt, token); random ones fill the leaves up
to a size band, in an order that tells nothing. Salt and all that is random follow from the owner's secret and from the
snapshot, so that one snapshot has one commitment however often it is used. Whoever has the root learns nothing of an
entry; the owner opens one leaf by its nonce, to somebody who knows the value and the consortium's peppers. Not here: how
long leaves are kept (`trisect.store.snapshots`), and whether a receipt stands in the record.
"""

from __future__ import annotations

import base64
import hmac
import json
from dataclasses import dataclass
from typing import Final, Self

from trisect.errors import NotFoundError, VerificationError
from trisect.indicators.tokens import TOKEN_BYTES, Token
from trisect.record import tree
from trisect.rules.offers import Receipt

NONCE_BYTES: Final = 32
_SCHEMA: Final = 1
_FIELDS: Final = {"trisect_snapshot_proof", "receipt", "nonce", "leaf", "leaves", "proof"}
_NAME: Final = b"trisect/snapshot/v1\x00"
_SALT: Final = b"trisect/snapshot-salt/v1\x00"
_HASH: Final = "sha256"


@dataclass(frozen=True, slots=True)
class Commitment:
    """A snapshot's commitment, as its owner keeps it.

    Attributes:
        name: 32 bytes, the same for the same tokens under one secret.
        root: 32 bytes, what a receipt carries.
        leaves: the leaves' hashes in order, 32 bytes each, one after the other.
    """

    name: bytes
    root: bytes
    leaves: bytes


def commit(tokens: bytes, secret: bytes, size: int) -> Commitment:
    """Commit to a snapshot.

    Args:
        tokens: 32 bytes each, one after the other.
        secret: 32 bytes, the owner's.
        size: how many leaves there are to be, at least one for each token; the band of the set.
    """
    mac = hmac.new(secret, _NAME, _HASH)
    mac.update(tokens)
    name = mac.digest()
    salt = _salt(name, secret)
    count = len(tokens) // TOKEN_BYTES
    leaves = [
        _leaf(_nonce(salt, token), token)
        for token in (tokens[at : at + TOKEN_BYTES] for at in range(0, len(tokens), TOKEN_BYTES))
    ]
    leaves += (hmac.digest(salt, number.to_bytes(8), _HASH) for number in range(size - count))
    leaves.sort()
    return Commitment(name, tree.root_over(leaves), b"".join(leaves))


@dataclass(frozen=True, slots=True)
class SnapshotProof:
    """That an entry was in the snapshot of an exchange, for whoever knows the entry; it names none.

    Attributes:
        receipt: the signed receipt of the owner's end.
        nonce: 32 bytes, of the entry's leaf.
        leaf: its place among the leaves.
        leaves: how many there are.
        proof: the hashes beside its path to the root, 32 bytes each.
    """

    receipt: bytes
    nonce: bytes
    leaf: int
    leaves: int
    proof: tuple[bytes, ...]

    @classmethod
    def of(cls, token: Token, kept: Commitment, secret: bytes, receipt: bytes) -> Self:
        """Prove that a token was in a snapshot; raises NotFoundError where it was not."""
        nonce = _nonce(_salt(kept.name, secret), token)
        size = tree.HASH_BYTES
        leaves = [kept.leaves[at : at + size] for at in range(0, len(kept.leaves), size)]
        try:
            index = leaves.index(_leaf(nonce, token))
        except ValueError:
            raise NotFoundError(
                "that entry was not in the snapshot of this exchange",
                hint="is the kind right? The list may have had it before or after: `trisect exchange list` tells when",
            ) from None
        return cls(receipt, nonce, index, len(leaves), tuple(tree.proof_over(leaves, index)))

    def check(self, token: Token) -> None:
        """Check that a token was in the snapshot that the receipt commits to; not who has signed the receipt.

        Raises:
            VerificationError: it was not, by this proof.
        """
        try:
            tree.check_inclusion(
                _leaf(self.nonce, token),
                self.leaf,
                self.leaves,
                self.proof,
                Receipt.peek(self.receipt).snapshot,
            )
        except VerificationError as error:
            raise VerificationError(
                "the proof is not of that entry",
                hint="give the value and the kind that it was made for; a proof that was changed holds for none",
            ) from error

    def to_text(self) -> str:
        """Write it as a file."""
        fields = {
            "trisect_snapshot_proof": _SCHEMA,
            "receipt": self.receipt.decode(),
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
                nonce = bytes.fromhex(fields["nonce"])
                proof = tuple(base64.b64decode(one, validate=True) for one in fields["proof"])
                if len(nonce) == NONCE_BYTES and all(type(one) is int and one >= 0 for one in numbers):
                    return cls(fields["receipt"].encode(), nonce, leaf, leaves, proof)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            pass
        raise VerificationError(
            "this is no proof of an entry in a snapshot", hint="`trisect exchange prove` writes one"
        )


def _salt(name: bytes, secret: bytes) -> bytes:
    return hmac.digest(secret, _SALT + name, _HASH)


def _nonce(salt: bytes, token: bytes) -> bytes:
    return hmac.digest(salt, token, _HASH)


def _leaf(nonce: bytes, token: bytes) -> bytes:
    return tree.leaf_hash(nonce + token)
