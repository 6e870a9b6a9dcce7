"""The README's consortium by hand works as it is written, word for word, from an empty folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from unit.docs.pages import ROOT, blocks

IN_TIME_S = 45.0
"""The README says "give it a second"; whoever is too early is told so and tries again, and so do we."""
_FINGERPRINT = re.compile(r"^fingerprint: ([a-z2-7]{4}(?:-[a-z2-7]{4}){7})$", re.MULTILINE)


def lines() -> list[str]:
    section = (ROOT / "README.md").read_text().partition("## The next step")[2].partition("\n## ")[0]
    first, *rest = blocks(section, "sh")
    assert first.startswith("make setup\n")
    return [line for block in rest for line in block.splitlines()]


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[tuple[dict[str, str], list[subprocess.Popen[bytes]]]]:
    environment = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "SAMPLES": str(ROOT / "deploy/samples"),
        "HOME": str(tmp_path),
        "COLUMNS": "200",
    }
    daemons: list[subprocess.Popen[bytes]] = []
    yield environment, daemons
    for daemon in daemons:
        daemon.terminate()
    for daemon in daemons:
        assert daemon.wait(30) == 0


PAUSE = threading.Event()
"""Never set: a person's pause between two tries."""


def run(line: str, folder: Path, environment: dict[str, str]) -> str:
    """Run a line until it succeeds, as a person does who was told that something is not ready yet."""
    deadline = time.monotonic() + IN_TIME_S
    while True:
        done = subprocess.run(
            ["sh", "-c", line],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if done.returncode == 0:
            return done.stdout
        assert time.monotonic() < deadline, f"{line}\n{done.stderr}"
        PAUSE.wait(0.1)


@pytest.mark.walk
def test_it_works_as_written(
    tmp_path: Path, shell: tuple[dict[str, str], list[subprocess.Popen[bytes]]]
) -> None:
    environment, daemons = shell
    said: dict[str, str] = {}
    fingerprint = ""
    for line in lines():
        text = line.replace("FINGERPRINT", fingerprint)
        if text.endswith(" &"):
            command = ["sh", "-c", f"exec {text.removesuffix(' &')}"]
            daemons.append(
                subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.DEVNULL)
            )
            continue
        said[line] = run(text, tmp_path, environment)
        if found := _FINGERPRINT.search(said[line]):
            fingerprint = found[1]

    match, counted = (text for line, text in said.items() if " match " in line)
    assert "shown as 832" in match
    assert "260 of 810 entries" in counted
    assert len((tmp_path / "hits.csv").read_text().splitlines()) == 1 + 260
    assert said["trisect --home ministry hits"].strip() == "There is no hit."
    listed = said["trisect --home ministry exchange list"]
    assert listed.count("answers") == 1
    assert all("rejected    0" in text for line, text in said.items() if " import " in line)
    assert not list((ROOT / "deploy/samples").rglob("*.rejects.csv"))
