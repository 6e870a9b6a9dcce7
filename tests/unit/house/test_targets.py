"""The targets of `make` that people, pre-commit and continuous integration call, and what they run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TARGETS = [
    "help",
    "setup",
    "demo",
    "test",
    "fmt",
    "lint",
    "type",
    "arch",
    "proto",
    "proto-check",
    "bench",
    "check",
]
RULES = {
    target: prerequisites.split()
    for target, prerequisites in re.findall(
        r"^([a-z-]+):([^#=\n]*)", (ROOT / "Makefile").read_text(), re.MULTILINE
    )
}
RUNS = {
    "demo": ["trisect demo"],
    "test": ["python -m pytest"],
    "lint": ["ruff format --check .", "ruff check ."],
    "type": ["mypy"],
    "arch": ["lint-imports"],
    "proto-check": ["generate_stubs.py --check trisect/wire/v1"],
    "bench": ["python -m bench"],
    "check": [
        "ruff format --check .",
        "ruff check .",
        "mypy",
        "lint-imports",
        "generate_stubs.py --check trisect/wire/v1",
    ],
}


def make(*words: str) -> str:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(
        ["make", "--no-print-directory", f"PYTHON={sys.executable}", *words],
        cwd=ROOT,
        env=clean,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout


@pytest.mark.parametrize("target", TARGETS)
def test_each_target_is_written_out_and_no_file_hides_it(target: str) -> None:
    assert target in RULES
    (phony,) = re.findall(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert target in phony.split()


def test_help_names_every_target_and_what_it_does() -> None:
    told = re.findall(r"^  ([a-z-]+) +(\S.*)$", make("help"), re.MULTILINE)
    assert {target for target, _ in told} >= set(TARGETS)
    assert make() == make("help"), "make alone helps"


def test_check_is_everything_that_runs_no_test() -> None:
    assert RULES["check"] == ["lint", "type", "arch", "proto-check"]


@pytest.mark.parametrize("target", RUNS)
def test_a_target_runs_what_it_says(target: str) -> None:
    run = [line.partition("/bin/")[2] or line for line in make("--dry-run", target).splitlines()]
    places = [next((at for at, line in enumerate(run) if wanted in line), -1) for wanted in RUNS[target]]
    assert -1 not in places, run
    assert places == sorted(places)


@pytest.mark.parametrize(("broken", "called"), [("none", ["check", "test"]), ("check", ["check"])])
def test_integration_calls_check_and_then_test(tmp_path: Path, broken: str, called: list[str]) -> None:
    log, program = tmp_path / "called", tmp_path / "make"
    program.write_text(
        f'#!/bin/sh\necho "$* CI=$CI $PWD" >> {log}\ntest "$1" != {broken}  # stands for the real one\n'
    )
    program.chmod(0o755)
    done = subprocess.run(
        [ROOT / ".ci/run"],
        cwd=tmp_path,
        env={"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode == 0) == (broken == "none")
    assert log.read_text().splitlines() == [f"{target} CI=1 {ROOT}" for target in called]
