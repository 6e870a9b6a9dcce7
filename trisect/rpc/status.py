"""One table from a fault to a gRPC status, an exit code and a help page, and errors across the wire.

An error travels as a gRPC status plus an `ErrorDetail` in trailing metadata, and is raised at the other end
as the class that it was. Anything that is not ours is a bug: a bare INTERNAL with a correlation id. The other
end chooses all of a detail, so its fault decides what it is here, and its words are made fit for a terminal.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import NamedTuple

import grpc
import grpc.aio
from google.protobuf.message import DecodeError

from trisect import errors
from trisect.errors import Fault, TrisectError
from trisect.rpc.words import bounded
from trisect.wire.v1 import errors_pb2

DETAIL_KEY = "trisect-error-bin"
MAX_DETAIL_CHARACTERS = 1_000
_CODE = re.compile(r"TRI-[A-Z0-9-]{1,40}")
_CORRELATION_ID = re.compile(r"[0-9A-Za-z-]{1,64}")


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
    """The other end failed in a way that it did not foresee; its log has the details.

    Attributes:
        correlation_id: finds them there; empty where the other end told none.
    """

    fault = Fault.BUG
    code = "TRI-BUG"
    cure = "ask whoever runs the other end to look into its log, and report it as a bug"
    correlation_id = ""


def exit_code(error: TrisectError) -> int:
    """Tell the exit code that an error ends a command with."""
    return TABLE[error.fault].exit_code


def page(error: TrisectError) -> str:
    """Tell the page of the manual about an error's fault."""
    return f"docs/errors.md#{TABLE[error.fault].page}"


def detail(error: TrisectError, correlation_id: str = "") -> errors_pb2.ErrorDetail:
    """Write an error for the wire."""
    if isinstance(error, RemoteBugError):
        correlation_id = correlation_id or error.correlation_id
    return errors_pb2.ErrorDetail(
        fault=error.fault.value,
        code=error.code,
        message=error.message[:MAX_DETAIL_CHARACTERS],
        hint=error.hint[:MAX_DETAIL_CHARACTERS],
        rule=error.rule[:MAX_DETAIL_CHARACTERS],
        correlation_id=correlation_id,
    )


def restore(found: errors_pb2.ErrorDetail, *, said_by: str = "") -> TrisectError:
    """Make the error that a detail describes.

    Its fault decides; a code tells the class only where that class has the fault. A code that no class here has
    stays on the error; one that belongs to another fault is dropped, since it would mislead who looks at it.

    Args:
        found: what the other end wrote, in part or whole perhaps at a third one's wish.
        said_by: whose word it is, where nobody has signed it: `the coordinator`. Empty: no need to tell.
    """
    named = _by_code().get(found.code)
    fitting = named is not None and named.crosses_wire and named.fault.value == found.fault
    kind = named if named is not None and fitting else _of_fault(found.fault)
    error = TrisectError.__new__(kind)
    message = f"{said_by} says: {found.message}" if said_by else found.message
    TrisectError.__init__(error, bounded(message), hint=bounded(found.hint), rule=bounded(found.rule))
    if named is None and _CODE.fullmatch(found.code):
        error.code = found.code
    if isinstance(error, RemoteBugError) and _CORRELATION_ID.fullmatch(found.correlation_id):
        error.correlation_id = found.correlation_id
    return error


def _by_code() -> dict[str, type[TrisectError]]:
    return {kind.code: kind for kind in reversed(list(_family(TrisectError)))}


def _of_fault(fault: str) -> type[TrisectError]:
    """Give the class that stands for a fault; an unknown one is a bug of the other end."""
    crossing = (kind for kind in _family(TrisectError) if kind.crosses_wire and kind.fault.value == fault)
    return next(crossing, RemoteBugError)


def from_rpc(error: grpc.aio.AioRpcError, whom: str, *, quoted: bool = False) -> TrisectError:
    """Turn what gRPC raised at a caller into ours.

    Args:
        error: what a call raised.
        whom: who was called, for the message: `the node`, `the coordinator`.
        quoted: whether the message is to say that it is that one's word, as for what a coordinator says of others.
    """
    found = _detail_of(error)
    if found is not None:
        return restore(found, said_by=whom if quoted else "")
    fault = _FAULTS.get(error.code(), Fault.BUG)
    if fault is Fault.UNREACHABLE:
        return errors.UnreachableError(f"cannot reach {whom}", hint=f"is {whom} running?")
    if fault is Fault.TIMED_OUT:
        return errors.TimedOutError(f"{whom} did not answer in time")
    if error.code() is grpc.StatusCode.CANCELLED:
        return errors.UnreachableError(f"the connection to {whom} was cut")
    if fault is Fault.EXHAUSTED:
        return errors.ExhaustedError(
            f"{whom} refused a message: too large, or too many at once",
            hint="try again later, or ask for less at once",
        )
    return RemoteBugError(f"{whom} answered {error.code().name.lower()}", hint=f"see the log of {whom}")


def _detail_of(error: grpc.aio.AioRpcError) -> errors_pb2.ErrorDetail | None:
    for key, value in error.trailing_metadata() or ():
        if key == DETAIL_KEY and isinstance(value, bytes):
            try:
                return errors_pb2.ErrorDetail.FromString(value)
            except DecodeError:
                return None
    return None


@asynccontextmanager
async def translated(whom: str, *, quoted: bool = False) -> AsyncIterator[None]:
    """Raise ours for whatever gRPC raises inside; the arguments are those of `from_rpc`."""
    try:
        yield
    except grpc.aio.AioRpcError as error:
        raise from_rpc(error, whom, quoted=quoted) from error
