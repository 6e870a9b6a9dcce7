"""Domains, URLs and addresses of mail are never looked up: whoever answers would learn who has them on a list."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from support import cluster

from trisect.cli.demo import samples

SCRIPT = Path(cluster.__file__).parent / "unresolving.py"


def worked(folder: Path, *names: str) -> dict[str, Any]:
    """Import the samples and prepare matches in a process that must not look names up, and says what it tried."""
    ended = subprocess.run(
        [sys.executable, SCRIPT, folder, *names], capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.returncode == 0, ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout)
    assert len(found["sizes"]) == len(samples.load().imports)
    assert all(found["sizes"].values())
    return found


def test_an_import_and_a_match_look_no_name_up(tmp_path: Path) -> None:
    kinds = {kind for kind, _ in samples.load().canonical_values()}
    assert {"domain", "url", "email"} <= kinds, "the samples hold what could be looked up"
    assert worked(tmp_path)["noted"] == []


def test_a_look_up_would_be_noted(tmp_path: Path) -> None:
    assert worked(tmp_path, "host-1.example.com")["noted"] == ["socket.getaddrinfo"]
