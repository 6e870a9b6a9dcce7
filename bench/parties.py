"""The demonstration's cluster as a test bed: five daemons on this machine, driven by the administrator's command."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from trisect.cli.demo.cluster import Cluster

TRISECT = Path(sys.executable).parent / "trisect"


@contextmanager
def parties() -> Iterator[Path]:
    """Give the folder of a running cluster without data; D/<name> are homes."""
    with tempfile.TemporaryDirectory(prefix="trisect-bench-") as scratch:
        cluster = Cluster(Path(scratch) / "cluster")
        asyncio.run(cluster.up())
        try:
            yield cluster.folder
        finally:
            asyncio.run(cluster.down())


def trisect(home: Path, *arguments: object) -> dict[str, Any]:
    """Run one command of an administrator; gives its data."""
    line = [str(TRISECT), "--home", str(home), "--format", "json", "--yes", *map(str, arguments)]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{arguments[0]} failed: {done.stdout or done.stderr}")
    data: dict[str, Any] = json.loads(done.stdout)["data"]
    return data
