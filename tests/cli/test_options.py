"""Global options before and after the command, and command lines that cannot be read."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from trisect import __version__
from trisect.cli.main import run
from trisect.cli.settings import Format, format_of

VALUE = "+14255550187"


def _error(capsys: pytest.CaptureFixture[str]) -> dict:
    out, _ = capsys.readouterr()
    assert VALUE not in out
    whole = json.loads(out)
    assert whole["schema"] == 1
    assert whole["status"] == "error"
    return whole["error"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--format", "json"],
        ["party", "--format", "json"],
        [VALUE, "--format", "json"],
        ["status", VALUE, "--format=json"],
        ["--format", "json", "match", "--bogus"],
        ["--format", "json", "match", f"-{VALUE}"],
        ["--format", "json", "match", "--collection"],
        ["--format", "json", "invite", "--party", "x", "--role", VALUE],
        ["--format", "json", "exchange", "list", "--limit", VALUE],
        ["--format", "text", "status", "--format", "json", "--home"],
        ["--format", "json", "entry", "add"],
        ["--format", "json", "status"],
    ],
)
def test_bad_usage_is_one_error_object(
    arguments: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TRISECT_HOME", raising=False)
    assert run(arguments) == 4
    found = _error(capsys)
    assert found["code"] == "TRI-USAGE"
    assert found["doc"] == "docs/errors.md#input"
    assert found["hint"]


def test_bad_usage_in_text_says_nothing_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["match", "--colection", "x"]) == 4
    out, err = capsys.readouterr()
    assert out == ""
    assert "--collection" in err
    assert "docs/errors.md#input" in err


def test_a_group_alone_shows_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["party"]) == 4
    out, err = capsys.readouterr()
    assert out == ""
    assert "admit" in err


def test_the_last_of_global_options_wins(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRISECT_HOME", "/nowhere/variable")
    for arguments, home in (
        (["status"], "/nowhere/variable"),
        (["--home", "/nowhere/a", "status"], "/nowhere/a"),
        (["--home", "/nowhere/a", "status", "--home", "/nowhere/b"], "/nowhere/b"),
        (["party", "--home", "/nowhere/b", "list"], "/nowhere/b"),
        (["party", "--home", "/nowhere/b", "list", "--home=/nowhere/c"], "/nowhere/c"),
    ):
        assert run(["--format", "json", *arguments]) == 2
        assert home in _error(capsys)["message"]
    assert run(["--format", "json", "status", "--format", "text"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")


def test_format_is_told_from_what_cannot_be_parsed() -> None:
    assert format_of(["x"]) is Format.TEXT
    assert format_of(["--format", "json", "x", "--format=jsonl"]) is Format.JSONL
    assert format_of(["--format", "json", "x", "--format", "xml"]) is Format.JSON
    assert format_of(["--", "--format", "json"]) is Format.TEXT
    assert format_of(["--format"]) is Format.TEXT


@pytest.mark.parametrize("limit", ["0", "1001", "10000"])
def test_a_number_out_of_bounds_is_told_the_bounds(limit: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--format", "json", "exchange", "list", "--limit", limit]) == 4
    assert _error(capsys)["hint"] == "it takes 1 to 1,000"


def test_the_version_in_every_format(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"trisect {__version__}\n"
    for arguments in (["--version", "--format", "json"], ["--format", "jsonl", "--version"]):
        assert run(arguments) == 0
        found = json.loads(capsys.readouterr().out)
        assert (found["schema"], found["status"], found["data"]) == (1, "ok", {"version": __version__})
        assert found.get("terminal", False) is ("jsonl" in arguments)


def test_jsonl_marks_its_last_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--format", "jsonl", "match"]) == 4
    assert json.loads(capsys.readouterr().out)["terminal"] is True


@pytest.mark.parametrize("raised", [RuntimeError(VALUE), ValueError(VALUE), KeyError(VALUE)])
def test_a_bug_says_where_but_never_what(
    raised: Exception, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise raised

    monkeypatch.setattr("trisect.cli.call.Call.home", broken)
    assert run(["--format", "json", "status"]) == 5
    out, err = capsys.readouterr()
    found = json.loads(out)["error"]
    assert found["code"] == "TRI-CLIENT-BUG"
    assert found["correlation_id"] in err
    assert "acts/status.py" in err
    assert VALUE not in out + err


def test_a_pipe_that_goes_away_is_no_bug() -> None:
    command = f"{sys.executable} -m trisect.cli doctor --help | true; echo ${{PIPESTATUS[0]}}"
    ended = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=True)
    assert "Traceback" not in ended.stderr
    assert ended.stdout.strip() in {"0", "1"}


@pytest.mark.parametrize("where", ["text", "json"])
def test_a_full_disk_is_no_bug(where: str) -> None:
    command = f"{sys.executable} -m trisect.cli doctor --format {where} > /dev/full"
    ended = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert ended.stderr.startswith("error: there is no room to write")
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_knows_commands_and_their_words(shell: str) -> None:
    def completed(words: str) -> str:
        *_, last = words.split()
        environment = os.environ | {
            "_TRISECT_COMPLETE": f"complete_{shell}",
            "_TYPER_COMPLETE_ARGS": words,
            "_TYPER_COMPLETE_FISH_ACTION": "get-args",
            "_TYPER_COMPLETE_WORD_TO_COMPLETE": last,
            "COMP_WORDS": words,
            "COMP_CWORD": str(len(words.split()) - 1),
        }
        return subprocess.run(
            [sys.executable, "-c", "from trisect.cli.main import main; main()"],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        ).stdout

    assert "collection" in completed("trisect coll")
    assert "scam-prevention" in completed("trisect match --purpose scam")
    assert "jsonl" in completed("trisect status --format jso")


def test_help_loads_no_grpc() -> None:
    code = (
        "import sys; from trisect.cli.main import run; run(['--help']);"
        "sys.exit(any(name in sys.modules for name in ('grpc', 'cryptography', 'numpy', 'sqlalchemy')))"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=False).returncode
        == 0
    )
