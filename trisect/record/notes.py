"""Signed notes (C2SP `signed-note`): text, and under it the lines of those who signed it.

    trisect/demo
    17
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

    — trisect/demo x08go/ZJkuBS9UG/...

Two kinds of Ed25519 signatures are read: a plain one over the text, and a witness's cosignature with its time
(C2SP `tlog-cosignature`, `cosignature/v1`). Lines of unknown keys are left alone, as the formats demand.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Self

from trisect.errors import VerificationError
from trisect.trust.keys import IdentityKey, IdentityPublic

MAX_BYTES = 64 * 1024
MAX_SIGNATURES = 64
_KEY_ID_BYTES = 4
_TIME_BYTES = 8
_LATEST = 253_402_300_799  # the end of the year 9999
_LINE = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})")
_VKEY = re.compile(r"([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})")


class Algorithm(IntEnum):
    """How a line signs, by the byte that stands for it in key ids."""

    ED25519 = 0x01
    COSIGNATURE = 0x04


@dataclass(frozen=True, slots=True)
class NoteKey:
    """A key under the name and for the kind of signature that it signs notes with."""

    name: str
    algorithm: Algorithm
    public: IdentityPublic

    @property
    def id(self) -> bytes:
        """Four bytes that tell the key from others of its name."""
        body = self.name.encode() + b"\n" + bytes([self.algorithm]) + self.public.raw
        return hashlib.sha256(body).digest()[:_KEY_ID_BYTES]

    def __str__(self) -> str:
        """Write the key as a verifier key (`vkey`), as other tools take it."""
        encoded = base64.b64encode(bytes([self.algorithm]) + self.public.raw).decode()
        return f"{self.name}+{self.id.hex()}+{encoded}"

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read a verifier key; raises VerificationError."""
        found = _VKEY.fullmatch(text)
        raw = decoded(found[3]) if found else b""
        if found is None or not raw or raw[0] not in set(Algorithm):
            raise VerificationError("a verifier key is not NAME+ID+KEY of a kind that Trisect reads")
        key = cls(found[1], Algorithm(raw[0]), IdentityPublic(raw[1:]))
        if key.id.hex() != found[2]:
            raise VerificationError("a verifier key's id is not that of its name and key")
        return key


@dataclass(frozen=True, slots=True)
class Signature:
    """One line under a note, which nobody has checked yet."""

    name: str
    key_id: bytes
    body: bytes

    def __str__(self) -> str:
        """Write the line."""
        return f"— {self.name} {base64.b64encode(self.key_id + self.body).decode()}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A text that ends in a newline, and who says to have signed it."""

    text: str
    signatures: tuple[Signature, ...] = ()

    @classmethod
    def parse(cls, note: str) -> Self:
        """Read a note; raises VerificationError."""
        if len(note.encode()) > MAX_BYTES or any(character < " " and character != "\n" for character in note):
            raise VerificationError("a signed note is too long, or holds what no note may hold")
        text, separator, lines = note.rpartition("\n\n")
        if not separator or not lines.endswith("\n"):
            raise VerificationError("a signed note has no signatures")
        found = [_LINE.fullmatch(line) for line in lines[:-1].split("\n")]
        if len(found) > MAX_SIGNATURES or not all(found):
            raise VerificationError(f"a signed note does not have 1 to {MAX_SIGNATURES} signature lines")
        read = [(line[1], decoded(line[2])) for line in found if line]
        return cls(
            text + "\n",
            tuple(Signature(name, raw[:_KEY_ID_BYTES], raw[_KEY_ID_BYTES:]) for name, raw in read),
        )

    def __str__(self) -> str:
        """Write the note."""
        return f"{self.text}\n{''.join(map(str, self.signatures))}"

    def signed(self, key: NoteKey, private: IdentityKey) -> Self:
        """Give the note with a plain signature under it."""
        return self.with_signature(Signature(key.name, key.id, private.private.sign(self.text.encode())))

    def cosigned(self, key: NoteKey, private: IdentityKey, time_s: int) -> Self:
        """Give the note with a witness's cosignature of a time, in seconds since 1970."""
        body = time_s.to_bytes(_TIME_BYTES, "big") + private.private.sign(_cosigned_text(time_s, self.text))
        return self.with_signature(Signature(key.name, key.id, body))

    def with_signature(self, signature: Signature) -> Self:
        """Give the note with one more line, in place of a former one of the same key."""
        others = (
            other
            for other in self.signatures
            if (other.name, other.key_id) != (signature.name, signature.key_id)
        )
        return type(self)(self.text, (*others, signature))

    def verify(self, key: NoteKey) -> int:
        """Check that a key has signed the note.

        Returns:
            The time of a cosignature, in seconds since 1970; 0 for a plain signature.

        Raises:
            VerificationError: it has not, or a line that names it does not hold.
        """
        lines = [line.body for line in self.signatures if (line.name, line.key_id) == (key.name, key.id)]
        if not lines:
            raise VerificationError(f"a note is not signed by {key.name}")
        times = [_check(key, body, self.text) for body in lines]
        return max(times)

    def signers(self, keys: Iterable[NoteKey]) -> dict[NoteKey, int]:
        """Tell which of some keys have signed the note, each with the time of its cosignature.

        Raises:
            VerificationError: a line that names one of them does not hold.
        """
        named = {(line.name, line.key_id) for line in self.signatures}
        return {key: self.verify(key) for key in keys if (key.name, key.id) in named}


def _check(key: NoteKey, body: bytes, text: str) -> int:
    if key.algorithm is Algorithm.ED25519:
        key.public.verify(body, text.encode())
        return 0
    time_s = int.from_bytes(body[:_TIME_BYTES], "big")
    if time_s > _LATEST:
        raise VerificationError("a cosignature's time is none")
    key.public.verify(body[_TIME_BYTES:], _cosigned_text(time_s, text))
    return time_s


def _cosigned_text(time_s: int, text: str) -> bytes:
    return f"cosignature/v1\ntime {time_s}\n{text}".encode()


def decoded(text: str) -> bytes:
    """Read base64 in its one spelling; raises VerificationError."""
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise VerificationError("a signed note holds a signature that is not base64") from error
    if base64.b64encode(raw).decode() != text:
        raise VerificationError("a signed note holds a signature that is not canonical base64")
    return raw
