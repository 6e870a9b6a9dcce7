"""Signed documents: DSSE envelopes over canonical JSON, Ed25519, a payload type of its own for each.

`verify` raises; it never returns a bool. A signature counts only under the payload type that the reader
expects, so that an admission can never pass for a suspension.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import FormatError
from securesystemslib.exceptions import VerificationError as DsseError
from securesystemslib.signer import CryptoSigner, SSlibKey

from trisect.errors import VerificationError
from trisect.trust import canonical_json
from trisect.trust.canonical_json import Json
from trisect.trust.keys import IdentityKey, IdentityPublic

MAX_SIGNATURES = 16
_PREFIX = "application/vnd.trisect."
_SUFFIX = "+json"


@dataclass(frozen=True, slots=True)
class Signed:
    """A verified document: its body, who signed, and the hash of the signed payload."""

    kind: str
    body: Mapping[str, Any]
    signers: frozenset[bytes]
    payload_hash: bytes


def sign(kind: str, body: Mapping[str, Json], keys: Iterable[IdentityKey]) -> bytes:
    """Sign a body as a document of that kind.

    Args:
        kind: the document's name with its version, such as `admission.v1`.
        body: what is said.
        keys: who signs; order does not matter.

    Returns:
        The envelope as JSON, ready to store or send.
    """
    envelope = Envelope(canonical_json.encode(dict(body)), payload_type(kind), {})
    for key in keys:
        envelope.sign(CryptoSigner(key.private, _dsse_key(key.public)))
    return _written(envelope)


def countersign(envelope: bytes, key: IdentityKey) -> bytes:
    """Add a signature to a document, whatever it says; raises VerificationError where it is malformed."""
    parsed = _parse(envelope)
    parsed.sign(CryptoSigner(key.private, _dsse_key(key.public)))
    return _written(parsed)


def signers(envelope: bytes) -> frozenset[bytes]:
    """List the raw keys that a document is said to be signed by, unchecked."""
    return frozenset(bytes.fromhex(keyid) for keyid in _parse(envelope).signatures)


def verify(envelope: bytes, kind: str, keys: Iterable[IdentityPublic], *, threshold: int = 1) -> Signed:
    """Check that at least `threshold` of the keys signed this document as one of that kind.

    Raises:
        VerificationError: the envelope is malformed, of another kind, or lacks signatures.
    """
    parsed = _parse(envelope)
    if parsed.payload_type != payload_type(kind):
        raise VerificationError(f"a signed document is not of the kind {kind}")
    known = {key.raw.hex(): key for key in keys}
    try:
        accepted = parsed.verify([_dsse_key(key) for key in known.values()], threshold)
    except (DsseError, ValueError) as error:
        raise VerificationError(f"a document of the kind {kind} is not signed by whom it must be") from error
    return Signed(
        kind=kind,
        body=canonical_json.decode(parsed.payload),
        signers=frozenset(bytes.fromhex(keyid) for keyid in accepted),
        payload_hash=_hash(parsed),
    )


def payload_hash(envelope: bytes) -> bytes:
    """Give the hash of what was signed, which does not depend on who has signed it."""
    return _hash(_parse(envelope))


def peek(envelope: bytes) -> tuple[str, Mapping[str, Any]]:
    """Read kind and body **without** checking any signature, to learn whose key to check it with."""
    parsed = _parse(envelope)
    kind = parsed.payload_type.removeprefix(_PREFIX).removesuffix(_SUFFIX)
    if parsed.payload_type != payload_type(kind):
        raise VerificationError("a signed document is of no kind that Trisect knows")
    return kind, canonical_json.decode(parsed.payload)


def payload_type(kind: str) -> str:
    """Give the DSSE payload type of a kind of document."""
    return f"{_PREFIX}{kind}{_SUFFIX}"


def _hash(parsed: Envelope) -> bytes:
    return hashlib.sha256(parsed.pae()).digest()


def _written(envelope: Envelope) -> bytes:
    return json.dumps(envelope.to_dict(), separators=(",", ":"), sort_keys=True).encode()


def _dsse_key(key: IdentityPublic) -> SSlibKey:
    return SSlibKey(key.raw.hex(), "ed25519", "ed25519", {"public": key.raw.hex()})


def _parse(envelope: bytes) -> Envelope:
    if len(envelope) > 2 * canonical_json.MAX_BYTES:
        raise VerificationError("a signed document is larger than any that Trisect writes")
    try:
        fields = json.loads(envelope)
        if len(fields["signatures"]) > MAX_SIGNATURES:
            raise VerificationError(f"a document carries more than {MAX_SIGNATURES} signatures")
        return Envelope.from_dict(fields)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, FormatError) as error:
        raise VerificationError("a signed document is malformed") from error
