"""A node's own keys, as its keystore holds them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from trisect.clock import Randomness
from trisect.errors import BadInputError
from trisect.store import keystore
from trisect.store.keystore import KEYSTORE_FILE
from trisect.trust import certificates
from trisect.trust.certificates import TlsIdentity
from trisect.trust.keys import IdentityKey, SealingKey
from trisect.trust.statements import PartyKeys

_NAMES = {"party", "identity", "sealing", "storage", "tls_key", "tls_certificate", "authority"}


@dataclass(frozen=True, slots=True, repr=False)
class NodeKeys:
    """Everything secret of a node, and its certificates.

    Attributes:
        party: whose node it is.
        identity: signs for the party.
        sealing: opens what is sealed to the party.
        storage: 32 bytes that seal peppers in the node's own database.
        tls: key and certificate of the connection to the coordinator; the certificate is empty before joining.
        authority: the coordinator's CA, PEM.
    """

    party: str
    identity: IdentityKey
    sealing: SealingKey
    storage: bytes
    tls: TlsIdentity
    authority: bytes

    @classmethod
    def generate(cls, party: str, authority: bytes, randomness: Randomness) -> Self:
        """Make all keys of a new node."""
        return cls(
            party,
            IdentityKey.generate(randomness),
            SealingKey.generate(randomness),
            randomness(32),
            TlsIdentity(certificates.new_tls_key(), b""),
            authority,
        )

    @classmethod
    def load(cls, home: Path) -> Self:
        """Read the keystore of a home.

        Raises:
            BadInputError: there is none, or keys of a node are missing in it.
        """
        found = keystore.load(home / KEYSTORE_FILE)
        missing = sorted(_NAMES - set(found))
        if missing:
            raise BadInputError(
                f"the keystore {home / KEYSTORE_FILE} lacks {', '.join(missing)}",
                hint="restore it from its backup",
            )
        return cls(
            found["party"].decode(errors="replace"),
            IdentityKey(found["identity"]),
            SealingKey(found["sealing"]),
            found["storage"],
            TlsIdentity(found["tls_key"], found["tls_certificate"]),
            found["authority"],
        )

    def save(self, home: Path) -> None:
        """Write the keystore of a home, whole or not at all."""
        keystore.save(
            home / KEYSTORE_FILE,
            {
                "party": self.party.encode(),
                "identity": self.identity.raw,
                "sealing": self.sealing.raw,
                "storage": self.storage,
                "tls_key": self.tls.key,
                "tls_certificate": self.tls.certificate,
                "authority": self.authority,
            },
        )

    def with_tls(self, tls: TlsIdentity) -> Self:
        """Give the same keys with another certificate."""
        return replace(self, tls=tls)

    @property
    def public(self) -> PartyKeys:
        """What the party shows of itself."""
        return PartyKeys.bind(self.identity, self.sealing.public)
