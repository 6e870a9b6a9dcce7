"""One secret or personal value from stdin: an argument would show in `ps` and in the shell's history."""

from __future__ import annotations

import getpass
import sys

from trisect.cli.call import Call
from trisect.errors import BadInputError

MAX_BYTES = 64 * 1024


def one(call: Call, noun: str, hint: str) -> str:
    """Read one value from stdin, unseen where it is a terminal.

    Args:
        call: tells whether there is somebody to ask.
        noun: what is asked for.
        hint: what to do where stdin holds more than one, or none.

    Raises:
        BadInputError: stdin holds none, more than one, or no text.
    """
    if call.asks:
        text = getpass.getpass(f"{noun} (not shown): ", stream=sys.stderr)
    else:
        # One byte more than a value has, so that a file given by mistake is noticed and not read whole.
        text = sys.stdin.buffer.read(MAX_BYTES + 1).decode("utf-8", "replace")
    lines = [line for line in text.lstrip("\ufeff").splitlines() if line.strip()]
    if len(lines) != 1 or len(text) > MAX_BYTES:
        raise BadInputError(f"stdin holds {'more than one' if lines else 'no'} {noun}", hint=hint)
    if "\ufffd" in lines[0]:
        raise BadInputError(f"the {noun} on stdin is not UTF-8", hint="save it as UTF-8")
    return lines[0].strip()
