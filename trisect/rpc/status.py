"""One table from a fault to a gRPC status, an exit code and a help page, and errors across the wire.

An error travels as a gRPC status plus an `ErrorDetail` in trailing metadata, and is raised at the other end
as the class that it was. Anything that is not ours is a bug: a bare INTERNAL with a correlation id.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import NamedTuple

import grpc
import grpc.aio

from trisect import errors
from trisect.errors import Fault, TrisectError
from trisect.wire.v1 import errors_pb2

DETAIL_KEY = "trisect-error-bin"
MAX_DETAIL_CHARACTERS = 1_000


class Row(NamedTuple):
    """What one fault becomes."""

    status: grpc.StatusCode
    exit_code: int
    page: str


TABLE: dict[Fault, Row] = {
    Fault.BAD_INPUT: Row(grpc.StatusCode.INVALID_ARGUMENT, 4, "input"),
    Fault.NOT_FOUND: Row(grpc.StatusCode.NOT_FOUND, 4, "unknown"),
    Fault.CONFLICT: Row(grpc.StatusCode.FAILED_PRECONDITION, 1, "conflict"),
    Fault.UNREACHABLE: Row(grpc.StatusCode.UNAVAILABLE, 2, "unreachable"),
    Fault.UNAUTHENTICATED: Row(grpc.StatusCode.UNAUTHENTICATED, 2, "authentication"),
    Fault.TIMED_OUT: Row(grpc.StatusCode.DEADLINE_EXCEEDED, 3, "timeouts"),
    Fault.DENIED: Row(grpc.StatusCode.PERMISSION_DENIED, 6, "denials"),
    Fault.STALE: Row(grpc.StatusCode.ABORTED, 8, "stale"),
    Fault.EXHAUSTED: Row(grpc.StatusCode.RESOURCE_EXHAUSTED, 1, "exhausted"),
    Fault.FAILED: Row(grpc.StatusCode.DATA_LOSS, 1, "failures"),
    Fault.BUG: Row(grpc.StatusCode.INTERNAL, 5, "bugs"),
}
_FAULTS = {row.status: fault for fault, row in TABLE.items()}


def _family(root: type[TrisectError]) -> Iterable[type[TrisectError]]:
    yield root
    for child in root.__subclasses__():
        yield from _family(child)


class RemoteBugError(TrisectError):
    """The other end failed in a way that it did not foresee; its log has the details."""

    fault = Fault.BUG
    code = "TRI-BUG"


def exit_code(error: TrisectError) -> int:
    """Tell the exit code that an error ends a command with."""
    return TABLE[error.fault].exit_code


def page(error: TrisectError) -> str:
    """Tell the page of the manual about an error's fault."""
    return f"docs/errors.md#{TABLE[error.fault].page}"


def detail(error: TrisectError, correlation_id: str = "") -> errors_pb2.ErrorDetail:
    """Write an error for the wire."""
    return errors_pb2.ErrorDetail(
        fault=error.fault.value,
        code=error.code,
        message=error.message[:MAX_DETAIL_CHARACTERS],
        hint=error.hint[:MAX_DETAIL_CHARACTERS],
        rule=error.rule[:MAX_DETAIL_CHARACTERS],
        correlation_id=correlation_id,
    )


def restore(found: errors_pb2.ErrorDetail) -> TrisectError:
    """Make the error that a detail describes; an unknown code falls back to its fault's class."""
    family = list(_family(TrisectError))
    by_code = {kind.code: kind for kind in reversed(family)}
    by_fault = {kind.fault.value: kind for kind in reversed(family)}
    kind = by_code.get(found.code) or by_fault.get(found.fault) or RemoteBugError
    error = TrisectError.__new__(kind)
    TrisectError.__init__(error, found.message, hint=found.hint, rule=found.rule)
    return error


def from_rpc(error: grpc.aio.AioRpcError, whom: str) -> TrisectError:
    """Turn what gRPC raised at a caller into ours.

    Args:
        error: what a call raised.
        whom: who was called, for the message: `the node`, `the coordinator`.
    """
    for key, value in error.trailing_metadata() or ():
        if key == DETAIL_KEY and isinstance(value, bytes):
            return restore(errors_pb2.ErrorDetail.FromString(value))
    fault = _FAULTS.get(error.code(), Fault.BUG)
    if fault is Fault.UNREACHABLE:
        return errors.UnreachableError(f"cannot reach {whom}", hint=f"is {whom} running?")
    if fault is Fault.TIMED_OUT:
        return errors.TimedOutError(f"{whom} did not answer in time")
    if error.code() is grpc.StatusCode.CANCELLED:
        return errors.UnreachableError(f"the connection to {whom} was cut")
    if fault is Fault.EXHAUSTED:
        return errors.ExhaustedError(f"{whom} refused a message: too large, or too many at once")
    return RemoteBugError(f"{whom} answered {error.code().name.lower()}", hint=f"see the log of {whom}")


@asynccontextmanager
async def translated(whom: str) -> AsyncIterator[None]:
    """Raise ours for whatever gRPC raises inside."""
    try:
        yield
    except grpc.aio.AioRpcError as error:
        raise from_rpc(error, whom) from error
