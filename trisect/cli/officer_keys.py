"""The files in which officers keep their keys."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from trisect.errors import BadInputError
from trisect.trust.keys import IdentityKey


def read_key(file: Path) -> IdentityKey:
    """Read an officer's key.

    Raises:
        BadInputError: the file cannot be read, can be read by others, or holds no Ed25519 key.
    """
    try:
        if file.stat().st_mode & 0o077:
            raise BadInputError(f"{file} can be read by others", hint=f"chmod 600 {file}")
        found = load_pem_private_key(file.read_bytes(), password=None)
    except OSError as error:
        raise BadInputError(
            f"cannot read {file}: {error.strerror}",
            hint="name a key file that you may read; `trisect officer key` makes one",
        ) from error
    except (ValueError, TypeError) as error:
        raise BadInputError(
            f"{file} holds no officer's key", hint="`trisect officer key` makes one"
        ) from error
    if not isinstance(found, Ed25519PrivateKey):
        raise BadInputError(f"{file} holds a key of another sort", hint="`trisect officer key` makes one")
    return IdentityKey(found.private_bytes_raw())
