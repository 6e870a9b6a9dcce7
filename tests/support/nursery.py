"""Our programs as processes forked from one that has loaded them: loading takes longer than most of what tests ask.

Each is a process of its own from there on, and runs its program from the first line, with its own arguments,
environment and files. How a program starts before that has tests that start it as a shell does
(`tests/unit/house/test_daemon_programs.py`, `tests/cli/test_options.py`, the walk of the demonstration).
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from pkgutil import walk_packages
from typing import IO, NoReturn

BIN = Path(sys.executable).parent
END_S = 60.0
LOADED = {
    "trisect": ["trisect.cli"],
    "trisect-node": ["nodes", "alembic.command", "uvloop"],
    "trisect-coordinator": ["coordinator", "alembic.command", "uvloop"],
}
"""What each program loads sooner or later: of our packages every module."""


class Process:
    """A program that runs, with what tests use of `subprocess.Popen`."""

    def __init__(self, nursery: Nursery, pid: int, ended: int, arguments: Sequence[str]) -> None:
        self.pid, self.args = pid, arguments
        self.returncode: int | None = None
        self._nursery, self._ended = nursery, ended

    def poll(self) -> int | None:
        """Give its exit code, or None while it runs."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; gives its exit code, below zero for a signal."""
        if self.returncode is None:
            if not select.select([self._ended], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
            self.returncode = self._nursery.reap(self.pid)
            os.close(self._ended)
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Nursery:
    """The process that has loaded one program."""

    def __init__(self, program: str) -> None:
        self._lock = threading.Lock()
        self._control, theirs = socket.socketpair()
        with theirs:
            self._loaded = subprocess.Popen(
                [sys.executable, "-P", __file__, program, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        self._program = program
        atexit.register(self.close)

    def close(self) -> None:
        """End it; its children go on, as any process's do."""
        self._control.close()
        self._loaded.wait()

    def start(
        self,
        arguments: Sequence[str],
        streams: tuple[int, int, int],
        environment: Mapping[str, str],
        folder: Path | None = None,
        script: Path | None = None,
    ) -> Process:
        """Fork a process that runs the program in a folder, with files for stdin, stdout and stderr.

        A script is run in the program's place, as the interpreter would run it.
        """
        ended, kept = os.pipe()  # the program's process alone keeps the other end open
        command = [str(script or BIN / self._program), *arguments]
        try:
            asked = {
                "command": command,
                "environment": dict(environment),
                "folder": str(folder or Path.cwd()),
                "script": script is not None,
            }
            pid = self._ask(asked, [*streams, kept])
        finally:
            os.close(kept)
        return Process(self, pid, ended, command)

    def reap(self, pid: int) -> int:
        """Give the exit code of a process that has ended."""
        return self._ask({"reap": pid}, [])

    def _ask(self, asked: dict[str, object], files: list[int]) -> int:
        with self._lock:
            socket.send_fds(self._control, [json.dumps(asked).encode() + b"\n"], files)
            return int(_line(self._control))


@functools.cache
def of(program: str) -> Nursery:
    """Give the nursery of one of our programs."""
    return Nursery(program)


def start(
    program: str,
    *arguments: object,
    output: IO[bytes],
    environment: Mapping[str, str] | None = None,
    script: Path | None = None,
) -> Process:
    """Start one of our programs, or a script that stands in for it, without input; what it prints goes to a file."""
    with Path(os.devnull).open("rb") as nothing:
        streams = (nothing.fileno(), output.fileno(), output.fileno())
        return of(program).start([*map(str, arguments)], streams, environment or os.environ, script=script)


def run(
    program: str,
    *arguments: object,
    stdin: str | bytes = "",
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run one of our programs to its end."""
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        given.write(stdin.encode() if isinstance(stdin, str) else stdin)
        given.seek(0)
        streams = (given.fileno(), out.fileno(), err.fileno())
        process = of(program).start([*map(str, arguments)], streams, environment or os.environ, folder)
        try:
            code = process.wait(END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(process.args, code, out.read().decode(), err.read().decode())


def _line(control: socket.socket, begun: bytes = b"") -> bytes:
    while not begun.endswith(b"\n"):
        more = control.recv(1 << 16)
        if not more:
            raise EOFError
        begun += more
    return begun


def _load(own: str, *others: str) -> None:
    for name in (own, *others):
        import_module(name)
    for module in walk_packages(import_module(own).__path__, f"{own}."):
        if not module.name.endswith("__main__"):
            import_module(module.name)


def _serve(control: socket.socket) -> bool:
    """Fork as asked until nobody asks any more; in the fork, become what was asked for, and tell whether it is a script."""
    while True:
        try:
            begun, files, *_ = socket.recv_fds(control, 1 << 16, 4, socket.MSG_CMSG_CLOEXEC)
            asked = json.loads(_line(control, begun)) if begun else None
        except EOFError:
            asked = None
        if asked is None:
            os._exit(0)
        if "reap" in asked:
            reply = os.waitstatus_to_exitcode(os.waitpid(asked["reap"], 0)[1])
        elif (reply := os.fork()) == 0:
            control.close()
            _become(asked, files)
            return bool(asked["script"])
        for file in files:
            os.close(file)
        control.sendall(f"{reply}\n".encode())


def _become(asked: dict, files: list[int]) -> None:
    for standard, file in enumerate(files[:3]):
        os.dup2(file, standard)
        os.close(file)
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    sys.argv = asked["command"]


def _script() -> None:
    sys.path.insert(0, str(Path(sys.argv[0]).parent))
    runpy.run_path(sys.argv[0], run_name="__main__")


def _run(program: Callable[[], None]) -> NoReturn:
    """Run a program to its end; what was loaded is not taken apart, which takes as long as loading it."""
    code: object = 1
    try:
        program()
    except SystemExit as ended:
        code = ended.code or 0
    except BaseException:  # noqa: BLE001  (the interpreter's own last resort)
        traceback.print_exc()
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else 1)


if __name__ == "__main__":
    (entry,) = entry_points(group="console_scripts", name=sys.argv[1])
    program = entry.load()
    _load(*LOADED[sys.argv[1]])
    gc.freeze()
    with socket.socket(fileno=int(sys.argv[2])) as asking:
        is_script = _serve(asking)
    _run(_script if is_script else program)
