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
from trisect.trust.keys import (
    IDENTITY_KEY_BYTES,
    SEALING_PRIVATE_BYTES,
    IdentityKey,
    IdentityPublic,
    SealingKey,
)
from trisect.trust.statements import PartyKeys

_NAMES = {"party", "identity", "sealing", "storage", "tls_key", "tls_certificate", "authority"}


@dataclass(frozen=True, slots=True, repr=False)
class Successor:
    """The identity key and the sealing key that are to follow a node's own."""

    identity: IdentityKey
    sealing: SealingKey

    @property
    def public(self) -> PartyKeys:
        """What the party will show of itself."""
        return PartyKeys.bind(self.identity, self.sealing.public)


@dataclass(frozen=True, slots=True, repr=False)
class NodeKeys:
    """Everything secret of a node, and its certificates.

    Attributes:
        party: whose node it is.
        identity: signs for the party.
        sealing: opens what is sealed to the party, also what was sealed to a former key.
        storage: 32 bytes that seal peppers in the node's own database.
        tls: key and certificate of the connection to the coordinator; the certificate is empty before joining.
        authority: the coordinator's CA, PEM.
        successor: keys that count as soon as the statement about them is published. Once drawn they are kept:
            the statement may come into the log at any time after it has left the node.
        former_identities: the public halves of what `identity` has succeeded, oldest first.
    """

    party: str
    identity: IdentityKey
    sealing: SealingKey
    storage: bytes
    tls: TlsIdentity
    authority: bytes
    successor: Successor | None = None
    former_identities: tuple[IdentityPublic, ...] = ()

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
        begun = "next_identity" in found and "next_sealing" in found
        return cls(
            found["party"].decode(errors="replace"),
            IdentityKey(found["identity"]),
            SealingKey(found["sealing"], _cut(found.get("former_sealing", b""), SEALING_PRIVATE_BYTES)),
            found["storage"],
            TlsIdentity(found["tls_key"], found["tls_certificate"]),
            found["authority"],
            Successor(IdentityKey(found["next_identity"]), SealingKey(found["next_sealing"]))
            if begun
            else None,
            tuple(
                IdentityPublic(raw) for raw in _cut(found.get("former_identities", b""), IDENTITY_KEY_BYTES)
            ),
        )

    def save(self, home: Path) -> None:
        """Write the keystore of a home, whole or not at all."""
        secrets = {
            "party": self.party.encode(),
            "identity": self.identity.raw,
            "sealing": self.sealing.raw,
            "storage": self.storage,
            "tls_key": self.tls.key,
            "tls_certificate": self.tls.certificate,
            "authority": self.authority,
        }
        if self.former_identities:
            secrets["former_identities"] = b"".join(key.raw for key in self.former_identities)
            secrets["former_sealing"] = b"".join(self.sealing.former)
        if self.successor is not None:
            secrets["next_identity"] = self.successor.identity.raw
            secrets["next_sealing"] = self.successor.sealing.raw
        keystore.save(home / KEYSTORE_FILE, secrets)

    def with_tls(self, tls: TlsIdentity) -> Self:
        """Give the same keys with another certificate."""
        return replace(self, tls=tls)

    def with_successor(self, randomness: Randomness) -> Self:
        """Give the same keys with successors: those that were drawn before, or new ones."""
        if self.successor is not None:
            return self
        drawn = Successor(IdentityKey.generate(randomness), SealingKey.generate(randomness))
        return replace(self, successor=drawn)

    def succeeded(self) -> Self:
        """Put the successors in place; the former identity key is given up, the former sealing key still opens."""
        if self.successor is None:
            return self
        return replace(
            self,
            identity=self.successor.identity,
            sealing=SealingKey(self.successor.sealing.raw, (*self.sealing.former, self.sealing.raw)),
            successor=None,
            former_identities=(*self.former_identities, self.identity.public),
        )

    @property
    def identities(self) -> tuple[IdentityPublic, ...]:
        """The public halves of all identity keys that the node has had, oldest first."""
        return (*self.former_identities, self.identity.public)

    @property
    def public(self) -> PartyKeys:
        """What the party shows of itself."""
        return PartyKeys.bind(self.identity, self.sealing.public)


def _cut(joined: bytes, size: int) -> tuple[bytes, ...]:
    return tuple(joined[at : at + size] for at in range(0, len(joined), size))
