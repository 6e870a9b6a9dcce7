"""A figure is told with the machine that it was measured on, and measurements are under the same checks as the code."""

from __future__ import annotations

import platform
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import psutil
import pytest

from bench import machine
from bench.__main__ import MEASUREMENTS

ROOT = Path(__file__).parents[3]
ALONE = [path for path in sorted((ROOT / "bench").glob("*.py")) if "__name__" in path.read_text()]


def test_the_machine_is_told_with_processor_cores_memory_and_versions() -> None:
    cpu, memory, system, versions = machine.lines()
    assert re.fullmatch(rf"cpu       \S.*, \d+ of {psutil.cpu_count()} cores", cpu)
    assert float(memory.split()[1]) == pytest.approx(psutil.virtual_memory().total / 2**30, abs=0.1)
    assert platform.release() in system
    assert f"Python {platform.python_version()}, " in versions
    for package in ("trisect", "grpcio", "openmined-psi"):
        assert re.search(rf"\b{package} \d+\.\d+", versions)


def test_a_measurement_by_itself_tells_the_machine_before_its_figures() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "bench" / "canonical.py", "20"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    told, figures = done.stdout.split("\n\n", 1)
    assert told.splitlines() == list(machine.lines())
    assert figures.startswith("phone US")


@pytest.mark.parametrize("path", ALONE, ids=lambda path: path.name)
def test_every_measurement_tells_the_machine_first(path: Path) -> None:
    begins = path.read_text().partition('if __name__ == "__main__":\n')[2].split()[0]
    assert begins == ("main()" if path.stem == "__main__" else "machine.tell()")


def test_all_together_tell_the_machine_first() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from bench import __main__ as b; b.MEASUREMENTS = {'none': int}; b.main()"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.split("\n\n")[0].splitlines() == list(machine.lines())
    assert len(MEASUREMENTS) >= 5


def test_types_and_style_of_measurements_are_checked() -> None:
    tool = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    assert "bench" in tool["mypy"]["packages"]
    excluded = [*tool["ruff"].get("exclude", ()), *tool["ruff"]["extend-exclude"]]
    assert not any(name.startswith("bench") for name in excluded)
