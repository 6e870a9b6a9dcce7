"""The person's copy of a consent: the record, and the proof that the proxy has committed to it in the public record."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from trisect.errors import DeniedError, VerificationError
from trisect.record import tree
from trisect.rules.consents import SALT_BYTES, Consent, EpochCommitment, commitment
from trisect.rules.delegations import Delegation
from trisect.trust import documents
from trisect.trust.filings import ConsentsFiling
from trisect.trust.keys import IdentityPublic
from trisect.trust.membership import Membership

_SCHEMA = 1
_FIELDS = {"trisect_consent_receipt", "record", "delegation", "salt", "epoch", "leaf", "leaves", "proof"}


@dataclass(frozen=True, slots=True)
class ConsentReceipt:
    """One receipt.

    Attributes:
        record: the signed record of the consent.
        salt: 32 bytes, of its commitment.
        epoch: in which the proxy has committed to it; 0 where it had not yet when the receipt was written.
        leaf: its place among the epoch's leaves.
        leaves: how many there are.
        proof: the hashes beside its path to the root, 32 bytes each.
        delegation: the signed record of the delegation under which it was given; empty where the person has given it.
    """

    record: bytes
    salt: bytes
    epoch: int
    leaf: int
    leaves: int
    proof: Sequence[bytes]
    delegation: bytes = b""

    def to_text(self) -> str:
        """Write it as a file."""
        fields = {
            "trisect_consent_receipt": _SCHEMA,
            "record": self.record.decode(),
            "delegation": self.delegation.decode(),
            "salt": self.salt.hex(),
            "epoch": self.epoch,
            "leaf": self.leaf,
            "leaves": self.leaves,
            "proof": [base64.b64encode(one).decode() for one in self.proof],
        }
        return json.dumps(fields, indent=1) + "\n"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a file; raises VerificationError."""
        try:
            fields = {"delegation": "", **json.loads(text)}
            if set(fields) == _FIELDS and fields["trisect_consent_receipt"] == _SCHEMA:
                epoch, leaf, leaves = numbers = [fields[name] for name in ("epoch", "leaf", "leaves")]
                salt = bytes.fromhex(fields["salt"])
                proof = [base64.b64decode(one, validate=True) for one in fields["proof"]]
                if len(salt) == SALT_BYTES and all(type(one) is int and one >= 0 for one in numbers):
                    delegation = fields["delegation"].encode()
                    return cls(fields["record"].encode(), salt, epoch, leaf, leaves, proof, delegation)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            pass
        raise VerificationError(
            "this is no receipt of a consent", hint="`trisect consent show --receipt` writes one"
        )

    def check(self, membership: Membership) -> Consent:
        """Check the receipt against a consortium as it follows from the public record; gives what was consented to.

        Raises:
            VerificationError: the proxy has not signed it, not committed to it, or has gone beyond what the person
                had delegated.
        """
        claimed = Consent.peek(self.record)
        proxy = membership.party(claimed.proxy)
        keys = (proxy.keys.identity, *(IdentityPublic(raw) for raw in proxy.former_identities))
        consent = Consent.verify(self.record, *keys)
        self._check_delegated(consent, keys)
        filed = membership.filed(ConsentsFiling, consent.proxy)
        if not 1 <= self.epoch <= len(filed):
            raise VerificationError(
                f"{consent.proxy} has not committed to this consent in the record yet",
                hint="it does so within minutes: ask for a new receipt, and a newer export of the record",
            )
        found = EpochCommitment.from_content(filed[self.epoch - 1].filing.content)
        if found.leaves != self.leaves:
            raise VerificationError("a receipt speaks of another epoch of consents than the record")
        leaf = tree.leaf_hash(commitment(self.record, self.salt))
        tree.check_inclusion(leaf, self.leaf, self.leaves, self.proof, found.root)
        return consent

    def _check_delegated(self, consent: Consent, keys: Sequence[IdentityPublic]) -> None:
        if not consent.delegation and not self.delegation:
            return
        delegation = Delegation.verify(self.delegation, *keys)
        if documents.payload_hash(self.delegation) != consent.delegation:
            raise VerificationError("a receipt brings another delegation than its consent names")
        try:
            delegation.require(consent)
        except DeniedError as error:
            raise VerificationError(
                f"{consent.proxy} has gone beyond its delegation: {error.message}"
            ) from error
