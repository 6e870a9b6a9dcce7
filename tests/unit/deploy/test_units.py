"""systemd units: they parse, start programs that exist, and keep their sandbox."""

from __future__ import annotations

import configparser
import shlex
import tomllib
from pathlib import Path

import pytest

import coordinator.app
import nodes.app
from coordinator.config import Config as CoordinatorConfig
from nodes.config import Config as NodeConfig

ROOT = Path(__file__).parents[3]
UNITS = sorted((ROOT / "deploy/systemd").glob("*.service"))
SANDBOX = {
    "Type": "notify",
    "NoNewPrivileges": "yes",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "CapabilityBoundingSet": "",
    "SystemCallFilter": "@system-service",
    "LimitCORE": "0",
    "UMask": "0077",
    "User": "trisect",
}


def read(path: Path) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(
        strict=False, interpolation=None, delimiters=("=",), comment_prefixes=("#", ";")
    )
    parser.optionxform = str  # type: ignore[method-assign,assignment]  # systemd minds case
    parser.read_string(path.read_text())
    return parser


def test_there_is_one_for_each_daemon() -> None:
    assert [path.name for path in UNITS] == ["trisect-coordinator.service", "trisect-node@.service"]


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_it_starts_a_program_of_the_package(path: Path) -> None:
    unit = read(path)
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    program, *arguments = shlex.split(unit["Service"]["ExecStart"])
    assert Path(program).name in scripts
    assert Path(program).name == path.name.partition("@")[0].removesuffix(".service")
    assert arguments[:2] == ["run", "--home"]
    assert unit["Install"]["WantedBy"] == "multi-user.target"


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_its_sandbox_is_closed(path: Path) -> None:
    service = read(path)["Service"]
    assert {key: service.get(key) for key in SANDBOX} == SANDBOX


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_it_may_drain_before_it_is_killed_and_reloads_by_the_signal(path: Path) -> None:
    service = read(path)["Service"]
    for shape, stops_within_s in (
        (CoordinatorConfig(""), coordinator.app.DRAIN_S),
        (NodeConfig("", "", "", ""), nodes.app.DRAIN_S),
    ):
        assert float(service["TimeoutStopSec"]) > shape.drain_s + 2 * stops_within_s
    assert service["KillSignal"] == "SIGTERM"
    assert service.get("KillMode") == ("mixed" if "node" in path.name else None), (
        "the coordinator is one process"
    )
    assert service["ExecReload"] == "/bin/kill -HUP $MAINPID"


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_its_home_is_writable_and_short_enough_for_a_socket(path: Path) -> None:
    service = read(path)["Service"]
    home = shlex.split(service["ExecStart"])[3].replace("%i", "x" * 63)
    assert any(Path(home).is_relative_to(folder) for folder in service["ReadWritePaths"].split())
    assert len(f"{home}/run/admin.sock".encode()) <= 100
