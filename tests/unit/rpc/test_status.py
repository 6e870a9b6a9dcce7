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
CROSSING = [
    kind for kind in FAMILY if kind.__module__ != "trisect.indicators.forms.reasons" and kind.crosses_wire
]
"""The command's own classes are among the family where its tests run in the same process."""


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


def restored(fault: Fault, code: str, **words: str) -> TrisectError:
    return status.restore(errors_pb2.ErrorDetail(fault=fault.value, code=code, **words))


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("kind", [status.RemoteBugError, errors.UnauthenticatedError, errors.StaleError])
def test_a_code_never_chooses_the_exit_code(kind: type[TrisectError], fault: Fault) -> None:
    back = restored(fault, kind.code, message="m")
    assert back.fault is fault
    assert status.exit_code(back) == status.TABLE[fault].exit_code
    assert (back.code == kind.code) is (fault is kind.fault)
    assert isinstance(back, kind) is (fault is kind.fault)


def test_an_unknown_code_stays_on_the_error_over_several_hops() -> None:
    back = restored(Fault.DENIED, "TRI-FUTURE-2", message="m")
    assert (type(back), back.code) == (errors.DeniedError, "TRI-FUTURE-2")
    again = status.restore(status.detail(back))
    assert (type(again), again.code) == (errors.DeniedError, "TRI-FUTURE-2")
    assert errors.DeniedError.code == "TRI-DENIED"


@pytest.mark.parametrize(
    "code", ["", "OTHER", "TRI-", "TRI-low", "TRI-A\x1b[2J", "TRI-A\n", f"TRI-{'A' * 41}", "xTRI-A"]
)
def test_what_is_no_code_is_dropped(code: str) -> None:
    assert restored(Fault.DENIED, code).code == errors.DeniedError.code


def test_a_bug_keeps_its_correlation_id_over_several_hops() -> None:
    back = restored(Fault.BUG, "TRI-BUG", correlation_id="c0ffee")
    assert isinstance(back, status.RemoteBugError)
    assert back.correlation_id == "c0ffee"
    assert status.detail(back).correlation_id == "c0ffee"
    for bad in ("", "c0\x1b[2Jffee", "c0ffee\n", "f" * 65):
        found = restored(Fault.BUG, "TRI-BUG", correlation_id=bad)
        assert isinstance(found, status.RemoteBugError)
        assert found.correlation_id == ""


def test_words_from_the_wire_are_bounded_and_steer_no_terminal() -> None:
    hostile = f"a\x1b[2J\u202e\n{'b' * 9_000}"
    back = restored(Fault.DENIED, "TRI-DENIED", message=hostile, hint=hostile, rule=hostile)
    for text in (back.message, back.hint, back.rule, str(back)):
        assert text.startswith("a?[2J??bbb")
        assert len(text) == 500


def test_a_class_of_one_program_alone_never_comes_from_the_wire() -> None:
    class HereError(errors.DeniedError):
        code = "TRI-HERE-ONLY"
        crosses_wire = False

    back = restored(Fault.DENIED, HereError.code, message="m")
    assert (type(back), back.code) == (errors.DeniedError, "TRI-DENIED")


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


async def test_it_can_be_told_whose_word_an_error_is() -> None:
    sent = (status.DETAIL_KEY, status.detail(errors.StaleError("old", hint="renew")).SerializeToString())
    with pytest.raises(errors.StaleError) as caught:
        async with status.translated("the coordinator", quoted=True):
            raise rpc_error(grpc.StatusCode.ABORTED, sent)
    assert (caught.value.message, caught.value.hint) == ("the coordinator says: old", "renew")
    with pytest.raises(errors.UnreachableError, match=r"^cannot reach the coordinator$"):
        async with status.translated("the coordinator", quoted=True):
            raise rpc_error(grpc.StatusCode.UNAVAILABLE)


def test_a_detail_that_cannot_be_read_leaves_the_status() -> None:
    found = status.from_rpc(
        rpc_error(grpc.StatusCode.DEADLINE_EXCEEDED, (status.DETAIL_KEY, b"\xff\xff\xff")), "the node"
    )
    assert isinstance(found, errors.TimedOutError)


def test_the_help_pages_are_named_once() -> None:
    assert len({row.page for row in status.TABLE.values()}) == len(Fault)
    assert Path(trisect.__path__[0]).is_dir()
