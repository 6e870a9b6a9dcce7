"""Units, files, questions and progress."""

from __future__ import annotations

import asyncio
import io
import stat
import sys
import threading
from pathlib import Path

import pytest

from trisect.cli import files, progress, screen, units
from trisect.cli.ahead import Ahead
from trisect.cli.call import Call
from trisect.cli.failures import DeclinedError, UsageError
from trisect.cli.report import Report
from trisect.cli.settings import Format, Settings
from trisect.errors import BadInputError


def test_spans() -> None:
    assert [units.seconds(text, "--ttl") for text in ("90s", "30m", "24h", "7d")] == [
        90,
        1_800,
        86_400,
        604_800,
    ]
    for text in ("", "0h", "-1h", "1", "1w", "1h30m", "99999999d"):
        with pytest.raises(UsageError, match="--ttl"):
            units.seconds(text, "--ttl")
    assert [units.span(value) for value in (0.24, 5, 59.4, 60, 3_660, 90_000)] == [
        "0.2s", "5s", "59s", "1m", "1h 1m", "1d 1h",
    ]  # fmt: skip


def test_words_for_people() -> None:
    assert screen.plain(None) == screen.plain("") == screen.plain([]) == "-"
    assert [screen.plain(value) for value in (True, False, 1234, 0.25, ["a", "b"])] == [
        "yes", "no", "1,234", "0.2", "a, b",
    ]  # fmt: skip
    assert screen.count(1, "entry", "entries") == "1 entry"
    assert screen.count(2_000, "hit") == "2,000 hits"
    assert [screen.size(number) for number in (5, 2_048, 5 * 1024**2, 3 * 1024**3)] == [
        "5 B", "2.0 KiB", "5.0 MiB", "3.0 GiB",
    ]  # fmt: skip


def test_a_file_is_whole_or_not_there(tmp_path: Path) -> None:
    path = tmp_path / "f"
    with pytest.raises(ZeroDivisionError), files.written(path) as stream:
        stream.write(str(1 // 0))
    assert list(tmp_path.iterdir()) == []
    with files.written(path) as stream:
        stream.write("x")
        assert not path.exists()
    assert path.read_text() == "x"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(BadInputError):
        files.check_place(tmp_path)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _call(**settings: bool) -> Call:
    return Call(Settings(**settings), Report(Format.TEXT))


def test_questions(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    _call(yes=True).confirm("it will be gone")
    monkeypatch.setattr(sys, "stdin", Terminal("y\n"))
    _call().confirm("it will be gone")
    assert "it will be gone. Go on?" in capsys.readouterr().err
    with pytest.raises(UsageError):
        _call(no_input=True).confirm("it will be gone")
    for answer in ("n\n", "\n", ""):
        monkeypatch.setattr(sys, "stdin", Terminal(answer))
        with pytest.raises(DeclinedError):
            _call().confirm("it will be gone")
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    with pytest.raises(UsageError):
        _call().confirm("it will be gone")


def test_progress_is_a_line_every_ten_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    now = iter([0.0, 5.0, 10.0, 12.0, 20.0])
    with progress.Progress(Report(Format.TEXT), "rows", clock=now.__next__) as shown:
        shown.update("importing", 100, share=0.25)
        shown.update("importing", 200, share=0.5)
        shown.update("importing", 240, share=0.6)
        shown.update("offered", 0, waits_for="bank")
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "importing: 200 rows, 20/s, about 10s left",
        "offered: 0 rows, 0/s, waiting for bank",
    ]


def test_quiet_progress_is_silent_and_jsonl_has_events(capsys: pytest.CaptureFixture[str]) -> None:
    for report in (Report(Format.TEXT, quiet=True), Report(Format.JSONL, quiet=True)):
        now = iter([0.0, 30.0])
        with progress.Progress(report, "rows", clock=now.__next__) as shown:
            shown.update("importing", 100)
    out, err = capsys.readouterr()
    assert err == ""
    assert '"event": "progress"' in out


def test_a_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    err = Terminal()
    monkeypatch.setattr(sys, "stderr", err)
    with progress.Progress(Report(Format.TEXT), "rows") as shown:
        shown.update("importing", 100, share=0.5)
    assert "importing" in err.getvalue()


async def test_ahead_gives_all_in_order_and_never_runs_far() -> None:
    taken = 0
    furthest = 0

    def items():
        nonlocal furthest
        for number in range(200):
            furthest = max(furthest, number - taken)
            yield number

    found = []
    async for number in Ahead(items(), 2):
        found.append(number)
        taken += 1
    assert found == list(range(200))
    assert furthest <= 3


async def test_ahead_raises_what_its_iterator_raises() -> None:
    def items():
        yield 1
        raise BadInputError("broken file")

    with pytest.raises(BadInputError):
        async for _ in Ahead(items(), 2):
            pass


async def test_ahead_does_not_outlive_its_loop_badly() -> None:
    go = threading.Event()

    def items():
        go.wait(10)
        yield 1

    ahead = Ahead(items(), 1)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await anext(ahead)
    go.set()
