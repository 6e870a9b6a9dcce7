"""Both daemon programs keep the command's contract: one object under `--format json`, exit codes, no raw text."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.main import get_command

import coordinator.cli
import nodes.cli
from trisect.trust.keys import fingerprint

SECRET = "+12025550143"
BIN = Path(sys.executable).parent
PROGRAMS = {"trisect-node": nodes.cli, "trisect-coordinator": coordinator.cli}

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a program here; gives exit code, stdout and stderr."""

    def ended(program: str, *arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", [program, *map(str, arguments)])
        with pytest.raises(SystemExit) as ending:
            PROGRAMS[program].main()
        out, err = capsys.readouterr()
        return int(ending.value.code or 0), out, err

    return ended


def commands(app: typer.Typer) -> dict[str, Any]:
    return dict(get_command(app).commands)  # type: ignore[attr-defined]


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_command_takes_the_same_format(program: str) -> None:
    found = commands(PROGRAMS[program].app)
    assert len(found) >= 3
    for name, command in found.items():
        options = {option: parameter for parameter in command.params for option in parameter.opts}
        assert list(options["--format"].type.choices) == ["text", "json"], name


@pytest.mark.parametrize("program", PROGRAMS)
def test_errors_follow_the_option_and_no_other_word(program: str, run: Run) -> None:
    for asked in (["--format", "json"], ["--format=json"], ["--format", "text", "--format", "json"]):
        code, out, _ = run(program, "check-config", "--home", "nowhere", *asked)
        assert code == 4
        assert json.loads(out)["error"]["code"] == "TRI-INPUT"
    code, out, err = run(program, "check-config", "--home", "json")
    assert (code, out) == (4, "")
    assert err.startswith("error: cannot read the configuration")
    code, out, err = run(program, "check-config", "--home", "x", "--format", "yaml")
    assert (code, out) == (4, "")
    assert "it takes text, json" in err
    code, out, _ = run(program, "nonsense", "--format", "json")
    assert (code, json.loads(out)["error"]["code"]) == (4, "TRI-USAGE")


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("output", ["text", "json"])
def test_a_bug_is_one_error_and_says_nothing_raw(
    program: str, output: str, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyError(SECRET)

    monkeypatch.setattr(PROGRAMS[program], "read_config", broken)
    code, out, err = run(program, "check-config", "--home", tmp_path, "--format", output)
    assert code == 5
    assert "Traceback" not in err
    assert SECRET not in out + err
    if output == "json":
        found = json.loads(out)["error"]
        assert (found["code"], found["doc"]) == ("TRI-CLIENT-BUG", "docs/errors.md#bugs")
        assert found["correlation_id"] in err
    else:
        assert "error: " in err


def test_results_are_one_object(run: Run, tmp_path: Path) -> None:
    home = tmp_path / "coordinator"
    code, out, _ = run("trisect-coordinator", "init", "--home", home, "--consortium", "c", "--format", "json")
    assert code == 0
    assert json.loads(out) == {
        "schema": 1,
        "status": "ok",
        "data": {"consortium": "c", "home": str(home), "listen": "127.0.0.1:0"},
    }
    code, out, _ = run("trisect-coordinator", "check-config", "--home", home, "--format", "json")
    assert (code, json.loads(out)["data"]) == (0, {"consortium": "c"})
    (home / "config.toml").write_text(
        'consortium = "c"\nparty = "telco"\nrole = "provider"\ncoordinator = "relay:1"\n'
        f'founder = "{fingerprint(b"x")}"\n'
    )
    code, out, _ = run("trisect-node", "check-config", "--home", home, "--format", "json")
    assert (code, json.loads(out)["data"]) == (0, {"consortium": "c", "party": "telco"})


@pytest.mark.parametrize(
    ("place", "when"), [("_watch_database", "while it serves"), ("_register", "when it starts")]
)
def test_a_daemon_that_fails_unforeseen_ends_with_the_code_for_bugs(
    place: str, when: str, run: Run, tmp_path: Path
) -> None:
    run("trisect-coordinator", "init", "--home", tmp_path / "home")
    script = (
        "import sys\nfrom coordinator import app, cli\n"
        f"def broken(*_): raise RuntimeError('{SECRET}')\n"
        "async def fails(_): broken()\n"
        f"app.Coordinator.{place} = fails if {when == 'while it serves'} else broken\n"
        "sys.argv[0] = 'trisect-coordinator'\n"
        "cli.main()\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script, "run", "--home", tmp_path / "home", "--format", "json"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 5, ended.stderr
    assert json.loads(ended.stdout)["error"]["code"] == "TRI-CLIENT-BUG"
    assert not (tmp_path / "home" / "daemon.json").exists()


def test_a_keystore_without_the_authority_is_told_with_its_cure(run: Run, tmp_path: Path) -> None:
    home = tmp_path / "home"
    run("trisect-coordinator", "init", "--home", home)
    kept = json.loads((home / "keystore.json").read_text())
    del kept["secrets"]["authority_key"]
    (home / "keystore.json").write_text(json.dumps(kept))
    ended = subprocess.run(
        [BIN / "trisect-coordinator", "run", "--home", home, "--format", "json"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 4, ended.stderr
    error = json.loads(ended.stdout)["error"]
    assert "lacks authority_key" in error["message"]
    assert "backup" in error["hint"]


@pytest.mark.parametrize("sort", ["a path", "abstract"])
def test_systemd_is_told(sort: str, run: Run, tmp_path: Path) -> None:
    """READY when it serves, and not before; STOPPING when it was told to stop (sd_notify(3))."""
    home, place = tmp_path / "home", str(tmp_path / "n") if sort == "a path" else f"@trisect-{os.getpid()}"
    run("trisect-coordinator", "init", "--home", home)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(place.replace("@", "\0", 1))
        systemd.settimeout(30)
        daemon = subprocess.Popen(
            [BIN / "trisect-coordinator", "run", "--home", home],
            env=os.environ | {"NOTIFY_SOCKET": place},
            stderr=subprocess.DEVNULL,
        )
        with daemon:
            try:
                assert systemd.recv(100) == b"READY=1"
                assert json.loads((home / "daemon.json").read_text())["pid"] == daemon.pid
                daemon.terminate()
                assert systemd.recv(100) == b"STOPPING=1"
                assert daemon.wait(30) == 0
            finally:
                daemon.kill()
        systemd.setblocking(False)
        with pytest.raises(BlockingIOError):
            systemd.recv(100)


@pytest.mark.parametrize(
    ("program", "text", "whose"),
    [
        ("trisect-node", 'consortium = "c"\nlisten = "127.0.0.1:0"\n', "a coordinator"),
        ("trisect-coordinator", 'consortium = "c"\nparty = "bank"\n', "a party's node"),
    ],
)
def test_anothers_home_is_told_from_a_wrong_key(
    program: str, text: str, whose: str, run: Run, tmp_path: Path
) -> None:
    (tmp_path / "config.toml").write_text(text)
    code, _, err = run(program, "check-config", "--home", tmp_path)
    assert (code, f"is the home of {whose}" in err, "--home" in err) == (4, True, True)
