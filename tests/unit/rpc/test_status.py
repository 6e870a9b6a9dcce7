"""Errors across the wire: every fault has its row, and every class comes back as what it was."""

from __future__ import annotations

import importlib
import pkgutil
from collections import Counter
from pathlib import Path

import grpc
import grpc.aio
import pytest

import coordinator
import nodes
import trisect
from trisect import errors
from trisect.errors import Fault, TrisectError
from trisect.rpc import status
from trisect.wire.v1 import errors_pb2

SKIPPED = ("trisect.cli", "trisect.store.migrations", "nodes.cli", "coordinator.cli")


def load_everything() -> None:
    """Import all modules of all three packages, so that every error class is known."""
    for package in (trisect, nodes, coordinator):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.startswith(SKIPPED):
                importlib.import_module(module.name)


load_everything()
FAMILY = sorted(
    {
        kind
        for kind in status._family(TrisectError)
        if kind.__module__.split(".")[0] in {"trisect", "nodes", "coordinator"}
    },
    key=lambda kind: kind.__qualname__,
)
CROSSING = [kind for kind in FAMILY if kind.__module__ != "trisect.indicators.forms.reasons"]


def test_every_fault_has_one_row() -> None:
    assert set(status.TABLE) == set(Fault)
    statuses = Counter(row.status for row in status.TABLE.values())
    assert set(statuses.values()) == {1}, "a status tells one fault"
    assert grpc.StatusCode.OK not in statuses
    assert all(row.exit_code in range(1, 9) for row in status.TABLE.values())


def test_the_exit_codes_are_those_of_the_contract() -> None:
    codes = {fault.value: status.TABLE[fault].exit_code for fault in Fault}
    assert codes == {
        "bad_input": 4,
        "not_found": 4,
        "conflict": 1,
        "unreachable": 2,
        "unauthenticated": 2,
        "timed_out": 3,
        "denied": 6,
        "stale": 8,
        "exhausted": 1,
        "failed": 1,
        "bug": 5,
    }


def test_there_are_many_classes_and_no_two_share_a_code() -> None:
    assert len(FAMILY) >= 13
    codes = Counter(kind.code for kind in CROSSING)
    assert [code for code, count in codes.items() if count > 1] == []


def make(kind: type[TrisectError]) -> TrisectError:
    error = TrisectError.__new__(kind)
    TrisectError.__init__(error, "what is wrong", hint="what mends it", rule="rule-7")
    return error


@pytest.mark.parametrize("kind", CROSSING, ids=lambda kind: kind.__name__)
def test_an_error_comes_back_as_what_it_was(kind: type[TrisectError]) -> None:
    sent = status.detail(make(kind), "c0ffee").SerializeToString()
    back = status.restore(errors_pb2.ErrorDetail.FromString(sent))
    assert type(back) is kind
    assert (back.message, back.hint, back.rule) == ("what is wrong", "what mends it", "rule-7")
    assert str(back) == "what is wrong"
    assert back.fault is kind.fault
    assert status.exit_code(back) == status.TABLE[kind.fault].exit_code
    assert status.page(back) == f"docs/errors.md#{status.TABLE[kind.fault].page}"


@pytest.mark.parametrize("fault", Fault)
def test_an_unknown_code_falls_back_to_its_fault(fault: Fault) -> None:
    back = status.restore(errors_pb2.ErrorDetail(fault=fault.value, code="TRI-FUTURE", message="m"))
    assert back.fault is fault


def test_a_detail_of_nothing_known_is_a_bug() -> None:
    assert isinstance(status.restore(errors_pb2.ErrorDetail(fault="?", code="?")), status.RemoteBugError)


def test_a_long_message_is_cut() -> None:
    assert len(status.detail(TrisectError("x" * 5_000)).message) == status.MAX_DETAIL_CHARACTERS


def rpc_error(code: grpc.StatusCode, *trailing: tuple[str, bytes | str]) -> grpc.aio.AioRpcError:
    return grpc.aio.AioRpcError(
        code, grpc.aio.Metadata(), grpc.aio.Metadata(*trailing), details="text of the transport"
    )


@pytest.mark.parametrize("code", [code for code in grpc.StatusCode if code is not grpc.StatusCode.OK])
def test_every_status_without_a_detail_becomes_ours(code: grpc.StatusCode) -> None:
    found = status.from_rpc(rpc_error(code), "the node")
    assert "the node" in found.message
    wanted = {
        grpc.StatusCode.UNAVAILABLE: Fault.UNREACHABLE,
        grpc.StatusCode.CANCELLED: Fault.UNREACHABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED: Fault.TIMED_OUT,
        grpc.StatusCode.RESOURCE_EXHAUSTED: Fault.EXHAUSTED,
    }
    assert found.fault is wanted.get(code, Fault.BUG)


async def test_a_detail_wins_over_the_status() -> None:
    sent = status.detail(errors.StaleError("old", hint="renew"))
    with pytest.raises(errors.StaleError, match="old"):
        async with status.translated("the node"):
            raise rpc_error(
                grpc.StatusCode.UNAVAILABLE, ("other", "x"), (status.DETAIL_KEY, sent.SerializeToString())
            )


def test_the_help_pages_are_named_once() -> None:
    assert len({row.page for row in status.TABLE.values()}) == len(Fault)
    assert Path(trisect.__path__[0]).is_dir()
