"""The processes of large imports: there when needed, gone when not, replaced when one has died."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import psutil
import pytest
from support.processes import CONVERTER, children

from nodes import converters
from nodes.converters import SMALL_ROWS, Converters
from nodes.untreated import Spelling
from trisect.indicators.forms import Profile
from trisect.indicators.kinds import Kind
from trisect.indicators.readers import Batch
from trisect.indicators.tokens import Pepper
from trisect.wire.convert import batch_to_wire

SPELLING = Spelling(Kind.DOMAIN, Profile())
CHAIN = (Pepper(bytes(32)),)
DATA = batch_to_wire(Batch({"value": ["one.example.com", "two.example.com"]}, ["1", "2"])).SerializeToString()


@pytest.fixture
async def desk() -> AsyncIterator[Converters]:
    found = Converters(1)
    yield found
    await found.close()


def converting() -> set[int]:
    return {child.pid for child in children(None, CONVERTER)}


async def test_small_imports_start_no_process(desk: Converters) -> None:
    before = converting()
    with desk.used():
        taken, rejects = await desk.convert(SMALL_ROWS, DATA, SPELLING, CHAIN)
    assert (len(taken), rejects) == (2, [])
    assert converting() == before


async def test_processes_end_when_no_import_has_come_for_a_while(
    desk: Converters, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(converters, "IDLE_S", 0.0)
    before = converting()
    with desk.used():
        small = await desk.convert(1, DATA, SPELLING, CHAIN)
        with desk.used():
            assert await desk.convert(SMALL_ROWS + 1, DATA, SPELLING, CHAIN) == small
        (pid,) = converting() - before
        assert await desk.convert(SMALL_ROWS + 1, DATA, SPELLING, CHAIN) == small, "another still uses them"
        assert converting() - before == {pid}
    process = psutil.Process(pid)
    await asyncio.sleep(0)  # the timer's turn
    await asyncio.to_thread(process.wait, 10)
    with desk.used():
        assert await desk.convert(SMALL_ROWS + 1, DATA, SPELLING, CHAIN) == small


async def test_after_a_death_the_next_import_has_new_processes(desk: Converters) -> None:
    before = converting()
    with desk.used():
        good = await desk.convert(SMALL_ROWS + 1, DATA, SPELLING, CHAIN)
        for pid in converting() - before:
            os.kill(pid, signal.SIGKILL)
        with pytest.raises(BrokenProcessPool):
            await desk.convert(SMALL_ROWS + 1, DATA, SPELLING, CHAIN)
        desk.forget()
        assert await desk.convert(SMALL_ROWS + 1, DATA, SPELLING, CHAIN) == good


NODE = """
import asyncio, sys
from unit.nodes.test_converters import CHAIN, DATA, SPELLING, converting
from nodes.converters import SMALL_ROWS, Converters

async def main():
    found = Converters(2)
    with found.used():
        await found.convert(SMALL_ROWS + 1, DATA, SPELLING, CHAIN)
        print(*converting(), flush=True)
        sys.stdin.read()

if __name__ == "__main__":
    asyncio.run(main())
"""


def test_processes_end_with_a_node_that_was_killed(tmp_path: Path) -> None:
    """They hold raw values, and would wait for work for ever."""
    script = tmp_path / "node.py"
    script.write_text(NODE)
    tests = Path(__file__).parents[2]
    node = subprocess.Popen(
        [sys.executable, script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join((str(tests), str(tests.parent)))},
        text=True,
    )
    with node:
        assert node.stdout is not None
        workers = [psutil.Process(int(pid)) for pid in node.stdout.readline().split()]
        assert workers
        node.kill()
    _, alive = psutil.wait_procs(workers, timeout=20)
    assert alive == []
