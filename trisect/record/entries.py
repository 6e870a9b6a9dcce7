"""What stands in the public record: signed documents as they are, and of others a hash alone.

An entry is read without the record's help: it is an envelope that anybody can verify, or a commitment.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from typing import Any

from trisect.errors import VerificationError
from trisect.rules.offers import ANSWERER, ASKER, Receipt
from trisect.rules.permit import Permit
from trisect.trust import canonical_json, documents
from trisect.trust.canonical_json import Json
from trisect.trust.filings import FILINGS
from trisect.trust.statements import Admission, CoordinatorKey, StandingChange, Succession

PUBLIC = frozenset(
    {Admission.KIND, StandingChange.KIND, Succession.KIND, CoordinatorKey.KIND, Permit.KIND, *FILINGS}
)
"""Kinds of documents of which the record holds the whole; a grant holds sealed peppers, which it must not."""
_COMMITMENT = "commitment"
_BEGINNING = b'{"commitment":'
_PUBLIC = "|".join(map(re.escape, sorted(PUBLIC)))
_STATEMENT = {
    "kind": re.compile(rf"(?!(?:{_PUBLIC})$)[a-z0-9.-]{{1,64}}"),
    "sha256": re.compile("[0-9a-f]{64}"),
}
_RECEIPT = _STATEMENT | {
    "exchange": re.compile("[0-9a-f]{32}"),
    "side": re.compile(f"{ASKER}|{ANSWERER}"),
}


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
    found = _commitment(entry)
    if found:
        return str(found["exchange"]) if "exchange" in found else None
    named, body = documents.peek(entry)
    if named != Permit.KIND:
        return None
    try:
        return base64.b64decode(body["exchange"], validate=True).hex()
    except (KeyError, TypeError, ValueError) as error:
        raise VerificationError("a permit in the record names no exchange") from error


def side(entry: bytes) -> str | None:
    """Tell whose receipt an entry commits to, the asker's or the answerer's; None where it is another entry."""
    found = _commitment(entry)
    return str(found["side"]) if found and "side" in found else None


def _commitment(entry: bytes) -> Mapping[str, Any] | None:
    if not entry.startswith(_BEGINNING):
        return None
    whole = canonical_json.decode(entry)
    found = whole[_COMMITMENT]
    if len(whole) != 1 or not isinstance(found, dict) or not _is_sound(found):
        raise VerificationError("an entry of the record is neither a document nor a commitment to one")
    return found


def _is_sound(found: Mapping[str, Any]) -> bool:
    shapes = _RECEIPT if found.get("kind") == Receipt.KIND else _STATEMENT
    return found.keys() == shapes.keys() and all(
        isinstance(found[name], str) and shape.fullmatch(found[name]) for name, shape in shapes.items()
    )
