"""What an import was asked to do, checked before anything is sent, and its fingerprint."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from io import BufferedReader
from typing import Self

from trisect.cli.failures import UsageError
from trisect.errors import BadInputError
from trisect.indicators.kinds import KINDS, parse_kind
from trisect.indicators.readers import BATCH_ROWS, FIELDS, ReaderName
from trisect.rules.vocabulary import collection_name
from trisect.wire.v1 import collections_pb2 as pb

AUTO = "auto"
_CUT = "trisect/import/v1"
"""Changes whenever the same file would be cut into other batches, so that no import resumes across it."""
_REGION_CHARACTERS = 2


@dataclass(frozen=True, slots=True)
class Options:
    """Options of one import, as the node and the reader take them."""

    collection: str
    kind: str
    mapping: Mapping[str, str]
    region: str
    plus_optional: bool
    trust_plus: bool
    upgrade_legacy: bool
    reader: ReaderName | None
    replace: bool
    source: str
    legal_basis: str
    retention_days: int
    encoding: str = ""

    @classmethod
    def read(
        cls,
        *,
        collection: str,
        kind: str,
        mapping: Sequence[str],
        region: str,
        plus_optional: bool,
        trust_plus: bool,
        upgrade_legacy: bool,
        reader: str,
        replace: bool,
        source: str,
        legal_basis: str,
        retention_days: int,
        encoding: str = "",
    ) -> Self:
        """Check what was typed; raises BadInputError."""
        if reader and reader not in set(ReaderName):
            raise UsageError("there is no such reader", hint=f"readers: {', '.join(ReaderName)}")
        return cls(
            collection=collection_name(collection),
            kind=check_kind(kind),
            mapping=_mapping(mapping),
            region=check_region(region),
            plus_optional=plus_optional,
            trust_plus=trust_plus,
            upgrade_legacy=upgrade_legacy,
            reader=ReaderName(reader) if reader else None,
            replace=replace,
            source=source,
            legal_basis=legal_basis,
            retention_days=retention_days,
            encoding=encoding,
        )

    def begin(self, *, allow_large_drop: bool, fingerprint: bytes) -> pb.ImportBegin:
        """Write the first message."""
        return pb.ImportBegin(
            collection=self.collection,
            kind=self.kind,
            region=self.region,
            plus_optional=self.plus_optional,
            trust_plus=self.trust_plus,
            upgrade_legacy=self.upgrade_legacy,
            replace=self.replace,
            allow_large_drop=allow_large_drop,
            source=self.source,
            legal_basis=self.legal_basis,
            retention_days=self.retention_days,
            fingerprint=fingerprint,
        )

    def fingerprint(self, stream: BufferedReader, name: str) -> bytes:
        """Hash a file and all that decides what becomes of it; leaves the stream at its beginning.

        Leave to drop much (`--yes`) is no part of it: an import that was refused for want of it goes on.
        """
        said = json.dumps([_CUT, BATCH_ROWS, name, asdict(self)], sort_keys=True).encode()
        content = hashlib.file_digest(stream, "sha256").digest()
        stream.seek(0)
        return hashlib.sha256(hashlib.sha256(said).digest() + content).digest()


def check_kind(text: str) -> str:
    """Check a kind's name without repeating it, since it may be a value typed in the wrong place."""
    if text.strip().lower() in {"", AUTO}:
        return AUTO
    usable = [spec.kind.value for spec in KINDS.values() if spec.refusal is None]
    try:
        kind = parse_kind(text)
    except BadInputError:
        raise UsageError("there is no such kind", hint=f"kinds: {AUTO}, {', '.join(usable)}") from None
    refusal = KINDS[kind].refusal
    if refusal is not None:
        raise BadInputError(
            f"no value of kind {kind} is taken: {refusal}", hint=f"kinds that are: {', '.join(usable)}"
        )
    return kind.value


def check_region(text: str) -> str:
    """Check a country code."""
    if text and not (len(text) == _REGION_CHARACTERS and text.isascii() and text.isalpha()):
        raise UsageError("--region is not a country code", hint="two letters of ISO 3166, such as US")
    return text.upper()


def _mapping(pairs: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in pairs:
        field, equals, column = pair.partition("=")
        if field not in FIELDS or not equals or not column or field in found:
            raise UsageError(
                "--map needs FIELD=COLUMN, with each field once", hint=f"fields: {', '.join(FIELDS)}"
            )
        found[field] = column
    return found
