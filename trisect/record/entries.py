"""What stands in the public record: signed documents as they are, and of others a hash alone.

An entry is read without the record's help: it is an envelope that anybody can verify, or a commitment.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from trisect.errors import VerificationError
from trisect.rules.offers import Receipt
from trisect.rules.permit import Permit
from trisect.trust import canonical_json, documents
from trisect.trust.canonical_json import Json
from trisect.trust.filings import FILINGS
from trisect.trust.statements import Admission, CoordinatorKey, StandingChange, Succession

PUBLIC = frozenset(
    {Admission.KIND, StandingChange.KIND, Succession.KIND, CoordinatorKey.KIND, Permit.KIND, *FILINGS}
)
"""Kinds of documents of which the record holds the whole; a grant holds sealed peppers, which it must not."""
OF_EXCHANGES = frozenset({Permit.KIND, Receipt.KIND})
"""Kinds that come from exchanges; every other entry is of a statement."""
_COMMITMENT = "commitment"
_BEGINNING = b'{"commitment":'
_FIELDS = {"kind", "sha256"}
_RECEIPT_FIELDS = _FIELDS | {"exchange", "side"}


def of_document(envelope: bytes) -> bytes:
    """Make the entry of a signed document."""
    kind, _ = documents.peek(envelope)
    if kind in PUBLIC:
        return envelope
    found: dict[str, Json] = {"kind": kind, "sha256": hashlib.sha256(envelope).hexdigest()}
    if kind == Receipt.KIND:
        receipt = Receipt.peek(envelope)
        found |= {"exchange": receipt.exchange.hex(), "side": receipt.side}
    return canonical_json.encode({_COMMITMENT: found})


def document(entry: bytes) -> bytes | None:
    """Give the signed document that an entry is, None where it commits to one only."""
    return None if _commitment(entry) else entry


def kind(entry: bytes) -> str:
    """Tell of what kind the document is that an entry is, or commits to; raises VerificationError."""
    found = _commitment(entry)
    return str(found["kind"]) if found else documents.peek(entry)[0]


def exchange(entry: bytes) -> str | None:
    """Tell of which exchange an entry is, by its id in hex; None where it is of a statement."""
    if kind(entry) not in OF_EXCHANGES:
        return None
    found = _commitment(entry)
    return str(found["exchange"]) if found else Permit.peek(entry).exchange.hex()


def side(entry: bytes) -> str | None:
    """Tell whose receipt an entry commits to, the asker's or the answerer's; None where it is another entry."""
    found = _commitment(entry)
    return str(found["side"]) if found and "side" in found else None


def _commitment(entry: bytes) -> Mapping[str, Any] | None:
    if not entry.startswith(_BEGINNING):
        return None
    found = canonical_json.decode(entry)[_COMMITMENT]
    if not isinstance(found, dict) or set(found) != _fields(found.get("kind")) or found["kind"] in PUBLIC:
        raise VerificationError("an entry of the record is neither a document nor a commitment to one")
    return found


def _fields(kind: object) -> set[str]:
    return _RECEIPT_FIELDS if kind == Receipt.KIND else _FIELDS
