"""The gate before a real server on a Unix socket: who comes in, what goes out when something fails."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest

from trisect.errors import ConflictError, DeniedError, StaleError, TrisectError, UnauthenticatedError
from trisect.rpc import gate as module
from trisect.rpc import status, tls
from trisect.rpc.admin_socket import socket_channel
from trisect.rpc.authorisation import Access
from trisect.rpc.gate import Gate, caller
from trisect.trust.certificates import Caller, Principal
from trisect.wire.v1 import collections_pb2, collections_pb2_grpc, errors_pb2

PLANTED = "+15550123456"
TELCO = Principal("anti-fraud", Caller.PARTY, "telco")


@dataclass
class Service(collections_pb2_grpc.CollectionsServicer):
    """Raises what a test tells it to, or streams until it is told to stop."""

    error: BaseException | None = None
    running: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    seen: list[str] = field(default_factory=list)

    async def ListCollections(self, _request: Any, _context: Any) -> Any:  # noqa: N802
        self.running.set()
        try:
            if self.error is not None:
                raise self.error
            self.seen.append(caller().name)
            return collections_pb2.ListCollectionsReply()
        finally:
            self.ended.set()

    async def Import(self, _requests: Any, _context: Any) -> AsyncIterator[Any]:  # noqa: N802
        try:
            yield collections_pb2.ImportReply()
            self.running.set()
            if self.error is not None:
                raise self.error
            await asyncio.Event().wait()
        finally:
            self.ended.set()


@dataclass
class House:
    """One server with its gate, and a channel to it."""

    service: Service
    gate: Gate
    channel: grpc.aio.Channel
    asked: list[Access]
    principal: Principal | None = TELCO
    refusal: TrisectError | None = None

    @property
    def stub(self) -> Any:
        return collections_pb2_grpc.CollectionsStub(self.channel)

    async def fails(self) -> tuple[grpc.aio.AioRpcError, TrisectError]:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await self.stub.ListCollections(collections_pb2.ListCollectionsRequest(), timeout=10)
        return caught.value, status.from_rpc(caught.value, "the node")


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    asked: list[Access] = []

    async def authorise(access: Access, context: object) -> Principal | None:
        asked.append(access)
        if made.refusal is not None:
            raise made.refusal
        return made.principal

    gate = Gate(authorise)
    server = tls.server([gate])
    service = Service()
    collections_pb2_grpc.add_CollectionsServicer_to_server(service, server)

    async def secret(request: bytes, context: object) -> bytes:
        service.seen.append("secret")
        return b"secret"

    unlisted = grpc.method_handlers_generic_handler(
        "trisect.wire.v1.Unlisted", {"Secret": grpc.unary_unary_rpc_method_handler(secret)}
    )
    server.add_generic_rpc_handlers((unlisted,))
    path = tmp_path / "s"
    server.add_insecure_port(f"unix:{path}")
    await server.start()
    channel = socket_channel(path)
    made = House(service, gate, channel, asked)
    yield made
    await channel.close()
    await server.stop(0)


async def test_a_call_that_the_table_allows_comes_in_with_its_caller(house: House) -> None:
    await house.stub.ListCollections(collections_pb2.ListCollectionsRequest(), timeout=10)
    assert house.asked == [Access.ADMINISTRATOR]
    assert house.service.seen == ["telco"]


async def test_a_method_without_a_row_is_open_to_nobody(house: House) -> None:
    call = house.channel.unary_unary("/trisect.wire.v1.Unlisted/Secret")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call(b"", timeout=10)
    assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED
    assert isinstance(status.from_rpc(caught.value, "it"), DeniedError)
    assert (house.service.seen, house.asked) == ([], [])


async def test_a_method_that_does_not_exist(house: House) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await house.channel.unary_unary("/trisect.wire.v1.Collections/Nothing")(b"", timeout=10)
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize("error", [UnauthenticatedError("who?"), DeniedError("no", rule="r", hint="ask")])
async def test_whom_the_authoriser_refuses_reaches_no_handler(house: House, error: TrisectError) -> None:
    house.refusal = error
    raw, found = await house.fails()
    assert raw.code() is status.TABLE[error.fault].status
    assert type(found) is type(error)
    assert (found.message, found.hint, found.rule) == (error.message, error.hint, error.rule)
    assert not house.service.running.is_set()


async def test_where_the_transport_names_nobody_a_handler_has_no_caller(house: House) -> None:
    house.principal = None
    _, found = await house.fails()
    assert isinstance(found, DeniedError)
    assert "certificate" in found.message


@pytest.mark.parametrize(
    "error", [ConflictError("first", hint="second"), StaleError("旧", hint="新", rule="r")]
)
async def test_our_errors_arrive_as_they_were(house: House, error: TrisectError) -> None:
    house.service.error = error
    raw, found = await house.fails()
    assert raw.code() is status.TABLE[error.fault].status
    assert (type(found), found.message, found.hint) == (type(error), error.message, error.hint)


@pytest.mark.parametrize("letter", ["x", "金"])
async def test_an_error_with_an_endless_message_still_arrives_as_what_it_is(
    house: House, letter: str
) -> None:
    """Trailing metadata has a limit of its own, beyond which a client sees another status altogether."""
    house.service.error = ConflictError(letter * 60_000, hint="h")
    _, found = await house.fails()
    assert isinstance(found, ConflictError)
    assert found.message.startswith(letter * 100)


async def test_an_error_in_the_middle_of_a_stream_arrives_too(house: House) -> None:
    house.service.error = StaleError("rolled")
    call = house.stub.Import(timeout=10)
    assert await call.read() == collections_pb2.ImportReply()
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call.read()
    assert isinstance(status.from_rpc(caught.value, "it"), StaleError)


@pytest.mark.parametrize("error", [ValueError(PLANTED), KeyError(PLANTED), RuntimeError(PLANTED)])
async def test_a_bug_is_bare_outside_and_logged_once_inside(
    house: House, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    house.service.error = error
    with caplog.at_level(logging.ERROR):
        raw, found = await house.fails()
    assert raw.code() is grpc.StatusCode.INTERNAL
    assert raw.details() == "internal error"
    assert isinstance(found, status.RemoteBugError)
    trailing = dict(raw.trailing_metadata() or ())
    detail = errors_pb2.ErrorDetail.FromString(trailing[status.DETAIL_KEY])
    assert PLANTED not in f"{raw} {raw.debug_error_string()} {detail} {trailing}"
    assert type(error).__name__ not in f"{raw.details()} {detail}"
    (record,) = [record for record in caplog.records if record.name == module.__name__]
    assert vars(record)["correlation_id"] == detail.correlation_id != ""
    assert record.exc_info is not None
    assert PLANTED not in record.getMessage()


async def test_cutting_a_party_ends_its_running_streams_and_no_others(house: House) -> None:
    streaming = house.stub.Import(timeout=30)
    await streaming.read()
    await house.service.running.wait()
    assert house.gate.cut("bank") == 0
    assert house.gate.cut("telco") == 1
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await asyncio.wait_for(streaming.read(), 10)
    found = status.from_rpc(caught.value, "the coordinator")
    assert isinstance(found, DeniedError)
    assert "telco" in found.message
    await asyncio.wait_for(house.service.ended.wait(), 10)
    async with asyncio.timeout(10):
        while house.gate.cut("telco"):
            await asyncio.sleep(0)
    await house.stub.ListCollections(collections_pb2.ListCollectionsRequest(), timeout=10)


async def test_a_call_that_the_client_drops_is_forgotten(house: House) -> None:
    call = house.stub.Import(timeout=30)
    await call.read()
    await house.service.running.wait()
    call.cancel()
    await asyncio.wait_for(house.service.ended.wait(), 10)
    async with asyncio.timeout(10):
        while house.gate.cut("telco"):
            await asyncio.sleep(0)


async def test_a_daemon_that_stops_lets_people_look_and_begins_nothing(house: House) -> None:
    house.gate.stopping = True
    await house.stub.ListCollections(collections_pb2.ListCollectionsRequest(), timeout=10)
    for call in (
        house.stub.DeleteCollection(collections_pb2.DeleteCollectionRequest(), timeout=10),
        house.stub.Import(timeout=10).read(),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call
        assert "being stopped" in status.from_rpc(caught.value, "the node").message
