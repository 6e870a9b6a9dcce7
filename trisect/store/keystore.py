"""A daemon's secret keys in one file of mode 0600, replaced whole or not at all.

By advice the file is not on the database's volume: without it a stolen database shows tokens that only a
member of the consortium can test guesses against.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path

from trisect.errors import BadInputError, ExhaustedError

KEYSTORE_FILE = "keystore.json"
_SCHEMA = 1


def save(path: Path, secrets: Mapping[str, bytes]) -> None:
    """Write all secrets; the file is whole after a crash at any point.

    Raises:
        ExhaustedError: the disk is full; the old file is untouched.
    """
    text = json.dumps(
        {
            "schema": _SCHEMA,
            "secrets": {name: base64.b64encode(value).decode() for name, value in secrets.items()},
        }
    )
    write_private(path, text.encode())


def load(path: Path) -> dict[str, bytes]:
    """Read all secrets.

    Raises:
        BadInputError: missing, readable by others, or not a keystore.
    """
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            raise BadInputError(
                f"the keystore {path} can be opened by others (mode {mode:04o})", hint=f"chmod 600 {path}"
            )
        fields = json.loads(path.read_bytes())
        return {name: base64.b64decode(value) for name, value in fields["secrets"].items()}
    except FileNotFoundError as error:
        raise BadInputError(
            f"there is no keystore at {path}", hint="has `init` or `join` been run for this home?"
        ) from error
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise BadInputError(
            f"the keystore {path} cannot be read", hint="restore it from its backup"
        ) from error


def write_private(path: Path, data: bytes) -> None:
    """Write a file of mode 0600 atomically and durably."""
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        with contextlib.suppress(OSError):
            scratch.unlink()
        raise ExhaustedError(
            f"cannot write {path}: {error.strerror}", hint="free space, check the folder's mode, and repeat"
        ) from error
