"""Result files: readable by their owner only, and either whole or not there."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from trisect.errors import BadInputError


def check_place(path: Path) -> None:
    """Refuse a place where no file can be made, before any work is done for it."""
    if path.is_dir() or not path.parent.is_dir() or not os.access(path.parent, os.W_OK | os.X_OK):
        raise BadInputError(f"cannot write {path}", hint="choose a file in a folder that you may write to")


def scratch(path: Path) -> tuple[Path, TextIO]:
    """Open a new file beside `path`, mode 0600."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise BadInputError(f"cannot write {path}: {error.strerror}", hint="choose another folder") from error
    return beside, os.fdopen(descriptor, "w", encoding="utf-8", newline="")


@contextmanager
def written(path: Path) -> Iterator[TextIO]:
    """Write a file that takes its name only when all of it is on disk."""
    check_place(path)
    beside, stream = scratch(path)
    try:
        with stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
