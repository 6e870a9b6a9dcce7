"""Signed documents that are sealed with padding, all to one size: whoever carries them learns nothing from it."""

from __future__ import annotations

from dataclasses import dataclass

from trisect.errors import VerificationError
from trisect.trust.keys import SealingKey, SealingPublic

_LENGTH_BYTES = 4
_SEAL_BYTES = 1_136
"""What the seal adds: ML-KEM-768's and X25519's share, and the tag."""


@dataclass(frozen=True, slots=True)
class EqualSeal:
    """How one kind of frame is sealed.

    Attributes:
        plain_bytes: what a frame holds before it is sealed, padding included.
    """

    plain_bytes: int

    @property
    def sealed_bytes(self) -> int:
        """What everybody else sees of a frame."""
        return self.plain_bytes + _SEAL_BYTES

    def fits(self, signed: bytes) -> bool:
        """Tell whether a frame carries this."""
        return len(signed) <= self.plain_bytes - _LENGTH_BYTES

    def seal(self, signed: bytes, to: SealingPublic, context: bytes) -> bytes:
        """Pad and seal; raises VerificationError for what no frame carries."""
        if not self.fits(signed):
            raise VerificationError("a frame holds more than it carries")
        padded = (len(signed).to_bytes(_LENGTH_BYTES, "big") + signed).ljust(self.plain_bytes, b"\0")
        return to.seal(padded, context=context)

    def open(self, frame: bytes, key: SealingKey, context: bytes) -> bytes:
        """Open; raises VerificationError for a frame of another size, key or context."""
        plain = key.open(frame, context=context)
        length = int.from_bytes(plain[:_LENGTH_BYTES], "big")
        if len(plain) != self.plain_bytes or length > self.plain_bytes - _LENGTH_BYTES:
            raise VerificationError("a frame does not have the size that all have")
        return plain[_LENGTH_BYTES : _LENGTH_BYTES + length]


def context(kind: str, consortium: str, sender: str, receiver: str) -> bytes:
    """Say what a seal is bound to: what it holds, and who sends it to whom."""
    return f"trisect/{kind}\x00{consortium}\x00{sender}\x00{receiver}".encode()
