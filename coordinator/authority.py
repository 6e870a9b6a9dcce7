"""What the coordinator signs with: its certificate authority, and the key of the record's heads."""

from __future__ import annotations

from pathlib import Path

from trisect.clock import Clock, Randomness
from trisect.errors import BadInputError
from trisect.store import keystore
from trisect.store.keystore import KEYSTORE_FILE
from trisect.trust import certificates
from trisect.trust.certificates import TlsIdentity
from trisect.trust.keys import IdentityKey

_SIGNING_KEY = "signing_key"


def create(home: Path, consortium: str, clock: Clock, randomness: Randomness) -> None:
    """Make a new authority, and a key to sign the record's heads; keep both in the home's keystore."""
    root = certificates.new_authority(consortium, clock())
    secrets = {
        "authority_key": root.key,
        "authority_certificate": root.certificate,
        _SIGNING_KEY: IdentityKey.generate(randomness).raw,
    }
    keystore.save(home / KEYSTORE_FILE, secrets)


def load(home: Path) -> TlsIdentity:
    """Read the authority from the home's keystore; raises BadInputError where it is not in there."""
    secrets = _secrets(home, "authority_key", "authority_certificate")
    return TlsIdentity(secrets["authority_key"], secrets["authority_certificate"])


def signing_key(home: Path, randomness: Randomness) -> IdentityKey:
    """Read the key that signs the record's heads; a home from before there was a record gets one."""
    secrets = _secrets(home)
    if _SIGNING_KEY not in secrets:
        secrets[_SIGNING_KEY] = IdentityKey.generate(randomness).raw
        keystore.save(home / KEYSTORE_FILE, secrets)
    return IdentityKey(secrets[_SIGNING_KEY])


def _secrets(home: Path, *names: str) -> dict[str, bytes]:
    secrets = keystore.load(home / KEYSTORE_FILE)
    if missing := [name for name in names if name not in secrets]:
        raise BadInputError(
            f"the keystore {home / KEYSTORE_FILE} lacks {missing[0]}", hint="restore it from its backup"
        )
    return secrets


def new_invitation_id(randomness: Randomness) -> str:
    """Draw an invitation's id."""
    return randomness(16).hex()
