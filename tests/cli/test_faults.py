"""Every fault of a daemon reaches the caller with its code, its exit code and its page; so do absent daemons."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from support.fake_node import FakeNode, every_fault, serving

from trisect.cli import link
from trisect.cli.failures import (
    FlawedResultError,
    InterruptedCommandError,
    PartialError,
    UnforeseenError,
)
from trisect.cli.main import run
from trisect.cli.report import Report
from trisect.cli.settings import Format
from trisect.errors import Fault, TimedOutError, TrisectError
from trisect.rpc import status

from .conftest import Command

EXIT_CODES = {
    Fault.BAD_INPUT: 4,
    Fault.NOT_FOUND: 4,
    Fault.CONFLICT: 1,
    Fault.UNREACHABLE: 2,
    Fault.UNAUTHENTICATED: 2,
    Fault.TIMED_OUT: 3,
    Fault.DENIED: 6,
    Fault.STALE: 8,
    Fault.EXHAUSTED: 1,
    Fault.FAILED: 1,
    Fault.BUG: 5,
}


@pytest.mark.parametrize("error", every_fault(), ids=lambda error: type(error).__name__)
async def test_every_fault(error: TrisectError, trisect: Command, node: FakeNode) -> None:
    node.failures["GetStatus"] = error
    ended = await trisect.json("status")
    assert ended.code == EXIT_CODES[error.fault]
    assert ended.error["code"] == error.code
    assert ended.error["message"] == "said by the node"
    assert ended.error["hint"] == "a hint"
    assert ended.error["rule"] == "a-rule"
    assert ended.error["doc"] == status.page(error)
    assert ended.err == ""


async def test_a_fault_for_people(trisect: Command, node: FakeNode) -> None:
    node.failures["GetStatus"] = every_fault()[0]
    ended = await trisect.text("status")
    assert ended.code == 1
    assert ended.out == ""
    assert ended.err.splitlines() == [
        "error: said by the node",
        "  hint: a hint",
        "  rule: a-rule",
        "  more: docs/errors.md#failures",
    ]


async def test_a_code_that_only_the_node_knows_survives(trisect: Command, node: FakeNode) -> None:
    class WorkerLostError(TrisectError):
        fault = Fault.EXHAUSTED
        code = "TRI-ONLY-THERE"

    node.failures["GetStatus"] = WorkerLostError("lost")
    ended = await trisect.json("status")
    assert ended.code == 1
    assert ended.error["code"] == "TRI-ONLY-THERE"


async def test_a_bug_of_the_node_brings_its_correlation_id(trisect: Command, node: FakeNode) -> None:
    node.failures["GetStatus"] = RuntimeError("+14255550187")  # type: ignore[assignment]
    ended = await trisect.json("status")
    assert ended.code == 5
    assert ended.error["code"] == "TRI-BUG"
    assert len(ended.error["correlation_id"]) == 16


def test_no_daemon(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for place in (tmp_path, tmp_path / "absent"):
        assert run(["--home", str(place), "--format", "json", "status"]) == 2
        found = json.loads(capsys.readouterr().out)["error"]
        assert found["code"] == "TRI-UNREACHABLE"
        assert "trisect-node" in found["hint"]


def test_a_dead_daemons_socket(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = {"pid": os.getpid(), "name": "node", "socket": str(tmp_path / "none.sock")}
    (tmp_path / "daemon.json").write_text(json.dumps(state))
    assert run(["--home", str(tmp_path), "--format", "json", "status"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "TRI-UNREACHABLE"


async def test_the_wrong_kind_of_home(trisect: Command, node: FakeNode, short: Path) -> None:
    assert (await trisect.json("invite", "--party", "x", "--role", "proxy")).code == 4
    async with serving(node, short / "c", name="coordinator") as home:
        assert (await trisect.json("--home", home, "hits")).code == 4
    assert not node.saw("Invite")


async def test_a_stream_that_falls_silent_times_out() -> None:
    async def silent():
        yield 1
        import asyncio

        await asyncio.Event().wait()

    with pytest.raises(TimedOutError):
        async for _ in link.stream(silent(), idle_s=0.01):
            pass


def test_failures_of_the_command_itself(capsys: pytest.CaptureFixture[str]) -> None:
    report = Report(Format.JSON)
    flawed = FlawedResultError("some", data={"checks": []}, text=lambda: None)
    partial = PartialError("some", data={"rejected": 1}, text=lambda: None)
    for error, code in (
        (flawed, 1),
        (partial, 7),
        (InterruptedCommandError("x"), 130),
        (UnforeseenError("id"), 5),
    ):
        assert report.failure(error) == code
    flawed_said, partial_said, *_ = map(json.loads, capsys.readouterr().out.splitlines())
    assert flawed_said["data"] == {"checks": []}
    assert partial_said["data"] == {"rejected": 1}
    assert partial_said["error"]["code"] == "TRI-PARTIAL"
