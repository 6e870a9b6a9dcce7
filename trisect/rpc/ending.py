"""How a stream really ended, where gRPC forgets it.

A write that fails because the server has just ended the call makes grpc.aio put `INTERNAL: Internal error from
Core` in place of the status that the server sent (grpc/grpc issue 36066, open for 1.85). Whoever writes to a
stream that the other end may end early keeps the status here, at the moment when it arrives.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import grpc
import grpc.aio

from trisect.waiting import set_within

ARRIVES_WITHIN_S = 2.0
_MASK = "Internal error from Core"

T = TypeVar("T")
Stream = grpc.aio.StreamStreamCall[Any, Any] | grpc.aio.StreamUnaryCall[Any, Any]


class Ending:
    """Keeps the status of one call.

    Args:
        call: a call that has just been made.
    """

    def __init__(self, call: Stream) -> None:
        self._call = call
        self._kept: grpc.aio.AioRpcError | None = None
        self._known = asyncio.Event()
        call.add_done_callback(lambda _: self._keep())

    async def of(self, error: grpc.aio.AioRpcError) -> grpc.aio.AioRpcError:
        """Give the error with the status that the server sent; UNAVAILABLE where it went without one."""
        if not _masks(error.code(), error.details()):
            return error
        await set_within(self._known, ARRIVES_WITHIN_S)
        return self._kept or grpc.aio.AioRpcError(
            grpc.StatusCode.UNAVAILABLE,
            error.initial_metadata(),
            error.trailing_metadata(),
            "the connection ended in the middle of a message",
        )

    def _keep(self) -> None:
        """Take the status down; called each time that one is set."""
        code, details = _now(self._call.code()), _now(self._call.details())
        if _masks(code, details):
            return
        self._kept = grpc.aio.AioRpcError(
            code, _now(self._call.initial_metadata()), _now(self._call.trailing_metadata()), details
        )
        self._known.set()


def _masks(code: grpc.StatusCode, details: str | None) -> bool:
    return code is grpc.StatusCode.INTERNAL and details == _MASK


def _now(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that has nothing to wait for: the call has ended."""
    try:
        coroutine.send(None)
    except StopIteration as ended:
        found: T = ended.value
        return found
    coroutine.close()
    raise AssertionError("a call that has ended has a status")
