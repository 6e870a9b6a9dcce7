"""The compose example and the Dockerfile: they parse, and what they name exists."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from unit.deploy.test_configurations import keys

from coordinator.config import Config as CoordinatorConfig
from nodes.config import Config as NodeConfig

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
FOLDER = DEPLOY / "compose"
NOT_CONFIGURATION = {"PGPASSWORD", "POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PASSWORD"}


@pytest.fixture(scope="module")
def compose() -> Any:
    return yaml.safe_load((FOLDER / "compose.yaml").read_text())


def test_it_has_a_coordinator_a_node_and_a_database(compose: Any) -> None:
    assert set(compose["services"]) == {"coordinator", "node", "postgres"}
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    for name in ("coordinator", "node"):
        program, *arguments = compose["services"][name]["command"]
        assert program in scripts
        assert arguments == ["run"]


def test_what_it_builds_from_exists(compose: Any) -> None:
    for service in compose["services"].values():
        if "build" in service:
            context = (FOLDER / service["build"]["context"]).resolve()
            assert context == ROOT
            assert (context / service["build"]["dockerfile"]).is_file()


def test_volumes_are_declared_and_mounted_folders_exist(compose: Any) -> None:
    used = set()
    for service in compose["services"].values():
        for volume in service.get("volumes", ()):
            source = volume.partition(":")[0]
            if source.startswith("."):
                assert (FOLDER / source).exists(), source
            else:
                used.add(source)
    assert used == set(compose["volumes"])


def test_the_keystore_is_not_on_the_databases_volume(compose: Any) -> None:
    def volumes(name: str) -> set[str]:
        return {volume.partition(":")[0] for volume in compose["services"][name]["volumes"]}

    assert not volumes("node") & volumes("postgres")


@pytest.mark.parametrize(("service", "shape"), [("coordinator", CoordinatorConfig), ("node", NodeConfig)])
def test_settings_are_configuration_keys(compose: Any, service: str, shape: type) -> None:
    known = {"TRISECT_" + key.replace(".", "_").upper() for key, _ in keys(shape)}
    assert set(compose["services"][service]["environment"]) - NOT_CONFIGURATION <= known


def test_dependencies_and_anchors_hold(compose: Any) -> None:
    for service in compose["services"].values():
        for other, wanted in service.get("depends_on", {}).items():
            assert wanted == {"condition": "service_healthy"}
            assert "healthcheck" in compose["services"][other]
    for name in ("coordinator", "node"):
        assert compose["services"][name]["cap_drop"] == ["ALL"]


def test_what_the_dockerfile_copies_exists_and_is_sent() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    sent = set(re.findall(r"^!(\S+)$", (DEPLOY / "Dockerfile.dockerignore").read_text(), re.MULTILINE))
    copied = [
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", text, re.MULTILINE)
        for source in line.split()[:-1]
    ]
    assert "pyproject.toml" in copied
    for source in copied:
        assert (ROOT / source).exists(), source
        assert source in sent, source


def test_the_image_has_all_that_the_wheel_needs() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {
        *wheel["packages"],
        *wheel["force-include"],
        project["project"]["readme"],
        *project["project"]["license-files"],
    }
    text = (DEPLOY / "Dockerfile").read_text()
    assert all(re.search(rf"^COPY .*\b{re.escape(path)}\b", text, re.MULTILINE) for path in needed)


def test_the_image_runs_as_nobody_special() -> None:
    stages = re.split(r"^FROM ", (DEPLOY / "Dockerfile").read_text(), flags=re.MULTILINE)
    assert len(stages) == 3
    assert re.search(r"^USER trisect$", stages[-1], re.MULTILINE)
