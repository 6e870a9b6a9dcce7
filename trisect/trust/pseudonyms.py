"""Pairwise pseudonyms of persons: one for each party that a person's consent names, so that none meets another's.

A proxy derives them from the reference by which it knows the person and a key of its own. Whoever has not that key
can neither tell whose a pseudonym is nor which two are the same person's.
"""

from __future__ import annotations

import base64
import hmac

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from trisect.errors import BadInputError

PSEUDONYM_BYTES = 20
MAX_REFERENCE = 256
_DOMAIN = b"trisect/pseudonym/v1"


class Pseudonyms:
    """Derives pseudonyms at one proxy.

    Args:
        storage: the 32 bytes of its keystore that seal what it keeps.
    """

    def __init__(self, storage: bytes) -> None:
        self._key = HKDF(hashes.SHA256(), 32, salt=None, info=_DOMAIN).derive(storage)

    def of(self, person: str, party: str) -> str:
        """Give the pseudonym of a person towards a party: 32 characters of a-z and 2-7.

        Args:
            person: the proxy's own reference, such as a member's number.
            party: to whom it is told; the proxy's own name for what it keeps itself.

        Raises:
            BadInputError: the reference is empty, too long or holds a character that cannot be printed.
        """
        if not 0 < len(person) <= MAX_REFERENCE or not person.isprintable():
            raise BadInputError(
                f"a person's reference has 1 to {MAX_REFERENCE} printable characters",
                hint="use the number by which the proxy itself knows the person",
            )
        mac = hmac.digest(self._key, f"{party}\x00{person}".encode(), "sha256")[:PSEUDONYM_BYTES]
        return base64.b32encode(mac).decode().lower()
