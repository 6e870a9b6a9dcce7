"""Signed documents, and contents of filings, whose fields are those of a dataclass."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, ClassVar, Self

from trisect.errors import VerificationError
from trisect.trust import documents
from trisect.trust.canonical_json import Json
from trisect.trust.documents import Signed
from trisect.trust.keys import IdentityKey, IdentityPublic

_BYTES = "bytes"
_INT = "int"


class Fields:
    """A dataclass whose fields are text, whole numbers and bytes (base64 in JSON)."""

    WHAT: ClassVar[str] = "a document"
    """What it is, for errors."""

    def to_body(self) -> dict[str, Json]:
        """Write the fields."""
        body: dict[str, Json] = {}
        for field in fields(self):  # type: ignore[arg-type]  # every subclass is a dataclass
            value = getattr(self, field.name)
            body[field.name] = base64.b64encode(value).decode() if isinstance(value, bytes) else value
        return body

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> Self:
        """Read the fields, all of them and no other; raises VerificationError."""
        values: dict[str, Any] = {}
        for field in fields(cls):  # type: ignore[arg-type]  # every subclass is a dataclass
            value = body.get(field.name)
            expected = int if field.type == _INT else str
            if not isinstance(value, expected) or isinstance(value, bool):
                raise VerificationError(f"{cls.WHAT} has no sound field {field.name}")
            values[field.name] = _decoded(value, field.name) if field.type == _BYTES else value
        if set(body) != set(values):
            raise VerificationError(f"{cls.WHAT} has a field that it must not have")
        return cls(**values)


class Document(Fields):
    """A signed document."""

    KIND: ClassVar[str]

    def __init_subclass__(cls) -> None:
        cls.WHAT = f"a document of the kind {cls.KIND}"

    def sign(self, key: IdentityKey) -> bytes:
        """Sign the document; gives the envelope."""
        return documents.sign(self.KIND, self.to_body(), [key])

    @classmethod
    def verify(cls, envelope: bytes, *keys: IdentityPublic, signers: int = 1) -> tuple[Self, Signed]:
        """Check shape, and that as many of the keys have signed; raises VerificationError."""
        signed = documents.verify(envelope, cls.KIND, keys, threshold=signers)
        return cls.from_body(signed.body), signed

    @classmethod
    def peek(cls, envelope: bytes) -> Self:
        """Read without checking the signature."""
        kind, body = documents.peek(envelope)
        if kind != cls.KIND:
            raise VerificationError(f"a document is not of the kind {cls.KIND}")
        return cls.from_body(body)


def _decoded(text: Any, name: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise VerificationError(f"a document's field {name} is not base64") from error
