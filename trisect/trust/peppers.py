"""The chain of peppers under seal: to a party's key when granted, under the keystore's key when kept.

Not here: what a pepper is for (`trisect.indicators.tokens`).
"""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from trisect.clock import Randomness
from trisect.errors import VerificationError
from trisect.indicators.tokens import Pepper
from trisect.trust.keys import PartyName, SealingKey, SealingPublic

PEPPER_BYTES = 32
_NONCE_BYTES = 12


def new_pepper(randomness: Randomness) -> Pepper:
    """Draw the pepper of a new epoch."""
    return Pepper(randomness(PEPPER_BYTES))


def grant_box(peppers: Sequence[Pepper], to: SealingPublic, *, consortium: str, party: PartyName) -> bytes:
    """Seal all peppers, oldest first, to one party's key."""
    return to.seal(b"".join(peppers), context=_context(consortium, party))


def open_box(box: bytes, key: SealingKey, *, consortium: str, party: PartyName) -> tuple[Pepper, ...]:
    """Open a granted box.

    Raises:
        VerificationError: it is not for this party's key, or holds no whole number of peppers.
    """
    return _split(key.open(box, context=_context(consortium, party)))


def keep(peppers: Sequence[Pepper], storage_key: bytes, randomness: Randomness) -> bytes:
    """Seal the chain for the node's own database, AES-256-GCM under the keystore's storage key."""
    nonce = randomness(_NONCE_BYTES)
    return nonce + AESGCM(storage_key).encrypt(nonce, b"".join(peppers), b"trisect/peppers/v1")


def recover(kept: bytes, storage_key: bytes) -> tuple[Pepper, ...]:
    """Open what `keep` sealed.

    Raises:
        VerificationError: the database and the keystore do not belong together.
    """
    try:
        plain = AESGCM(storage_key).decrypt(kept[:_NONCE_BYTES], kept[_NONCE_BYTES:], b"trisect/peppers/v1")
    except (InvalidTag, ValueError) as error:
        raise VerificationError(
            "the peppers in the database do not open with this keystore",
            hint="restore keystore and database from the same node",
        ) from error
    return _split(plain)


def _split(plain: bytes) -> tuple[Pepper, ...]:
    if not plain or len(plain) % PEPPER_BYTES:
        raise VerificationError("a box of peppers has a wrong length")
    return tuple(Pepper(plain[at : at + PEPPER_BYTES]) for at in range(0, len(plain), PEPPER_BYTES))


def _context(consortium: str, party: PartyName) -> bytes:
    return f"trisect/pepper-grant/v1\x00{consortium}\x00{party}".encode()
