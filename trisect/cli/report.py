"""All that a run prints: one result or one error, for people or as JSON.

Results go to stdout, and so do errors under `--format json`; whatever else there is to say goes to stderr.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from trisect.cli.failures import (
    INTERRUPTED_EXIT,
    PARTIAL_EXIT,
    FlawedResultError,
    InterruptedCommandError,
    PartialError,
    UnforeseenError,
)
from trisect.cli.settings import Format
from trisect.errors import TrisectError
from trisect.rpc.words import printable

SCHEMA = 1
_SHOWN_FRAMES = 8


class Report:
    """The mouth of one run."""

    def __init__(self, output: Format, *, quiet: bool = False) -> None:
        self.output = output
        self.quiet = quiet

    def result(self, data: Mapping[str, Any], text: Callable[[], None]) -> None:
        """Print the result.

        Args:
            data: the stable shape for scripts.
            text: prints it for people.
        """
        if self.output is Format.TEXT:
            text()
            sys.stdout.flush()
        else:
            self._object({"status": "ok", "data": data}, last=True)

    def event(self, name: str, data: Mapping[str, Any]) -> None:
        """Print one line of a stream, under `--format jsonl` only."""
        if self.output is Format.JSONL:
            self._object({"event": name, "data": data})

    def note(self, text: str) -> None:
        """Say something beside the result, on stderr."""
        if not self.quiet:
            sys.stderr.write(f"{printable(text)}\n")
            sys.stderr.flush()

    def failure(self, error: TrisectError) -> int:
        """Print an error; gives the exit code."""
        from trisect.rpc.status import (  # noqa: PLC0415  (loads gRPC, which a run that succeeds may not need)
            RemoteBugError,
            page,
        )

        correlation_id = error.correlation_id if isinstance(error, RemoteBugError | UnforeseenError) else ""
        if self.output is Format.TEXT:
            if isinstance(error, FlawedResultError):
                error.text()
                sys.stdout.flush()
            _say_failure(error, page(error), correlation_id)
        else:
            described = {
                "code": error.code,
                "message": error.message,
                "hint": error.hint or None,
                "rule": error.rule or None,
                "doc": page(error),
                "correlation_id": correlation_id or None,
            }
            body: dict[str, Any] = {"status": "error", "error": described}
            if isinstance(error, FlawedResultError):
                body["data"] = error.data
            self._object(body, last=True)
        return _exit_code(error)

    def bug(self, error: BaseException) -> int:
        """Report an exception that nobody foresaw; its text stays unsaid, since it may hold a value."""
        correlation_id = secrets.token_hex(8)
        frames = traceback.extract_tb(error.__traceback__)[-_SHOWN_FRAMES:]
        sys.stderr.write(f"{type(error).__name__} ({correlation_id}) at\n")
        for frame in frames:
            place = "/".join(Path(frame.filename).parts[-3:])
            sys.stderr.write(f"  {place}:{frame.lineno} {frame.name}\n")
        return self.failure(UnforeseenError(correlation_id))

    def _object(self, body: Mapping[str, Any], *, last: bool = False) -> None:
        whole: dict[str, Any] = {"schema": SCHEMA, **body}
        if last and self.output is Format.JSONL:
            whole["terminal"] = True
        sys.stdout.write(json.dumps(whole) + "\n")
        sys.stdout.flush()


def _say_failure(error: TrisectError, page: str, correlation_id: str) -> None:
    """Print an error for people; a peer may have chosen its words, so each field is one line and no more."""
    said = {"hint": error.hint, "rule": error.rule, "correlation id": correlation_id, "more": page}
    lines = [f"error: {printable(error.message)}"]
    lines += [f"  {name}: {printable(text)}" for name, text in said.items() if text]
    sys.stderr.write("\n".join(lines) + "\n")
    sys.stderr.flush()


def _exit_code(error: TrisectError) -> int:
    from trisect.rpc.status import exit_code  # noqa: PLC0415  (as above)

    if isinstance(error, InterruptedCommandError):
        return INTERRUPTED_EXIT
    return PARTIAL_EXIT if isinstance(error, PartialError) else exit_code(error)


def silence_stdout() -> None:
    """Keep Python from complaining at exit about a reader that went away."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
