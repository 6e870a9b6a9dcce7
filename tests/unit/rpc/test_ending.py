"""The status that a server sent is found again, whichever of the two came first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc
import grpc.aio
import pytest

from trisect.rpc import ending

DENIED = (grpc.StatusCode.PERMISSION_DENIED, "no")
MASK = (grpc.StatusCode.INTERNAL, "Internal error from Core")


class Call:
    """A call of grpc.aio as far as its status goes: a later status takes the place of an earlier one."""

    def __init__(self) -> None:
        self.status: tuple[grpc.StatusCode, str] | None = None
        self.callbacks: list[Callable[[Any], None]] = []

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        self.callbacks.append(callback)

    def end(self, status: tuple[grpc.StatusCode, str]) -> None:
        self.status = status
        for callback in self.callbacks:
            callback(self)

    async def code(self) -> grpc.StatusCode:
        assert self.status is not None
        return self.status[0]

    async def details(self) -> str:
        assert self.status is not None
        return self.status[1]

    async def initial_metadata(self) -> grpc.aio.Metadata:
        return grpc.aio.Metadata()

    async def trailing_metadata(self) -> grpc.aio.Metadata:
        return grpc.aio.Metadata(("key", "value"))


def raised(status: tuple[grpc.StatusCode, str]) -> grpc.aio.AioRpcError:
    return grpc.aio.AioRpcError(status[0], grpc.aio.Metadata(), grpc.aio.Metadata(), status[1])


@pytest.mark.parametrize("order", [(DENIED, MASK), (MASK, DENIED), (MASK, DENIED, MASK)])
async def test_the_servers_status_is_kept(order: tuple[tuple[grpc.StatusCode, str], ...]) -> None:
    call = Call()
    found = ending.Ending(call)  # type: ignore[arg-type]
    for status in order:
        call.end(status)
    error = await found.of(raised(MASK))
    assert (error.code(), error.details()) == DENIED
    assert error.trailing_metadata() == grpc.aio.Metadata(("key", "value"))


async def test_other_errors_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ending, "ARRIVES_WITHIN_S", 0.01)
    found = ending.Ending(Call())  # type: ignore[arg-type]
    error = raised(DENIED)
    assert await found.of(error) is error
    lost = await found.of(raised(MASK))
    assert lost.code() is grpc.StatusCode.UNAVAILABLE, "a killed server has sent no status"
