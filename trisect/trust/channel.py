"""The sealed channel between two nodes, through a relay that can read and change nothing.

A signed offer and a signed accept carry ephemeral X25519 and ML-KEM-768 shares. Keys come from both shared
secrets by HKDF over the transcript, one for each direction. Frames are AES-256-GCM with exchange, attempt,
direction, sequence, declared elements and finality bound in. A direction ends with an authenticated final
frame, since a killed peer looks like a clean end of stream. The format: docs/spec/sealed-channel.md.

Not here: signing of offer and accept (`trisect.trust.documents`), and any I/O.
"""

from __future__ import annotations

import enum
import hashlib
import hmac
import struct
from dataclasses import dataclass
from typing import NamedTuple, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from trisect.clock import Randomness
from trisect.errors import VerificationError

FRAME_BYTES = 256 * 1024
"""Largest plaintext of one frame."""

MAX_FRAMES = 1 << 32
SHARE_BYTES = 32 + 1184
REPLY_SHARE_BYTES = 32 + 1088
EXCHANGE_ID_BYTES = 16
_HEADER = struct.Struct(">16sIBQI?")


class Direction(enum.IntEnum):
    """Which way a frame goes."""

    ASKER_TO_ANSWERER = 1
    ANSWERER_TO_ASKER = 2


class Frame(NamedTuple):
    """One sealed frame as it crosses the relay.

    `elements` counts the PSI elements inside, as the relay may count them; it is authenticated.
    """

    sequence: int
    elements: int
    final: bool
    sealed: bytes


@dataclass(frozen=True, slots=True, repr=False)
class ChannelKeys:
    """What both ends derive: a key for each direction, and a secret for what they must agree on."""

    exchange_id: bytes
    attempt: int
    asker_to_answerer: bytes
    answerer_to_asker: bytes
    exporter: bytes

    def export(self, label: bytes, length: int = 32) -> bytes:
        """Derive a value that both ends know and the relay does not."""
        return HKDFExpand(hashes.SHA256(), length, b"trisect/export/v1\x00" + label).derive(self.exporter)

    def _key(self, direction: Direction) -> bytes:
        asks = direction is Direction.ASKER_TO_ANSWERER
        return self.asker_to_answerer if asks else self.answerer_to_asker

    def sealer(self, direction: Direction) -> Sealer:
        """Make the one sender of a direction."""
        return Sealer(self.exchange_id, self.attempt, direction, self._key(direction))

    def opener(self, direction: Direction) -> Opener:
        """Make the one receiver of a direction."""
        return Opener(self.exchange_id, self.attempt, direction, self._key(direction))


class AskerHandshake:
    """The asker's ephemeral keys, from the offer until the accept has come."""

    def __init__(self, randomness: Randomness) -> None:
        self._curve = X25519PrivateKey.from_private_bytes(randomness(32))
        self._kem = MLKEM768PrivateKey.from_seed_bytes(randomness(64))

    @property
    def share(self) -> bytes:
        """What goes into the offer: X25519 (32 bytes), then the ML-KEM-768 encapsulation key (1,184)."""
        return self._curve.public_key().public_bytes_raw() + self._kem.public_key().public_bytes_raw()

    def finish(self, reply: bytes, *, exchange_id: bytes, attempt: int, transcript: bytes) -> ChannelKeys:
        """Derive the keys from the answerer's share.

        Args:
            reply: X25519 (32 bytes), then the ML-KEM ciphertext (1,088).
            exchange_id: 16 bytes.
            attempt: from 1.
            transcript: SHA-256 over everything that both ends have signed, 32 bytes.

        Raises:
            VerificationError: the share is malformed or of low order.
        """
        if len(reply) != REPLY_SHARE_BYTES:
            raise VerificationError("the accept's key share has a wrong length")
        try:
            curve_secret = self._curve.exchange(X25519PublicKey.from_public_bytes(reply[:32]))
            kem_secret = self._kem.decapsulate(reply[32:])
        except ValueError as error:
            raise VerificationError("the accept's key share is not valid") from error
        return _derive(curve_secret + kem_secret, exchange_id, attempt, transcript)


@dataclass(frozen=True, slots=True, repr=False)
class AnswererHandshake:
    """The answerer's reply to an offer's share, and the secret it shares by it."""

    share: bytes
    _secret: bytes

    @classmethod
    def reply(cls, offered: bytes, randomness: Randomness) -> Self:
        """Answer an offer's share with fresh ephemeral keys.

        Raises:
            VerificationError: the share is malformed or of low order.
        """
        if len(offered) != SHARE_BYTES:
            raise VerificationError("the offer's key share has a wrong length")
        curve = X25519PrivateKey.from_private_bytes(randomness(32))
        try:
            curve_secret = curve.exchange(X25519PublicKey.from_public_bytes(offered[:32]))
            kem_secret, ciphertext = MLKEM768PublicKey.from_public_bytes(offered[32:]).encapsulate()
        except ValueError as error:
            raise VerificationError("the offer's key share is not valid") from error
        return cls(curve.public_key().public_bytes_raw() + ciphertext, curve_secret + kem_secret)

    def finish(self, *, exchange_id: bytes, attempt: int, transcript: bytes) -> ChannelKeys:
        """Derive the keys, as `AskerHandshake.finish` does."""
        return _derive(self._secret, exchange_id, attempt, transcript)


