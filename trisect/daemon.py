"""What every daemon is around its work: signals, tasks with owners, health, a graceful stop.

`run` owns the event loop. The work is an async context manager that yields once it serves; leaving it drains.
HTTP answers /live, /ready and /metrics on the loopback unless configured otherwise.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import json
import logging
import os
import resource
import signal
import socket
import threading
import time
import urllib.request
from collections.abc import AsyncIterator, Callable, Container, Coroutine, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any, Protocol, TypeVar
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import prometheus_client

from trisect import config, logs
from trisect.errors import BadInputError, TrisectError
from trisect.home import Home

_log = logging.getLogger(__name__)
AGAIN_S = 2.0
CANCEL_AGAIN_S = 5.0
_M_MMAP_THRESHOLD = -3
"""Of glibc's `malloc.h`."""
_LARGE_BLOCK = 1 << 20
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Tasks:
    """Long-lived tasks of a daemon. Each has a name; one that fails unforeseen ends the daemon.

    Attributes:
        drain: run when the daemon is told to stop, before its tasks end; a second signal cuts it short.
        reload: called on SIGHUP.
    """

    def __init__(self) -> None:
        self.drain: Callable[[], Coroutine[Any, Any, None]] | None = None
        self.reload: Callable[[], None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.failed: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()

    def start(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """Own a coroutine until it ends."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def keep(self, work: Callable[[], Coroutine[Any, Any, None]], name: str) -> asyncio.Task[None]:
        """Own endless work that begins again after a failure that is foreseen, such as a full disk."""
        return self.start(_again(work, name), name)

    async def drained(self, hurry: asyncio.Event) -> None:
        """Wait until the daemon has drained, or is in a hurry."""
        if self.drain is None or hurry.is_set():
            return
        draining = self.start(self.drain(), "drain")
        hurrying = asyncio.ensure_future(hurry.wait())
        await asyncio.wait({draining, hurrying}, return_when=asyncio.FIRST_COMPLETED)
        hurrying.cancel()

    async def stop(self) -> None:
        """Cancel all and wait for them; again where a library has swallowed the cancellation."""
        while tasks := {task for task in self._tasks if not task.done()}:
            for task in tasks:
                task.cancel()
            _, deaf = await asyncio.wait(tasks, timeout=CANCEL_AGAIN_S)
            if deaf:
                names = ", ".join(sorted(task.get_name() for task in deaf))
                _log.warning("tasks have not ended and are cancelled again", extra={"tasks": names})

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            _log.error(
                "a task failed in a way nobody foresaw", exc_info=error, extra={"task": task.get_name()}
            )
            if not self.failed.done():
                self.failed.set_result(error)


async def _again(work: Callable[[], Coroutine[Any, Any, None]], name: str) -> None:
    while True:
        try:
            return await work()
        except TrisectError as error:
            _log.warning(
                "a task failed and begins again",
                extra={"task": name, "code": error.code, "reason": error.message},
            )
        await asyncio.sleep(AGAIN_S)


Readiness = Callable[[], Iterable[tuple[str, str]]]
"""Gives (name, reason) of everything that is not as it should be; empty means ready."""


@asynccontextmanager
async def http(listen: str, readiness: Readiness) -> AsyncIterator[str]:
    """Serve /live, /ready and /metrics; gives the base URL."""
    host, _, port = listen.rpartition(":")
    metrics = prometheus_client.make_wsgi_app()
    loop = asyncio.get_running_loop()

    def application(environment: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        path = environment.get("PATH_INFO", "")
        if path == "/metrics":
            found: Iterable[bytes] = metrics(environment, start)
            return found
        if path not in {"/live", "/ready"}:
            start("404 Not Found", [("Content-Type", "text/plain")])
            return [b"not found\n"]
        reasons = []
        if path == "/ready":
            future = asyncio.run_coroutine_threadsafe(_call(readiness), loop)
            reasons = [{"check": name, "reason": reason} for name, reason in future.result(timeout=5)]
        body = json.dumps({"ok": not reasons, "reasons": reasons}).encode() + b"\n"
        status = "503 Service Unavailable" if reasons else "200 OK"
        start(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]

    try:
        server = make_server(host or "127.0.0.1", int(port), application, _Server, _Handler)
    except (OSError, ValueError) as error:
        raise BadInputError(f"cannot serve HTTP at {listen}", hint="choose another [http] listen") from error
    thread = threading.Thread(target=server.serve_forever, name="http", daemon=True)
    thread.start()
    try:
        yield f"http://{host or '127.0.0.1'}:{server.server_port}"
    finally:
        await asyncio.to_thread(server.shutdown)
        server.server_close()


def ask(url: str, *, timeout_s: float) -> Any:
    """Ask a daemon's HTTP endpoint on this machine, past any `http_proxy`; gives and raises what urllib does."""
    return _DIRECT.open(url, timeout=timeout_s)


async def _call(readiness: Readiness) -> list[tuple[str, str]]:
    return list(readiness())


class _Server(WSGIServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is nobody's fault."""


class _Handler(WSGIRequestHandler):
    timeout = 10

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the base class's name)
        """Requests of probes are not logged."""


def run(
    home: Home,
    name: str,
    work: Callable[[Tasks], AbstractAsyncContextManager[dict[str, Any]]],
    *,
    level: str = "info",
) -> None:
    """Run a daemon until SIGTERM or SIGINT, of which a second one ends it at once; raises what ended it otherwise.

    Args:
        home: its folder; only one daemon runs from it at a time.
        name: for logs.
        work: starts the daemon's services; what it yields is published in the home's state file.
        level: of the log.
    """
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would hold tokens and keys
    logs.set_up(home.logs, name, level=level)
    with home.locked(), _loop_runner() as runner:
        runner.run(_main(home, name, work))


class Settings(Protocol):
    """What every daemon's configuration has."""

    @property
    def log_level(self) -> str:
        """The level of the log."""

    def check(self) -> None:
        """Check what types cannot say; raises BadInputError."""


S = TypeVar("S", bound=Settings)


def reloaded(read: Callable[[], S], running: S, may_change: Container[str]) -> S:
    """Read the configuration again, and set the log's level; gives what holds from now on.

    A file that is wrong changes nothing and is told in the log, as is what only a restart can change.
    """
    try:
        found, taken, left = config.merge(running, read(), may_change)
        found.check()
    except TrisectError as error:
        _log.error(
            "the configuration is wrong and was not reloaded; the former one holds",
            extra={"reason": error.message, "hint": error.hint},
        )
        return running
    logs.set_level(found.log_level)
    _log.info("the configuration was reloaded", extra={"changed": ", ".join(taken)})
    if left:
        _log.warning("changed settings that need a restart", extra={"settings": ", ".join(left)})
    return found


def _loop_runner() -> asyncio.Runner:
    try:
        import uvloop  # noqa: PLC0415  (absent on some platforms)
    except ModuleNotFoundError:
        return asyncio.Runner()
    return asyncio.Runner(loop_factory=uvloop.new_event_loop)


async def _main(
    home: Home,
    name: str,
    work: Callable[[Tasks], AbstractAsyncContextManager[dict[str, Any]]],
) -> None:
    stop, hurry = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    tasks = Tasks()

    def told_to_stop() -> None:
        (hurry if stop.is_set() else stop).set()

    def told_to_reload() -> None:
        if tasks.reload is not None:
            tasks.reload()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told_to_stop)
    loop.add_signal_handler(signal.SIGHUP, told_to_reload)
    started = time.monotonic()
    _return_large_blocks()
    try:
        async with work(tasks) as state:
            gc.freeze()  # what was loaded stays, and the loop need not stand still while it is looked through for garbage
            _publish(home, {"pid": os.getpid(), "name": name, **state})
            _notify("READY=1")
            _log.info(
                "the daemon serves", extra={"daemon": name, "seconds": round(time.monotonic() - started, 3)}
            )
            tasks.failed.add_done_callback(lambda _: hurry.set())
            tasks.failed.add_done_callback(lambda _: stop.set())
            await stop.wait()
            _notify("STOPPING=1")
            await tasks.drained(hurry)
            home.state.unlink(missing_ok=True)
            await tasks.stop()
    except TrisectError as error:
        _log.error("the daemon cannot run", extra={"reason": error.message, "hint": error.hint})
        raise
    finally:
        home.leave()
    _log.info("the daemon has stopped", extra={"daemon": name})
    if tasks.failed.done():
        raise tasks.failed.result()


def _return_large_blocks() -> bool:
    """Have the C library give blocks of a megabyte back to the system as soon as they are free; gives whether it does.

    glibc raises that threshold by itself up to 32 MiB, and then keeps what a large list has taken, piece by piece.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):  # another C library
        return False
    return bool(mallopt(_M_MMAP_THRESHOLD, _LARGE_BLOCK))


def _publish(home: Home, state: dict[str, Any]) -> None:
    scratch = home.state.with_suffix(".new")
    scratch.write_text(json.dumps(state))
    scratch.chmod(0o600)
    scratch.replace(home.state)


def _notify(message: str) -> None:
    """Tell systemd, where it listens (sd_notify, Type=notify)."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.connect("\0" + address[1:] if address.startswith("@") else address)
        channel.send(message.encode())
