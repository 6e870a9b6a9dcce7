"""Worker processes: disposable, lent one at a time, and a dead one takes only its own exchange with it."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import struct
import sys
from collections.abc import AsyncIterator

import pytest

from nodes import psi_worker
from nodes.workers import Worker, WorkerLostError, Workers
from trisect.daemon import _loop_runner
from trisect.errors import VerificationError
from trisect.psi.halves import Compute, Half, Operation

ITEMS = bytes(range(32)) + bytes(range(32, 64))
REQUEST = Compute(Operation.REQUEST, 0, 2)
SOON = 30.0


@pytest.fixture
async def workers() -> AsyncIterator[Workers]:
    found = Workers(2)
    yield found
    await found.close()


async def works(worker: Worker) -> bool:
    await worker.load(Half.CLIENT, ITEMS)
    elements, matched = await asyncio.wait_for(worker.compute(REQUEST), SOON)
    return len(elements) == 66 and matched == []


async def test_a_worker_writes_no_core_file_whatever_its_node_may() -> None:
    """It would hold tokens and a key."""
    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    workers = Workers(1)
    try:
        async with workers.take() as worker:
            assert await works(worker)
            assert resource.prlimit(worker.pid, resource.RLIMIT_CORE) == (0, 0)
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, (soft, hard))
        await workers.close()


async def test_a_worker_ends_with_its_block_and_the_next_is_another(workers: Workers) -> None:
    async with workers.take() as first:
        assert await works(first)
    assert not first.alive
    async with workers.take() as second:
        assert second.pid != first.pid
        assert await works(second)


async def test_a_worker_killed_at_work_is_lost_and_the_next_one_works(workers: Workers) -> None:
    async with workers.take() as worker:
        await worker.load(Half.CLIENT, ITEMS)
        os.kill(worker.pid, signal.SIGKILL)
        with pytest.raises(WorkerLostError) as caught:
            await asyncio.wait_for(worker.compute(REQUEST), SOON)
        assert "can be started anew" in caught.value.hint
        with pytest.raises(WorkerLostError):
            await asyncio.wait_for(worker.compute(REQUEST), SOON)
    async with workers.take() as worker:
        assert await works(worker)


def test_a_worker_that_died_while_it_had_nothing_to_do_is_lost_in_the_loop_of_a_daemon() -> None:
    """Its pipe is known to be closed before the next command is written."""

    async def die_idle() -> None:
        workers = Workers(1)
        async with workers.take() as worker:
            await worker.load(Half.CLIENT, ITEMS)
            commands = worker._process.stdin
            assert commands is not None
            os.kill(worker.pid, signal.SIGKILL)
            await asyncio.wait_for(commands.wait_closed(), SOON)
            with pytest.raises(WorkerLostError):
                await asyncio.wait_for(worker.compute(REQUEST), SOON)
        await workers.close()

    with _loop_runner() as loop:
        loop.run(die_idle())


async def test_a_spare_killed_while_it_waits_is_replaced(workers: Workers) -> None:
    workers.warm()
    assert workers._spare is not None
    spare = await workers._spare
    await spare.end()
    async with workers.take() as worker:
        assert worker.pid != spare.pid
        assert await works(worker)


async def test_a_dead_worker_disturbs_no_other(workers: Workers) -> None:
    async with workers.take() as one, workers.take() as other:
        os.kill(one.pid, signal.SIGKILL)
        with pytest.raises(WorkerLostError):
            await works(one)
        assert await works(other)


async def test_no_more_run_than_allowed(workers: Workers) -> None:
    async with workers.take(), workers.take():
        third = asyncio.ensure_future(workers.take().__aenter__())
        for _ in range(50):
            await asyncio.sleep(0)
        assert not third.done()
        third.cancel()
        with pytest.raises(asyncio.CancelledError):
            await third
    async with workers.take() as worker:
        assert await works(worker)


async def test_cancelling_an_exchange_kills_its_worker(workers: Workers) -> None:
    taken: asyncio.Future[Worker] = asyncio.get_running_loop().create_future()

    async def exchange() -> None:
        async with workers.take() as worker:
            taken.set_result(worker)
            await asyncio.Event().wait()

    task = asyncio.create_task(exchange())
    worker = await asyncio.wait_for(taken, SOON)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not worker.alive


async def test_what_the_worker_refuses_is_the_peers_fault_and_it_lives_on(workers: Workers) -> None:
    async with workers.take() as worker:
        await worker.load(Half.SERVER, ITEMS)
        with pytest.raises(VerificationError):
            await worker.compute(Compute(Operation.RESPOND, 0, 1, bytes(33)))
        assert worker.alive
        await worker.compute(Compute(Operation.SETUP, 0, 2))
        elements, _ = await worker.compute(Compute(Operation.SORTED_SETUP, 0, 2))
        assert len(elements) == 66


async def _child() -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "nodes.psi_worker",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )


@pytest.mark.parametrize(
    "said",
    [b"", b"\x00", psi_worker.COMMAND.pack(psi_worker.LOAD_CLIENT, 0, 0, 64) + b"half"],
    ids=["nothing", "half a header", "half a body"],
)
async def test_a_worker_ends_when_its_node_is_gone(said: bytes) -> None:
    child = await _child()
    replies, _ = await asyncio.wait_for(child.communicate(said), SOON)
    assert replies == b""
    assert child.returncode is not None


async def test_its_wire_format() -> None:
    child = await _child()
    load = psi_worker.COMMAND.pack(psi_worker.LOAD_CLIENT, 0, 0, 64) + ITEMS
    wrong = psi_worker.COMMAND.pack(Operation.RESPOND, 0, 0, 0)
    replies, _ = await asyncio.wait_for(child.communicate(load + wrong), SOON)
    assert replies.startswith(struct.pack(">BQ", 0, 0))
    status, length = psi_worker.REPLY.unpack_from(replies, psi_worker.REPLY.size)
    assert status == psi_worker.ERROR
    assert len(replies) == 2 * psi_worker.REPLY.size + length
    assert child.returncode == 0