class Sealer:
    """Seals one direction's frames in order. Not for two threads."""

    def __init__(self, exchange_id: bytes, attempt: int, direction: Direction, key: bytes) -> None:
        self._bound = (exchange_id, attempt, direction)
        self._aead = AESGCM(key)
        self._sequence = 0
        self._transcript = hashlib.sha256()
        self._finished = False

    @property
    def frames(self) -> int:
        """How many frames have been sealed."""
        return self._sequence

    @property
    def transcript(self) -> bytes:
        """SHA-256 over all sealed frames so far."""
        return self._transcript.digest()

    def seal(self, plaintext: bytes, *, elements: int = 0, final: bool = False) -> Frame:
        """Seal the next frame; a final one carries count and transcript of those before it.

        Args:
            plaintext: at most `FRAME_BYTES`.
            elements: PSI elements inside, below 2^32.
            final: nothing follows in this direction.
        """
        if self._finished:
            raise VerificationError("a frame follows the final one")
        if len(plaintext) > FRAME_BYTES or self._sequence >= MAX_FRAMES:
            raise VerificationError("a frame or a channel is larger than the format allows")
        if final:
            plaintext = _close(self._sequence, self._transcript.digest()) + plaintext
            self._finished = True
        header = _HEADER.pack(*self._bound, self._sequence, elements, final)
        sealed = self._aead.encrypt(_nonce(self._sequence), plaintext, header)
        frame = Frame(self._sequence, elements, final, sealed)
        self._transcript.update(header + sealed)
        self._sequence += 1
        return frame


class Opener:
    """Opens one direction's frames, each exactly once and in order. Not for two threads."""

    def __init__(self, exchange_id: bytes, attempt: int, direction: Direction, key: bytes) -> None:
        self._bound = (exchange_id, attempt, direction)
        self._aead = AESGCM(key)
        self._sequence = 0
        self._transcript = hashlib.sha256()
        self.finished = False

    @property
    def frames(self) -> int:
        """How many frames have been opened."""
        return self._sequence

    @property
    def transcript(self) -> bytes:
        """SHA-256 over all sealed frames so far."""
        return self._transcript.digest()

    def open(self, frame: Frame) -> bytes:
        """Open the next frame.

        Raises:
            VerificationError: dropped, reordered, replayed, changed, spliced or cut short on the way.
        """
        if self.finished:
            raise VerificationError("a frame came after the final one")
        if frame.sequence != self._sequence:
            raise VerificationError(
                f"frame {frame.sequence} came where frame {self._sequence} was due",
                hint="the relay dropped, repeated or reordered frames; nothing of this exchange is used",
            )
        header = _HEADER.pack(*self._bound, frame.sequence, frame.elements, frame.final)
        try:
            plaintext = self._aead.decrypt(_nonce(frame.sequence), frame.sealed, header)
        except (InvalidTag, ValueError) as error:
            raise VerificationError(
                f"frame {frame.sequence} does not verify",
                hint="it was changed on the way, or belongs to another exchange; nothing of it is used",
            ) from error
        if frame.final:
            plaintext = self._check_close(plaintext)
        self._transcript.update(header + frame.sealed)
        self._sequence += 1
        self.finished = frame.final
        return plaintext

    def _check_close(self, plaintext: bytes) -> bytes:
        expected = _close(self._sequence, self._transcript.digest())
        if plaintext[: len(expected)] != expected:
            raise VerificationError("the final frame does not agree with the frames before it")
        return plaintext[len(expected) :]


def transcript_hash(*parts: bytes) -> bytes:
    """Hash what both ends have signed, each part with its length."""
    digest = hashlib.sha256(b"trisect/transcript/v1\x00")
    for part in parts:
        digest.update(struct.pack(">Q", len(part)) + part)
    return digest.digest()


def _derive(secret: bytes, exchange_id: bytes, attempt: int, transcript: bytes) -> ChannelKeys:
    if len(exchange_id) != EXCHANGE_ID_BYTES:
        raise VerificationError("an exchange id does not have 16 bytes")
    extract = hmac.digest(transcript, secret, "sha256")  # HKDF-Extract, salted with the transcript

    def expand(label: bytes) -> bytes:
        info = b"trisect/channel/v1\x00" + label + exchange_id + struct.pack(">I", attempt)
        return HKDFExpand(hashes.SHA256(), 32, info).derive(extract)

    return ChannelKeys(
        exchange_id, attempt, expand(b"asker>answerer"), expand(b"answerer>asker"), expand(b"exporter")
    )


def _nonce(sequence: int) -> bytes:
    return struct.pack(">IQ", 0, sequence)


def _close(frames: int, transcript: bytes) -> bytes:
    return struct.pack(">Q", frames) + transcript
