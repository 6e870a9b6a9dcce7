"""From raw rows to rows of the store: the last place where raw values are, in a thread or a process of its own.

Not here: the transaction that stores them (`trisect.store.intake`) and the stream they come by
(`nodes.intake`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from trisect.errors import BadInputError
from trisect.indicators.entries import Entry, RawRow, to_entry
from trisect.indicators.forms import Profile, RejectedError
from trisect.indicators.kinds import KINDS, Kind, parse_kind
from trisect.indicators.labels import AiTechnique, Channel, FraudRole
from trisect.indicators.readers.batch import rows
from trisect.indicators.tokens import Pepper, Tokeniser
from trisect.store.intake import RejectRow, StoredEntry
from trisect.wire.convert import batch_from_wire
from trisect.wire.v1 import collections_pb2

AUTO = "auto"
Converted: TypeAlias = tuple[list[StoredEntry], list[RejectRow]]
"""Rows of the store, sorted by token, and rejects."""


@dataclass(frozen=True, slots=True)
class Spelling:
    """How the rows of one import are to be read."""

    kind: Kind | None
    profile: Profile


def kind_or_auto(text: str) -> Kind | None:
    """Read a kind's name, or `auto` as None; raises BadInputError."""
    return None if text in {"", AUTO} else parse_kind(text)


def convert(data: bytes, spelling: Spelling, peppers: Sequence[Pepper]) -> Converted:
    """Turn a serialised `RawBatch` into rows of the store, sorted by token, and rejects."""
    batch = batch_from_wire(collections_pb2.RawBatch.FromString(data))
    tokeniser = _tokeniser(tuple(peppers))
    taken: list[StoredEntry] = []
    rejects = [RejectRow(row.where, "", row.reason.value) for row in batch.unreadable]
    for row in rows(batch):
        try:
            entry = to_entry(row, default_kind=spelling.kind, profile=spelling.profile, tokeniser=tokeniser)
        except RejectedError as error:
            rejects.append(_reject(row, spelling, error))
        else:
            taken.append(stored(entry))
    taken.sort(key=_token)
    return taken, rejects


def stored(entry: Entry) -> StoredEntry:
    """Lay an entry out as the store's row; unknown and empty become NULL."""
    label = entry.label
    return (
        entry.token,
        KINDS[entry.kind].number,
        entry.ref,
        entry.subject or None,
        label.category or None,
        None if label.fraud_role is FraudRole.UNKNOWN else label.fraud_role.value,
        None if label.channel is Channel.UNKNOWN else label.channel.value,
        None if label.ai_technique is AiTechnique.UNKNOWN else label.ai_technique.value,
        label.confidence,
        label.first_seen.isoformat() if label.first_seen else None,
        label.last_seen.isoformat() if label.last_seen else None,
    )


def _reject(row: RawRow, spelling: Spelling, error: RejectedError) -> RejectRow:
    try:
        kind = parse_kind(row.kind) if row.kind else spelling.kind
    except BadInputError:
        kind = None
    reason = f"{error.reason.value}:{error.column}" if error.column else error.reason.value
    return RejectRow(row.where, kind.value if kind else "", reason)


def _token(row: StoredEntry) -> bytes:
    return row[0]


@lru_cache(maxsize=2)
def _tokeniser(peppers: tuple[Pepper, ...]) -> Tokeniser:
    return Tokeniser(peppers)
