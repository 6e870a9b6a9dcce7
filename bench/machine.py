"""On what a figure was measured: processor, cores, memory, system, and the versions that it depends on."""

from __future__ import annotations

import platform
import sqlite3
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import psutil

PACKAGES = (
    "trisect",
    "grpcio",
    "protobuf",
    "openmined-psi",
    "cryptography",
    "sqlalchemy",
    "cedarpy",
    "numpy",
)


def lines() -> Iterator[str]:
    """Describe this machine, one fact a line."""
    memory_gib = psutil.virtual_memory().total / 2**30
    yield f"cpu       {_model()}, {_cores()}"
    yield f"memory    {memory_gib:.1f} GiB"
    yield f"system    {platform.platform()}"
    yield f"versions  Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, " + ", ".join(
        f"{name} {version(name)}" for name in PACKAGES
    )


def tell() -> None:
    """Print it, as every measurement does before its figures."""
    print("\n".join(lines()), end="\n\n")


def _model() -> str:
    told = Path("/proc/cpuinfo")
    names = told.read_text().splitlines() if told.exists() else []
    models = (line.partition(": ")[2] for line in names if line.startswith("model name"))
    return next(models, "") or platform.processor() or platform.machine()


def _cores() -> str:
    usable = (
        len(psutil.Process().cpu_affinity())
        if hasattr(psutil.Process, "cpu_affinity")
        else psutil.cpu_count()
    )
    return f"{usable} of {psutil.cpu_count()} cores"
