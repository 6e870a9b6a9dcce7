"""What goes inside sealed frames: a tag, a block number, and elements; or the result of a count.

    tag (1 byte) | block (4 bytes, big endian) | elements (33 bytes each)
    tag (1 byte) | 0 (4 bytes) | count (8 bytes, big endian)

Not here: receipts, which travel as signed documents, and framing (`trisect.trust.channel`).
"""

from __future__ import annotations

import enum
import struct
from typing import NamedTuple

from trisect.errors import VerificationError
from trisect.psi.points import POINT_BYTES

_HEADER = struct.Struct(">BI")
_COUNT = struct.Struct(">Q")


class Tag(enum.IntEnum):
    """What a message carries."""

    BEGIN = 1
    REQUEST = 2
    SETUP = 3
    RESPONSE = 4
    RESULT = 5


class Message(NamedTuple):
    """One block of one kind."""

    tag: Tag
    block: int
    elements: bytes

    def encode(self) -> bytes:
        """Write the message as the plaintext of one frame."""
        return _HEADER.pack(self.tag, self.block) + self.elements

    @property
    def result(self) -> int:
        """The count that a result tells; raises VerificationError."""
        if self.block or len(self.elements) != _COUNT.size:
            raise VerificationError("the result of a count has another form than it should")
        return int(_COUNT.unpack(self.elements)[0])


BEGIN = Message(Tag.BEGIN, 0, b"").encode()
"""The asker's first message."""


def result(count: int) -> bytes:
    """Write the message that tells a count."""
    return Message(Tag.RESULT, 0, _COUNT.pack(count)).encode()


def check_declared(plaintext: bytes, elements: int) -> None:
    """Check that a frame holds as many elements as its header declares.

    Raises:
        VerificationError: it holds more or fewer, so whoever counts headers would be deceived.
    """
    bare = _HEADER.size + (_COUNT.size if plaintext[:1] == bytes([Tag.RESULT]) else 0)
    if len(plaintext) != bare + elements * POINT_BYTES:
        raise VerificationError("a frame holds another number of elements than its header declares")


def decode(plaintext: bytes) -> Message:
    """Read the plaintext of one frame.

    Raises:
        VerificationError: too short, or of an unknown tag.
    """
    if len(plaintext) < _HEADER.size:
        raise VerificationError("a message is cut short")
    tag, block = _HEADER.unpack_from(plaintext)
    try:
        return Message(Tag(tag), block, plaintext[_HEADER.size :])
    except ValueError as error:
        raise VerificationError("a message has a tag that this engine does not know") from error
