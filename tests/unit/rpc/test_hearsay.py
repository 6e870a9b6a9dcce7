"""What a node answers without its signature passes the relay as that node's word, not as the relay's."""

from __future__ import annotations

import asyncio

import pytest
from unit.coordinator.ends import board, request

from trisect.errors import DeniedError, Fault
from trisect.rpc.status import detail, restore
from trisect.wire.v1 import errors_pb2
from trisect.wire.v1 import relay_pb2 as pb


async def refused(error: errors_pb2.ErrorDetail) -> DeniedError:
    switchboard = board()
    link = switchboard.attach("bank")
    calling = asyncio.create_task(switchboard.call("telco", request()))
    message = await link.down.get()
    assert message is not None
    switchboard.answer(link, pb.CallAnswer(call_id=message.call.call_id, error=error))
    with pytest.raises(DeniedError) as caught:
        await calling
    return caught.value


async def test_an_unsigned_error_is_its_nodes_word() -> None:
    found = await refused(detail(DeniedError("party telco has been suspended", hint="give up")))
    assert found.message == "the node of bank says: party telco has been suspended"
    told = restore(detail(found), said_by="the coordinator")
    assert told.message == "the coordinator says: the node of bank says: party telco has been suspended"
    assert told.hint == "give up"


async def test_a_node_chooses_neither_class_nor_length_nor_escapes() -> None:
    found = await refused(
        errors_pb2.ErrorDetail(
            fault=Fault.DENIED.value, code="TRI-BUG", message=f"\x1b[2J\n{'x' * 9_000}", hint="y" * 9_000
        )
    )
    assert (found.fault, found.code) == (Fault.DENIED, "TRI-DENIED")
    assert found.message.startswith("the node of bank says: ?[2J?x")
    assert len(found.message) == len(found.hint) == 500
