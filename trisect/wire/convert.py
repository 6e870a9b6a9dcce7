"""The one translation between protobuf and the domain, for what both daemons and the command share."""

from __future__ import annotations

from trisect.errors import BadInputError
from trisect.indicators.readers.batch import COLUMNS, Batch, Reason, Unreadable
from trisect.trust.statements import PartyKeys
from trisect.wire.v1 import collections_pb2, enrolment_pb2


def keys_to_wire(keys: PartyKeys) -> enrolment_pb2.PartyKeys:
    """Write a party's public keys."""
    return enrolment_pb2.PartyKeys(
        identity=keys.identity.raw, sealing=keys.sealing.raw, sealing_signature=keys.sealing_signature
    )


def keys_from_wire(keys: enrolment_pb2.PartyKeys) -> PartyKeys:
    """Read a party's public keys and check them; raises VerificationError."""
    return PartyKeys.from_raw(keys.identity, keys.sealing, keys.sealing_signature)


def batch_to_wire(batch: Batch) -> collections_pb2.RawBatch:
    """Write a batch of raw rows."""
    message = collections_pb2.RawBatch(
        where=batch.where,
        unreadable=[
            collections_pb2.Reject(where=row.where, reason=row.reason.value) for row in batch.unreadable
        ],
    )
    for name, cells in batch.columns.items():
        getattr(message, name).extend(cells)
    return message


def batch_from_wire(message: collections_pb2.RawBatch) -> Batch:
    """Read a batch of raw rows; raises BadInputError where its columns do not agree."""
    columns = {name: list(cells) for name in COLUMNS if (cells := getattr(message, name))}
    try:
        unreadable = [Unreadable(row.where, Reason(row.reason)) for row in message.unreadable]
    except ValueError as error:
        raise BadInputError(
            "a batch has an unreadable row without a known reason",
            hint="bring both ends to the same version of Trisect",
        ) from error
    return Batch(columns, list(message.where), unreadable)
