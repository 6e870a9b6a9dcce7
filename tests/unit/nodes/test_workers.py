"""Worker processes: disposable, lent one at a time, and a dead one takes only its own exchange with it."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psutil
import pytest
from support.daemons import is_gone, until_gone

from nodes import psi_worker
from nodes.workers import PIPE_LIMIT, Nursery, Worker, WorkerLostError, Workers
from trisect.daemon import _loop_runner
from trisect.errors import VerificationError
from trisect.psi.halves import Compute, Half, Operation
from trisect.record.snapshots import grow, name_of

ITEMS = bytes(range(32)) + bytes(range(32, 64))
REQUEST = Compute(Operation.REQUEST, 0, 2)
SOON = 30.0
FORKS_ONCE = """
import os
real, made = os.fork, []
def fork():
    if made:
        raise BlockingIOError(11, "no process id is left")
    made.append(1)
    return real()
os.fork = fork
"""


@pytest.fixture
async def workers() -> AsyncIterator[Workers]:
    found = Workers(2)
    yield found
    await found.close()


def running(nursery: Nursery) -> tuple[subprocess.Popen, socket.socket]:
    assert nursery._running is not None
    return nursery._running


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
    assert is_gone(first.pid)
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
            os.kill(worker.pid, signal.SIGKILL)
            await asyncio.wait_for(worker._replies.read(), SOON)
            with pytest.raises(WorkerLostError):
                await asyncio.wait_for(worker.compute(REQUEST), SOON)
        await workers.close()

    with _loop_runner() as loop:
        loop.run(die_idle())


async def test_a_nursery_that_has_died_is_replaced_and_its_workers_go_on(workers: Workers) -> None:
    async with workers.take() as before:
        nursery, _ = running(workers._nursery)
        nursery.kill()
        nursery.wait()
        assert await works(before)
        async with workers.take() as after:
            assert await works(after)
            assert after.pid != before.pid
    await until_gone(before.pid)


async def test_a_nursery_that_does_not_answer_is_replaced(
    workers: Workers, caplog: pytest.LogCaptureFixture
) -> None:
    async with workers.take() as before:
        nursery, asking = running(workers._nursery)
        asking.settimeout(0.2)
        nursery.send_signal(signal.SIGSTOP)
        async with workers.take() as after:
            assert await works(after)
        assert nursery.poll() is not None
        assert await works(before)
        (told,) = caplog.records
        assert "replaced" in told.message
        assert (told.__dict__["cause"], told.__dict__["exit_code"]) == ("TimeoutError", -signal.SIGKILL)
    await until_gone(before.pid)


async def test_the_end_of_a_worker_starts_no_nursery() -> None:
    workers = Workers(2)
    async with workers.take() as worker:
        await workers.close()
        assert await works(worker)
        with pytest.raises(WorkerLostError, match="no PSI worker process"):
            await workers.take().__aenter__()
    assert workers._nursery._running is None
    await until_gone(worker.pid)


async def test_a_worker_that_nobody_took_is_buried(workers: Workers) -> None:
    """Who asked for it was cancelled meanwhile; its process ends with its socket, and leaves no zombie behind."""
    _, pid, node = await workers._do(workers._nursery.fork)
    node.close()
    await until_gone(pid)
    async with workers.take() as worker:
        assert await works(worker)
    assert not psutil.pid_exists(pid)


async def test_a_fork_that_fails_leaves_the_nursery_and_its_workers_alone(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, workers: Workers, tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(FORKS_ONCE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    async with workers.take() as before:
        nursery, _ = running(workers._nursery)
        with pytest.raises(WorkerLostError, match="no PSI worker process") as caught:
            await workers.take().__aenter__()
        assert "trisect doctor" in caught.value.hint
        assert await works(before)
        assert running(workers._nursery)[0] is nursery
    assert nursery.poll() is None
    assert not caplog.records


async def test_workers_draw_keys_of_their_own(workers: Workers) -> None:
    """A generator of random numbers that was copied by the fork would give two exchanges one key."""
    requests = set()
    for _ in range(3):
        async with workers.take() as one, workers.take() as other:
            for worker in (one, other):
                await worker.load(Half.CLIENT, ITEMS)
                requests.add((await worker.compute(REQUEST))[0])
    assert len(requests) == 6


async def test_what_stops_the_nodes_group_of_processes_ends_no_exchange(workers: Workers) -> None:
    """An interrupt at the terminal, or a manager that signals every process: the node drains, and its workers work."""
    async with workers.take() as worker:
        nursery, _ = running(workers._nursery)
        for number in (signal.SIGINT, signal.SIGTERM):
            os.kill(worker.pid, number)
            nursery.send_signal(number)
        assert await works(worker)
        async with workers.take() as another:
            assert await works(another)
        assert nursery.poll() is None


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
    assert is_gone(worker.pid)


async def test_what_the_worker_refuses_is_the_peers_fault_and_it_lives_on(workers: Workers) -> None:
    async with workers.take() as worker:
        await worker.load(Half.SERVER, ITEMS)
        with pytest.raises(VerificationError):
            await worker.compute(Compute(Operation.RESPOND, 0, 1, bytes(33)))
        await worker.compute(Compute(Operation.SETUP, 0, 2))
        elements, _ = await worker.compute(Compute(Operation.SORTED_SETUP, 0, 2))
        assert len(elements) == 66


@pytest.fixture
def nursery() -> Iterator[Nursery]:
    found = Nursery()
    yield found
    found.close()


@pytest.mark.parametrize(
    "said",
    [b"", b"\x00", psi_worker.COMMAND.pack(psi_worker.LOAD_CLIENT, 0, 0, 64) + b"half"],
    ids=["nothing", "half a header", "half a body"],
)
async def test_a_worker_ends_when_its_node_is_gone(nursery: Nursery, said: bytes) -> None:
    _, pid, node = nursery.fork()
    node.sendall(said)
    node.close()
    await until_gone(pid)


def test_the_nursery_ends_when_its_node_is_gone(nursery: Nursery) -> None:
    nursery.start()
    process, asking = running(nursery)
    asking.close()
    assert process.wait(SOON) == 0


def test_the_wire_format_of_a_worker(nursery: Nursery) -> None:
    _, _, node = nursery.fork()
    load = psi_worker.COMMAND.pack(psi_worker.LOAD_CLIENT, 0, 0, 64) + ITEMS
    wrong = psi_worker.COMMAND.pack(Operation.RESPOND, 0, 0, 0)
    with node:
        node.sendall(load + wrong)
        node.shutdown(socket.SHUT_WR)
        with node.makefile("rb") as answers:
            replies = answers.read()
    assert replies.startswith(struct.pack(">BQ", 0, 0))
    status, length = psi_worker.REPLY.unpack_from(replies, psi_worker.REPLY.size)
    assert status == psi_worker.ERROR
    assert len(replies) == 2 * psi_worker.REPLY.size + length


def test_the_nursery_has_not_loaded_grpc() -> None:
    """A fork of it that goes on would be unsound (ADR 0009)."""
    code = "import sys, nodes.psi_worker; print(sorted(name for name in sys.modules if name.split('.')[0] == 'grpc'))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_nursery_has_no_thread_whatever_the_environment_says(
    monkeypatch: pytest.MonkeyPatch, nursery: Nursery
) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "4")
    _, _, node = nursery.fork()
    with node:
        assert psutil.Process(running(nursery)[0].pid).num_threads() == 1


async def test_a_number_of_a_nursery_before_ends_nobody(nursery: Nursery) -> None:
    """Process ids are given again, numbers are not."""
    before, pid, node = nursery.fork()
    process, _ = running(nursery)
    process.kill()
    process.wait()
    after, _, other = nursery.fork()
    assert after > before
    nursery.kill(before)
    with node, other:
        for alive in (node, other):
            alive.sendall(psi_worker.COMMAND.pack(psi_worker.LOAD_CLIENT, 0, 0, 64) + ITEMS)
            assert alive.recv(psi_worker.REPLY.size) == psi_worker.REPLY.pack(psi_worker.OK, 0)
    await until_gone(pid)


async def test_a_worker_makes_the_tree_of_a_large_list_as_a_thread_does(workers: Workers) -> None:
    """And an exchange that waits for its tree has a worker already, of which there may be no more."""
    tokens, secret = os.urandom(32 * 132_000), os.urandom(32)
    name = name_of(tokens, secret)
    async with workers.take(), workers.take():
        made = await asyncio.wait_for(workers.grow(name, tokens, secret, 135_168), SOON)
    assert made == grow(name, tokens, secret, 135_168)
    assert len(made.leaves) == 32 * 135_168 > PIPE_LIMIT


async def test_a_tree_whose_worker_dies_is_an_error(workers: Workers) -> None:
    growing = asyncio.create_task(workers.grow(bytes(32), os.urandom(32 * 300_000), bytes(32), 311_296))
    nursery = await until_nursery(workers)
    while not (forked := nursery.children()):
        await asyncio.sleep(0)
    forked[0].kill()
    with pytest.raises(WorkerLostError):
        await growing


async def until_nursery(workers: Workers) -> psutil.Process:
    await workers.warm()
    return psutil.Process(running(workers._nursery)[0].pid)
