"""A daemon's home: its folder, and what is told there of the daemon that runs from it."""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from trisect.errors import BadInputError, ConflictError

STATE_FILE = "daemon.json"
MAX_SOCKET_PATH = 100
_PRIVATE = "trisect-"


class Home:
    """A daemon's folder: configuration, keystore, database, logs, and what runs from it."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.config = self.path / "config.toml"
        self.logs = self.path / "logs"
        self.state = self.path / STATE_FILE
        self._port = self.path / "port"
        self._elsewhere: Path | None = None

    def socket(self) -> Path:
        """Choose the administration socket's path, in a 0700 folder of this user."""
        with suppress(OSError, ValueError, KeyError):  # what a killed predecessor has left
            self._remove_private(Path(json.loads(self.state.read_text())["socket"]))
        path = self.path / "run" / "admin.sock"
        if len(str(path).encode()) > MAX_SOCKET_PATH:
            base = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir())
            path = self._elsewhere = Path(tempfile.mkdtemp(prefix=_PRIVATE, dir=base)) / "admin.sock"
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in {path.parent, path.parent.parent} if path.is_relative_to(self.path) else {path.parent}:
            found = folder.stat()
            if found.st_uid != os.getuid() or found.st_mode & 0o077:
                raise BadInputError(
                    f"{folder} can be entered by others (mode {found.st_mode & 0o777:04o}) or is not this user's",
                    hint=f"chmod 700 {folder}",
                )
        path.unlink(missing_ok=True)
        return path

    def leave(self) -> None:
        """Remove what the daemon has put outside its home, once it serves no more."""
        if self._elsewhere is not None:
            self._remove_private(self._elsewhere)

    def _remove_private(self, socket: Path) -> None:
        if socket.parent.name.startswith(_PRIVATE) and not socket.is_relative_to(self.path):
            socket.unlink(missing_ok=True)
            with suppress(OSError):
                socket.parent.rmdir()

    def remembered_port(self, listen: str) -> str:
        """Put the port of the last run in place of port 0, so that a restart is found again."""
        host, _, port = listen.rpartition(":")
        if port == "0" and self._port.exists():
            port = self._port.read_text().strip()
        return f"{host}:{port}"

    def remember_port(self, port: int) -> None:
        """Keep the port that was bound."""
        self._port.write_text(f"{port}\n")

    def running(self) -> dict[str, Any]:
        """Tell what runs from this home, as its daemon wrote it.

        Raises:
            ConflictError: nothing does.
        """
        try:
            found: dict[str, Any] = json.loads(self.state.read_text())
            os.kill(int(found["pid"]), 0)
        except (OSError, ValueError, KeyError) as error:
            raise ConflictError(
                f"no daemon runs from {self.path}",
                hint=f"start it with `run --home {self.path}`, or name another home with --home",
            ) from error
        return found

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Have this home, which must exist, to oneself.

        Raises:
            ConflictError: a daemon has it, or another `join`.
        """
        lock = os.open(self.path, os.O_RDONLY)
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise ConflictError(
                    f"another daemon runs from {self.path}", hint="stop it, and repeat the command"
                ) from error
            yield
        finally:
            os.close(lock)
