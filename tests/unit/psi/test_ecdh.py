"""The door to openmined-psi: its wire encoding by the library's own classes, and hostile elements.

What is hostile runs in a worker process, as it does in a node: a crash of the library would show as a
worker that is lost, and fails the test.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import numpy as np
import pytest
from private_set_intersection.proto.psi_python_proto_pb.private_set_intersection.proto import psi_pb2
from private_set_intersection.python import psi as library
from unit.psi.conftest import token

from nodes.workers import Worker, Workers
from trisect.errors import VerificationError
from trisect.psi import ecdh
from trisect.psi.ecdh import EcdhClient, EcdhServer
from trisect.psi.halves import Compute, Half, Operation
from trisect.psi.points import POINT_BYTES

COUNT = 20
ITEMS = b"".join(token(at) for at in range(COUNT))
P = 2**256 - 2**224 + 2**192 + 2**96 - 1
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B


def split(data: bytes) -> list[bytes]:
    return [data[at : at + POINT_BYTES] for at in range(0, len(data), POINT_BYTES)]


def on_curve(x: int) -> bool:
    return pow((x**3 - 3 * x + B) % P, (P - 1) // 2, P) == 1


OFF_CURVE = next(x for x in range(5, 100) if not on_curve(x))


def test_a_request_is_the_librarys_own() -> None:
    asker = EcdhClient(ITEMS)
    part = asker.request(3, 5)
    mine = asker.request(0, COUNT)
    message = psi_pb2.Request.FromString(
        asker._engine.CreateRequest([token(at) for at in range(COUNT)]).save()
    )
    assert message.reveal_intersection
    assert split(mine) == list(message.encrypted_elements)
    assert split(part) == split(mine)[3:8]


@pytest.mark.parametrize("count", [1, 3, 4, 200, 500])
def test_records_are_what_protobuf_would_write(count: int) -> None:
    block = np.frombuffer(bytes(range(33)) * count, np.uint8).reshape(count, 33)
    elements = [bytes(range(33))] * count
    request = psi_pb2.Request(reveal_intersection=True, encrypted_elements=elements)
    mine = ecdh._REVEAL_INTERSECTION + ecdh._records(block, ecdh._ELEMENTS_OF_REQUEST)
    assert psi_pb2.Request.FromString(mine) == request
    assert mine == request.SerializeToString(deterministic=True)
    response = psi_pb2.Response(encrypted_elements=elements)
    assert ecdh._records(block, ecdh._ELEMENTS_OF_RESPONSE) == response.SerializeToString()
    body = ecdh._records(block, ecdh._ELEMENTS_OF_RAW)
    setup = psi_pb2.ServerSetup()
    setup.raw.encrypted_elements.extend(elements)
    mine = ecdh._header(ecdh._RAW_FIELD) + ecdh._varint(len(body)) + body
    assert mine == setup.SerializeToString()


def test_a_setup_made_in_pieces_is_the_librarys_whole() -> None:
    answerer = EcdhServer(ITEMS)
    for first in range(0, COUNT, 7):
        answerer.setup(first, min(7, COUNT - first))
    pieces = [
        element
        for first in range(0, COUNT, 6)
        for element in split(answerer.sorted_setup(first, min(6, COUNT - first)))
    ]
    whole = answerer._engine.CreateSetupMessage(
        0.0, COUNT, [token(at) for at in range(COUNT)], library.data_structure.Raw
    ).save()
    assert pieces == list(psi_pb2.ServerSetup.FromString(whole).raw.encrypted_elements)
    assert pieces == sorted(pieces)


def test_a_response_is_the_librarys_own_and_in_order() -> None:
    asker, answerer = EcdhClient(ITEMS), EcdhServer(ITEMS)
    request = asker.request(0, COUNT)
    message = psi_pb2.Request(reveal_intersection=True, encrypted_elements=split(request))
    wanted = psi_pb2.Response.FromString(
        answerer._engine.ProcessRequest(library.cpp_proto_request.Load(message.SerializeToString())).save()
    )
    assert split(answerer.respond(request, COUNT)) == list(wanted.encrypted_elements)
    assert split(answerer.respond(request[5 * 33 : 9 * 33], 4)) == list(wanted.encrypted_elements)[5:9]


def test_every_exchange_has_a_key_of_its_own() -> None:
    assert EcdhClient(ITEMS).request(0, 1) != EcdhClient(ITEMS).request(0, 1)
    one, two = EcdhServer(ITEMS), EcdhServer(ITEMS)
    for engine in (one, two):
        engine.setup(0, COUNT)
    assert not set(split(one.sorted_setup(0, COUNT))) & set(split(two.sorted_setup(0, COUNT)))


def test_an_engine_that_gives_something_else_is_noticed() -> None:
    good = psi_pb2.Response(encrypted_elements=[bytes([2] * 33)] * 3).SerializeToString()
    assert len(ecdh._elements(good, 0, 1, 3)) == 3
    for message, count in ((good, 2), (good, 4), (good[:-1], 3), (b"", 1), (b"\x12" + good[1:], 3)):
        with pytest.raises(VerificationError):
            ecdh._elements(message, 0, 1, count)


@pytest.fixture
async def workers() -> AsyncIterator[Workers]:
    found = Workers(2)
    yield found
    await found.close()


def point(x: int, prefix: int = 2) -> bytes:
    return bytes([prefix]) + x.to_bytes(32, "big")


def spoiled(honest: bytes, element: bytes, at: int = 3) -> bytes:
    return honest[: at * 33] + element + honest[at * 33 + 33 :]


BAD_ELEMENTS = {
    "off the curve": point(OFF_CURVE),
    "x beyond the field": point(2**256 - 1),
    "x equal to the field": point(P),
    "identity-like": bytes(33),
    "prefix 4": point(5, 4),
    "prefix 0": point(5, 0),
    "all ones": b"\xff" * 33,
}
SHAPES: dict[str, Callable[[bytes], bytes]] = {
    "truncated": lambda data: data[:-1],
    "an element short": lambda data: data[:-33],
    "an element more": lambda data: data + data[:33],
    "65-byte points": lambda data: b"\x04" + bytes(64) + data[65:],
    "nothing": lambda _data: b"",
    "an element twice": lambda data: data[:33] + data[:33] + data[66:],
}


async def respond(worker: Worker, elements: bytes) -> list[bytes]:
    return split((await worker.compute(Compute(Operation.RESPOND, 0, COUNT, elements)))[0])


async def test_an_answerer_refuses_hostile_requests_and_lives_on(workers: Workers) -> None:
    honest = EcdhClient(ITEMS).request(0, COUNT)
    async with workers.take() as worker:
        await worker.load(Half.SERVER, ITEMS)
        pid = worker.pid
        for element in BAD_ELEMENTS.values():
            with pytest.raises(VerificationError):
                await respond(worker, spoiled(honest, element))
        for change in SHAPES.values():
            with pytest.raises(VerificationError):
                await respond(worker, change(honest))
        assert len(await respond(worker, honest)) == COUNT
        assert worker.pid == pid


async def asker_with(worker: Worker, blocks: list[tuple[bytes, int]]) -> bytes:
    await worker.load(Half.CLIENT, ITEMS)
    request, _ = await worker.compute(Compute(Operation.REQUEST, 0, COUNT))
    first = 0
    for data, count in blocks:
        await worker.compute(Compute(Operation.ADD_SETUP, first, count, data))
        first += count
    return request


async def test_an_asker_refuses_hostile_setups_and_lives_on(workers: Workers) -> None:
    answerer = EcdhServer(ITEMS)
    answerer.setup(0, COUNT)
    honest = answerer.sorted_setup(0, COUNT)
    parts = split(honest)
    swapped = [*parts[:4], parts[5], parts[4], *parts[6:]]
    doubled = [*parts[:4], parts[4], parts[4], *parts[6:]]
    ordered = parts[0] + parts[1]
    hostile: list[list[tuple[bytes, int]]] = [
        [(b"".join(swapped), COUNT)],
        [(b"".join(doubled), COUNT)],
        [(b"".join(reversed(parts)), COUNT)],
        [(ordered, 2), (parts[1], 1)],
        [(parts[1], 1), (parts[0], 1)],
        *([(change(honest), COUNT)] for change in SHAPES.values()),
        *(
            [(spoiled(honest, element), COUNT)]
            for name, element in BAD_ELEMENTS.items()
            if name in {"identity-like", "prefix 4", "prefix 0", "all ones"}
        ),
    ]
    async with workers.take() as worker:
        for blocks in hostile:
            with pytest.raises(VerificationError):
                await asker_with(worker, blocks)
        request = await asker_with(worker, [(honest, COUNT)])
        _, matched = await worker.compute(
            Compute(Operation.INTERSECT, 0, COUNT, answerer.respond(request, COUNT))
        )
        assert sorted(matched) == list(range(COUNT))


async def test_an_asker_refuses_hostile_responses_and_lives_on(workers: Workers) -> None:
    answerer = EcdhServer(ITEMS)
    answerer.setup(0, COUNT)
    honest = answerer.sorted_setup(0, COUNT)
    async with workers.take() as worker:
        request = await asker_with(worker, [(honest, COUNT)])
        response = answerer.respond(request, COUNT)
        for data in [
            *(spoiled(response, element) for element in BAD_ELEMENTS.values()),
            *(change(response) for change in SHAPES.values()),
        ]:
            with pytest.raises(VerificationError):
                await worker.compute(Compute(Operation.INTERSECT, 0, COUNT, data))
        _, matched = await worker.compute(Compute(Operation.INTERSECT, 0, COUNT, response))
        assert sorted(matched) == list(range(COUNT))


async def test_setup_points_off_the_curve_match_nothing_and_hurt_nobody(workers: Workers) -> None:
    elements = b"".join(sorted(point(OFF_CURVE + (at << 8), 2 + at % 2) for at in range(COUNT)))
    answerer = EcdhServer(ITEMS)
    async with workers.take() as worker:
        request = await asker_with(worker, [(elements, COUNT)])
        response = answerer.respond(request, COUNT)
        assert await worker.compute(Compute(Operation.INTERSECT, 0, COUNT, response)) == (b"", [])


async def test_work_out_of_place_is_refused(workers: Workers) -> None:
    async with workers.take() as worker:
        for operation in Operation:
            with pytest.raises(VerificationError, match="cannot do"):
                await worker.compute(Compute(operation, 0, 1, bytes(33)))
        await worker.load(Half.CLIENT, ITEMS)
        with pytest.raises(VerificationError, match="cannot do"):
            await asyncio.wait_for(worker.compute(Compute(Operation.RESPOND, 0, 1, bytes(33))), 60)
