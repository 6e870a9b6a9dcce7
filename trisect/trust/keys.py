"""The keys of a party: Ed25519 to sign, MLKEM768+X25519 to be sealed to.

Fingerprints are what people compare out of band: 160 bits of SHA-256 in base32, in groups of four.
Not here: where keys are kept (`trisect.store.keystore`) and TLS keys (`trisect.trust.certificates`).
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import NewType, Self

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from trisect.clock import Randomness
from trisect.errors import BadInputError, VerificationError

PartyName = NewType("PartyName", str)
"""1 to 63 characters of a-z, 0-9 and '-', as it stands in admissions and certificates."""

Fingerprint = NewType("Fingerprint", str)
"""Eight groups of four base32 characters, lower case, joined by '-'."""

IDENTITY_KEY_BYTES = 32
SEALING_PUBLIC_BYTES = 1184 + 32
SEALING_PRIVATE_BYTES = 64 + 32
_FIELD_PRIME = 2**255 - 19
# The encodings of the eight points of small order (RFC 7748, 6; RFC 8032, 5.1.7), sign bit cleared.
_SMALL_ORDER_Y = {
    0,
    1,
    _FIELD_PRIME - 1,
    2707385501144840649318225287225658788936804267575313519463743609750303402022,
    55188659117513257062467267217118295137698188065244968500265048394206261417927,
}
_SUITE = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)


def fingerprint(public: bytes) -> Fingerprint:
    """Tell the fingerprint of a public key's bytes (of a CA: its DER SubjectPublicKeyInfo)."""
    text = base64.b32encode(hashlib.sha256(public).digest()[:20]).decode().lower()
    return Fingerprint("-".join(text[at : at + 4] for at in range(0, len(text), 4)))


def normal_fingerprint(text: str) -> Fingerprint:
    """Bring a fingerprint as a person types it (spaces, capitals, no dashes) into its one form.

    Raises:
        BadInputError: it does not have 32 base32 characters.
    """
    letters = "".join(text.replace("-", " ").split()).lower()
    if len(letters) != 32 or not set(letters) <= set("abcdefghijklmnopqrstuvwxyz234567"):  # noqa: PLR2004
        raise BadInputError(
            "a fingerprint has eight groups of four letters or digits 2-7",
            hint="copy it from the output of `trisect-node join` at the other party",
        )
    return Fingerprint("-".join(letters[at : at + 4] for at in range(0, 32, 4)))


def is_fingerprint(text: str) -> bool:
    """Tell whether a text is a fingerprint in its one form."""
    try:
        return normal_fingerprint(text) == text
    except BadInputError:
        return False


@dataclass(frozen=True, slots=True)
class IdentityPublic:
    """The public half of a party's identity key: 32 bytes, checked against weak encodings."""

    raw: bytes

    def __post_init__(self) -> None:
        if len(self.raw) != IDENTITY_KEY_BYTES:
            raise VerificationError("an identity key does not have 32 bytes")
        y = int.from_bytes(self.raw, "little") & ((1 << 255) - 1)
        if y >= _FIELD_PRIME or y in _SMALL_ORDER_Y:
            raise VerificationError("an identity key is a low-order or non-canonical point")

    @property
    def fingerprint(self) -> Fingerprint:
        """What people compare out of band."""
        return fingerprint(self.raw)

    def verify(self, signature: bytes, message: bytes) -> None:
        """Check one signature.

        Raises:
            VerificationError: it is not this key's over this message.
        """
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, message)
        except (InvalidSignature, ValueError) as error:
            raise VerificationError(f"a signature is not by the key {self.fingerprint}") from error


@dataclass(frozen=True, slots=True, repr=False)
class IdentityKey:
    """A party's Ed25519 key: 32 secret bytes that never leave its node."""

    raw: bytes

    @classmethod
    def generate(cls, randomness: Randomness) -> Self:
        """Make a new key from 32 random bytes."""
        return cls(randomness(IDENTITY_KEY_BYTES))

    @property
    def private(self) -> Ed25519PrivateKey:
        """The key as `cryptography` wants it."""
        return Ed25519PrivateKey.from_private_bytes(self.raw)

    @property
    def public(self) -> IdentityPublic:
        """The half that others see."""
        return IdentityPublic(self.private.public_key().public_bytes_raw())


@dataclass(frozen=True, slots=True)
class SealingPublic:
    """Whom small secrets are sealed to: ML-KEM-768 (1,184 bytes) and then X25519 (32 bytes)."""

    raw: bytes

    def __post_init__(self) -> None:
        if len(self.raw) != SEALING_PUBLIC_BYTES:
            raise VerificationError(f"a sealing key does not have {SEALING_PUBLIC_BYTES} bytes")

    def seal(self, plaintext: bytes, *, context: bytes) -> bytes:
        """Seal a small message (HPKE base mode, RFC 9180); `context` must be the same on opening."""
        try:
            key = hpke.MLKEM768X25519PublicKey(
                MLKEM768PublicKey.from_public_bytes(self.raw[:1184]),
                X25519PublicKey.from_public_bytes(self.raw[1184:]),
            )
            return bytes(_SUITE.encrypt(plaintext, key, context))
        except ValueError as error:
            raise VerificationError("a sealing key does not decode, or is of low order") from error


@dataclass(frozen=True, slots=True, repr=False)
class SealingKey:
    """The secret half: ML-KEM-768 seed (64 bytes) and then X25519 (32 bytes).

    Attributes:
        raw: the key.
        former: the keys that it has succeeded; what was sealed to one of them still opens.
    """

    raw: bytes
    former: tuple[bytes, ...] = ()

    @classmethod
    def generate(cls, randomness: Randomness) -> Self:
        """Make a new key from 96 random bytes."""
        return cls(randomness(SEALING_PRIVATE_BYTES))

    def _halves(self) -> tuple[MLKEM768PrivateKey, X25519PrivateKey]:
        return (
            MLKEM768PrivateKey.from_seed_bytes(self.raw[:64]),
            X25519PrivateKey.from_private_bytes(self.raw[64:]),
        )

    @property
    def public(self) -> SealingPublic:
        """The half that others see."""
        kem, curve = self._halves()
        return SealingPublic(kem.public_key().public_bytes_raw() + curve.public_key().public_bytes_raw())

    def open(self, sealed: bytes, *, context: bytes) -> bytes:
        """Open what `SealingPublic.seal` made for this key, or a former one, and this context.

        Raises:
            VerificationError: it was sealed to another key or context, or was changed.
        """
        try:
            return bytes(_SUITE.decrypt(sealed, hpke.MLKEM768X25519PrivateKey(*self._halves()), context))
        except (InvalidTag, ValueError) as error:
            if self.former:
                return SealingKey(self.former[-1], self.former[:-1]).open(sealed, context=context)
            raise VerificationError("a sealed message does not open with this key") from error
