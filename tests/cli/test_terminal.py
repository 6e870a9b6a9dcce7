"""Whatever others wrote, no command gives it a terminal's attention: every field of every reply is hostile."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.message import Message
from support import fake_node
from support.fake_node import EXCHANGE, NOW, FakeNode, exchange, party

from trisect.cli.progress import Progress
from trisect.cli.report import Report
from trisect.cli.settings import Format
from trisect.errors import Fault, TrisectError
from trisect.rpc.status import restore
from trisect.wire.v1 import (
    collections_pb2,
    coordinator_admin_pb2,
    errors_pb2,
    matching_pb2,
    node_admin_pb2,
    schedules_pb2,
)
from trisect.wire.v1.errors_pb2 import ErrorDetail

from .conftest import Command, Ended
from .test_parts import Terminal

HOSTILE = "\x1b]0;x\x07\x1b[2J\x9b\u202e\u2066\x00\x7f\r\nerror: forged\n  hint: forged"


def poisoned(message: Any, *keep: str) -> Any:
    """Put escapes into every text of a message but those kept, also into messages within."""
    for field in message.DESCRIPTOR.fields:
        value = getattr(message, field.name)
        if isinstance(value, str) and field.name not in keep:
            setattr(message, field.name, f"{value or 'x'}{HOSTILE}")
        elif isinstance(value, Message) and message.HasField(field.name):
            poisoned(value, *keep)
        elif (
            field.message_type is not None
            and not isinstance(value, Message | str)
            and "map" not in field.name
        ):
            for one in value:
                poisoned(one, *keep)
    return message


def check(ended: Ended) -> None:
    for text in (ended.out, ended.err):
        assert [c for c in text if not c.isprintable() and c != "\n"] == []
        assert not [
            line for line in text.splitlines() if line.startswith(("error: forged", "  hint: forged"))
        ]


@pytest.fixture
def _hostile(node: FakeNode, monkeypatch: pytest.MonkeyPatch) -> None:
    node.ending = [poisoned(exchange(key_check="none"), "exchange_id", "state", "end")]
    node.parties = {"bank": poisoned(party("bank"), "name")}
    node.hits = [poisoned(matching_pb2.Hit(exchange_id=EXCHANGE))]
    node.entries = [poisoned(collections_pb2.EntryInfo(), "confidence")]
    collection = collections_pb2.Collection(name="nums", sharings=[collections_pb2.Sharing(purpose="p")])
    node.collections = {"nums": poisoned(collection, "name")}
    match = schedules_pb2.Schedule(id="s0", match=matching_pb2.StartMatchRequest(peer="bank"))
    work = schedules_pb2.Schedule(id="s1", last_result="failed: ")
    getattr(work, "import").path = "/l.csv"
    node.schedules = {"s0": poisoned(match), "s1": poisoned(work)}
    status = poisoned(
        node_admin_pb2.GetStatusReply(admitted=True, links=[node_admin_pb2.Link(to="c", detail="d")])
    )
    enrolled = [coordinator_admin_pb2.EnrolledParty(name="bank")]
    at_coordinator = poisoned(coordinator_admin_pb2.GetCoordinatorStatusReply(parties=enrolled))
    at_coordinator.contested_invitations.append(HOSTILE)
    for services, method, reply in (
        (fake_node._Admin, "GetStatus", status),
        (fake_node.Coordinator, "GetCoordinatorStatus", at_coordinator),
        (fake_node.Coordinator, "Invite", poisoned(coordinator_admin_pb2.InviteReply())),
        (fake_node._Matching, "ExplainMatch", poisoned(matching_pb2.ExplainMatchReply())),
        (fake_node._Matching, "CancelExchange", matching_pb2.CancelExchangeReply(exchange=node.ending[0])),
    ):
        monkeypatch.setattr(services, method, answering(reply))


def answering(reply: Message) -> Any:
    async def answer(_self: object, _request: object, _context: object) -> Message:
        return reply

    return answer


MATCH = ("--collection", "a", "--peer", "bank", "--with", "b", "--purpose", "scam-prevention")


@pytest.mark.usefixtures("_hostile")
@pytest.mark.parametrize(
    "arguments",
    [
        ("status",),
        ("party", "list"),
        ("party", "show", "bank"),
        ("party", "admit", "bank"),
        ("exchange", "list"),
        ("exchange", "show", EXCHANGE),
        ("exchange", "watch", EXCHANGE),
        ("exchange", "cancel", EXCHANGE, "--yes"),
        ("match", *MATCH),
        ("match", *MATCH, "--explain"),
        ("hits",),
        ("schedule", "list"),
        ("collection", "list"),
        ("collection", "show", "nums"),
        ("entry", "show", "--ref", "r", "--collection", "nums"),
    ],
)
async def test_a_hostile_node(arguments: tuple[str, ...], trisect: Command) -> None:
    ended = await trisect.text(*arguments)
    assert ended.code == 0, ended.err
    check(ended)


@pytest.mark.usefixtures("_hostile")
@pytest.mark.parametrize(
    "arguments", [("status",), ("invite", "--party", "bank", "--role", "provider")], ids=["status", "invite"]
)
async def test_a_hostile_coordinator(arguments: tuple[str, ...], coordinator: Command) -> None:
    ended = await coordinator.text(*arguments)
    assert ended.code == 0, ended.err
    check(ended)


@pytest.mark.parametrize("state", ["refused", "failed", "cancelled"])
async def test_a_hostile_refusal(state: str, trisect: Command, node: FakeNode) -> None:
    node.ending = [
        poisoned(
            exchange(state, error=ErrorDetail(fault="denied", code="TRI-DENIED", hint="h", rule="r")),
            "exchange_id",
            "state",
            "fault",
        )
    ]
    for arguments in (("exchange", "watch", EXCHANGE), ("exchange", "show", EXCHANGE), ("match", *MATCH)):
        check(await trisect.text(*arguments))


async def test_a_hostile_error(trisect: Command, node: FakeNode) -> None:
    node.failures["GetStatus"] = TrisectError(f"m{HOSTILE}", hint=f"h{HOSTILE}", rule=f"r{HOSTILE}")
    ended = await trisect.text("status")
    check(ended)
    assert [line.split(":")[0] for line in ended.err.splitlines()] == ["error", "  hint", "  rule", "  more"]


def test_the_mouth_cleans_what_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    report = Report(Format.TEXT)
    report.failure(TrisectError(f"m{HOSTILE}", hint=f"h{HOSTILE}", rule=f"r{HOSTILE}"))
    report.note(f"n{HOSTILE}")
    now = iter([0.0, 30.0])
    with Progress(report, "rows", clock=now.__next__) as shown:
        shown.update(f"p{HOSTILE}", 1, waits_for=f"w{HOSTILE}")
    out, err = capsys.readouterr()
    check(Ended(1, out, err))
    assert len(err.splitlines()) == 6


def test_a_bar_shows_no_escape_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    err = Terminal()
    monkeypatch.setattr(sys, "stderr", err)
    with Progress(Report(Format.TEXT), "rows") as shown:
        shown.update(f"p{HOSTILE}", 1, share=0.5, waits_for=f"w{HOSTILE}")
    said = err.getvalue()
    assert "p?]0;x??[2J??" in said
    assert [mark for mark in ("\x1b]0;", "\x1b[2J\x9b", "\u202e", "\nerror: forged") if mark in said] == []


@pytest.mark.parametrize(
    ("state", "code", "exit_code", "said"),
    [
        ("refused", "TRI-BUG", 6, "TRI-DENIED"),
        ("refused", "TRI-AUTH", 6, "TRI-DENIED"),
        ("refused", "TRI-CTRL-C", 6, "TRI-DENIED"),
        ("failed", "TRI-CTRL-C", 1, "TRI-FAILED"),
        ("failed", "TRI-PARTIAL", 1, "TRI-FAILED"),
        ("failed", "TRI-UNFIT", 1, "TRI-FAILED"),
        ("failed", "TRI-CLIENT-BUG", 1, "TRI-FAILED"),
        ("refused", "TRI-X\x1b[2J", 6, "TRI-DENIED"),
        ("refused", "TRI-LIMIT-7", 6, "TRI-LIMIT-7"),
    ],
)
async def test_a_peer_chooses_no_exit_code(
    state: str, code: str, exit_code: int, said: str, trisect: Command, node: FakeNode
) -> None:
    fault = "denied" if state == "refused" else "failed"
    node.ending = [exchange(state, error=ErrorDetail(fault=fault, code=code, message="no"))]
    ended = await trisect.json("exchange", "watch", EXCHANGE)
    assert (ended.code, ended.error["code"]) == (exit_code, said)


def test_errors_of_the_command_alone_never_come_from_the_wire() -> None:
    from trisect.cli import failures
    from trisect.cli.acts import sending
    from trisect.cli.demo import telling

    own = [
        kind
        for module in (failures, sending, telling)
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, TrisectError) and kind.__module__ == module.__name__
    ]
    assert len(own) >= 8
    for kind in own:
        for fault in Fault:
            back = restore(errors_pb2.ErrorDetail(fault=fault.value, code=kind.code, message=NOW))
            assert not isinstance(back, kind)
            assert back.fault is fault


@pytest.mark.parametrize("settings", [{"NO_COLOR": "1"}, {}], ids=["NO_COLOR", "by default"])
@pytest.mark.parametrize("arguments", [["--help"], ["status"], ["match", "--no-such-option"]], ids=" ".join)
def test_a_terminal_gets_no_colours(arguments: list[str], settings: dict[str, str]) -> None:
    """Nothing is told by colour, so that NO_COLOR has nothing to take away."""
    master, terminal = pty.openpty()
    environment = {"PATH": os.environ["PATH"], "TERM": "xterm-256color", "COLORTERM": "truecolor"} | settings
    program = Path(sys.executable).parent / "trisect"
    with os.fdopen(master, "rb", buffering=0) as screen:
        try:
            process = subprocess.Popen(
                [program, *arguments], stdin=terminal, stdout=terminal, stderr=terminal, env=environment
            )
        finally:
            os.close(terminal)
        shown = b""
        try:
            while more := screen.read(1 << 16):
                shown += more
        except OSError:  # how Linux says that nobody has the terminal open any more
            pass
        process.wait()
    assert shown
    assert not re.search(rb"\x1b\[[0-9;]*m", shown)
