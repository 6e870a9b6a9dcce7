"""A fake node on a real socket, and the real command as a process beside it.

Most runs are forks of one process that has loaded the command already, which saves most of their time; those
that need a pipe or a signal are processes from scratch.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from support import nursery
from support.fake_node import FakeNode, serving

END_S = 60.0
ENVIRONMENT = {
    name: value for name, value in os.environ.items() if not name.startswith(("TRISECT_", "_TRISECT"))
} | {"COLUMNS": "160", "NO_COLOR": "1", "TERM": "dumb"}
PLANTED = ("+14255550187", "14255550187", "4255550187", "planted-scam.example")
"""Raw values that tests feed in; no run may ever say one."""


@dataclass
class Ended:
    """How one run of the command ended."""

    code: int
    out: str
    err: str

    @property
    def whole(self) -> dict[str, Any]:
        """The one object on stdout."""
        lines = self.out.splitlines()
        assert len(lines) == 1, self.out
        return json.loads(lines[0])

    @property
    def data(self) -> dict[str, Any]:
        assert self.code == 0, self.out + self.err
        assert self.whole["status"] == "ok"
        assert self.whole["schema"] == 1
        return self.whole["data"]

    @property
    def error(self) -> dict[str, Any]:
        assert self.whole["schema"] == 1
        assert self.whole["status"] == "error"
        assert set(self.whole["error"]) == {"code", "message", "hint", "rule", "doc", "correlation_id"}
        return self.whole["error"]


@dataclass
class Command:
    """The command, run from a folder against a home."""

    home: Path
    folder: Path
    said: list[str] = field(default_factory=list)

    async def start(self, *arguments: object, columns: int = 160) -> asyncio.subprocess.Process:
        """Start it as a process from scratch, on a terminal of that width."""
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "trisect.cli",
            *map(str, arguments),
            cwd=self.folder,
            env=ENVIRONMENT | {"COLUMNS": str(columns)},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def ended(self, process: asyncio.subprocess.Process, stdin: str | bytes = b"") -> Ended:
        raw = stdin.encode() if isinstance(stdin, str) else stdin
        async with asyncio.timeout(END_S):
            out, err = await process.communicate(raw)
        assert process.returncode is not None
        return self._kept(Ended(process.returncode, out.decode(), err.decode()))

    def _kept(self, ended: Ended) -> Ended:
        self.said += [ended.out, ended.err]
        return ended

    async def bare(self, *arguments: object, stdin: str | bytes = b"") -> Ended:
        """Run it without a home."""
        ended = await asyncio.to_thread(
            nursery.run, "trisect", *arguments, stdin=stdin, environment=ENVIRONMENT, folder=self.folder
        )
        return self._kept(Ended(ended.returncode, ended.stdout, ended.stderr))

    async def text(self, *arguments: object, stdin: str | bytes = b"") -> Ended:
        """Run it for people."""
        return await self.bare("--home", self.home, *arguments, stdin=stdin)

    async def json(self, *arguments: object, stdin: str | bytes = b"") -> Ended:
        """Run it for scripts."""
        return await self.bare("--home", self.home, "--format", "json", *arguments, stdin=stdin)


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder whose path leaves room for a socket's name."""
    with tempfile.TemporaryDirectory(prefix="tri") as name:
        yield Path(name)


@pytest.fixture
def node() -> FakeNode:
    return FakeNode()


@pytest.fixture
async def trisect(node: FakeNode, short: Path, tmp_path: Path) -> AsyncIterator[Command]:
    """The command, with a node that runs from its home."""
    async with serving(node, short / "n") as home:
        found = Command(home, tmp_path)
        yield found
    everything = "".join(found.said)
    assert not [value for value in PLANTED if value in everything]


@pytest.fixture
async def coordinator(node: FakeNode, short: Path, tmp_path: Path) -> AsyncIterator[Command]:
    """The command, with a coordinator that runs from its home."""
    async with serving(node, short / "c", name="coordinator") as home:
        yield Command(home, tmp_path)
