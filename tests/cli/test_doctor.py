"""What the doctor finds, and what cures it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import ModuleType

import pytest

from trisect.cli.acts import doctor
from trisect.cli.checks import home, machine, software
from trisect.cli.checks.finding import Finding
from trisect.cli.main import run

from .conftest import Command


async def test_a_fit_machine(trisect: Command) -> None:
    ended = await trisect.bare("doctor", "--format", "json")
    found = {check["name"]: check for check in ended.data["checks"]}
    assert {"python", "platform", "openssl", "grpcio", "protobuf", "psi", "clock", "disk", "memory"} <= set(
        found
    )
    assert all(set(check) == {"name", "ok", "detail", "cure"} for check in found.values())
    assert found["protobuf"]["detail"] == "6.30.2"
    assert found["psi"]["ok"]


async def test_a_home_with_faults(trisect: Command) -> None:
    trisect.home.chmod(0o755)
    (trisect.home / "config.toml").write_text("party = ")
    ended = await trisect.json("doctor")
    assert ended.code == 1
    assert ended.error["code"] == "TRI-UNFIT"
    found = {check["name"]: check for check in ended.whole["data"]["checks"]}
    assert found["home"]["cure"] == f"chmod 700 {trisect.home}"
    assert not found["config"]["ok"]
    assert found["daemon"]["ok"]
    assert found["socket"]["ok"]


def test_faults_for_people(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        doctor.software, "findings", lambda: [Finding("psi", ok=False, detail="dead", cure="heal it")]
    )
    assert run(["doctor"]) == 1
    out, err = capsys.readouterr()
    assert "FAULT  psi" in out
    assert "psi: heal it" in out
    assert "1 check failed: psi" in err


@pytest.mark.parametrize(
    ("machine_is", "word"),
    [
        (("linux", "x86_64", "glibc", "2.35"), ""),
        (("darwin", "arm64", "", ""), ""),
        (("linux", "aarch64", "glibc", "2.39"), "aarch64"),
        (("linux", "x86_64", "", ""), "musl"),
        (("linux", "x86_64", "glibc", "2.31"), "2.35"),
        (("darwin", "x86_64", "", ""), "Intel"),
        (("win32", "AMD64", "", ""), "win32"),
    ],
)
def test_platforms(machine_is: tuple[str, str, str, str], word: str) -> None:
    found = software.platform_finding(*machine_is)
    assert found.ok == (not word)
    assert word in found.cure


def test_a_library_that_takes_its_process_down_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "abort_now.py").write_text("import os; os.abort()")
    (tmp_path / "fail_now.py").write_text("raise SystemExit('no such library')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert "SIGABRT" in software.psi("abort_now").detail
    assert "no such library" in software.psi("fail_now").detail
    assert software.psi().ok


def test_clocks() -> None:
    steady = iter([0.0, 0.1])
    assert machine.clock(iter([4e9, 4e9 + 0.1]).__next__, steady.__next__, lambda _: None).ok
    jumped = machine.clock(iter([4e9, 4e9 + 9]).__next__, iter([0.0, 0.1]).__next__, lambda _: None)
    assert "jumped" in jumped.detail
    early = machine.clock(iter([0.0, 0.1]).__next__, iter([0.0, 0.1]).__next__, lambda _: None)
    assert not early.ok


def test_homes(tmp_path: Path) -> None:
    assert [one.ok for one in home.findings(tmp_path / "absent")] == [False]
    tmp_path.chmod(0o700)
    (tmp_path / "keystore.json").touch(mode=0o644)
    (tmp_path / "keystore.json").chmod(0o644)
    (tmp_path / "daemon.json").write_text(json.dumps({"pid": os.getpid(), "socket": str(tmp_path / "none")}))
    found = {one.name: one for one in home.findings(tmp_path)}
    assert found["home"].ok
    assert found["mode:keystore.json"].cure.startswith("chmod 600")
    assert not found["config"].ok
    assert not found["socket"].ok


@pytest.mark.parametrize(
    ("module", "name", "value", "check", "cure"),
    [
        (machine, "NEEDED_DISK", 1 << 60, "disk", "free some space"),
        (machine, "NEEDED_MEMORY", 1 << 60, "memory", "a match of a million"),
        (machine, "NEEDED_FILES", 1 << 40, "open-files", "ulimit -n"),
        (software, "OLDEST", (4, 0), "python", "use CPython 3.11"),
        (software, "_version", lambda _name: "0.0.1", "protobuf", "make setup"),
        (software, "_version", lambda _name: "", "numpy", "make setup"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_a_machine_lacks_is_told_with_its_cure(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    module: ModuleType,
    name: str,
    value: object,
    check: str,
    cure: str,
) -> None:
    monkeypatch.setattr(module, name, value)
    if check == "open-files":
        monkeypatch.setattr(machine.resource, "getrlimit", lambda _which: (256, 256))
    assert run(["doctor", "--format", "json"]) == 1
    found = {one["name"]: one for one in json.loads(capsys.readouterr().out)["data"]["checks"]}
    assert not found[check]["ok"]
    assert cure in found[check]["cure"]
