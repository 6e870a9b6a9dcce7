"""Sample configurations: the real programs accept them, and they show every key there is, with its default."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
import sys
import tomllib
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from coordinator.config import Config as CoordinatorConfig
from nodes.config import Config as NodeConfig

DEPLOY = Path(__file__).parents[3] / "deploy"
SAMPLES = DEPLOY / "config"
PROGRAMS = {
    "coordinator.toml": "trisect-coordinator",
    "node.toml": "trisect-node",
    "node-postgres.toml": "trisect-node",
}
WHOLE = {"coordinator.toml": CoordinatorConfig, "node.toml": NodeConfig}
OWN = {
    "coordinator.toml": {"consortium", "listen", "advertise", "http.listen"},
    "node.toml": {"consortium", "party", "role", "coordinator", "founder", "database", "http.listen"},
}
"""Keys whose sample value is not the default; the comment beside each says so."""


def check(program: str, home: Path) -> subprocess.CompletedProcess[str]:
    command = [Path(sys.executable).with_name(program), "check-config", "--home", home]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, env={"HOME": str(home)}
    )


def keys(shape: type, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every key of a configuration with its default; `dataclasses.MISSING` where there is none."""
    hints = typing.get_type_hints(shape)
    for field in dataclasses.fields(shape):
        if dataclasses.is_dataclass(hints[field.name]):
            yield from keys(hints[field.name], f"{prefix}{field.name}.")
        else:
            yield prefix + field.name, field.default


def flat(values: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def sample(name: str) -> dict[str, Any]:
    return dict(flat(tomllib.loads((SAMPLES / name).read_text())))


def test_each_sample_is_known_here() -> None:
    assert {path.name for path in SAMPLES.glob("*.toml")} == set(PROGRAMS)


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_program_accepts_it(name: str, tmp_path: Path) -> None:
    shutil.copy(SAMPLES / name, tmp_path / "config.toml")
    done = check(PROGRAMS[name], tmp_path)
    assert (done.returncode, done.stdout) == (0, "the configuration is right\n"), done.stderr


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_program_would_refuse_another_key(name: str, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("nonsense = 1\n" + (SAMPLES / name).read_text())
    done = check(PROGRAMS[name], tmp_path)
    assert done.returncode == 4
    assert "nonsense" in done.stderr


@pytest.mark.parametrize("name", WHOLE)
def test_every_key_is_shown(name: str) -> None:
    assert sample(name).keys() == dict(keys(WHOLE[name])).keys()


@pytest.mark.parametrize("name", WHOLE)
def test_values_are_the_defaults_unless_noted(name: str) -> None:
    found, defaults = sample(name), dict(keys(WHOLE[name]))
    assert {key for key, value in found.items() if value != defaults[key]} == OWN[name]


@pytest.mark.parametrize("name", WHOLE)
def test_every_key_has_a_comment(name: str) -> None:
    """A comment stands above each key, or above the run of keys that it belongs to."""
    commented = False
    for line in (SAMPLES / name).read_text().splitlines():
        if line.startswith("#"):
            commented = True
        elif not line.strip():
            commented = False
        elif not line.startswith("["):
            assert commented, line
