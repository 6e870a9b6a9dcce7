"""Failures that only the command knows.

Their codes are stable and nobody else's: `crosses_wire = False` keeps an error that comes over the wire under such
a code from being taken for one of these.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from trisect.errors import BadInputError, Fault, TrisectError

INTERRUPTED_EXIT = 130
PARTIAL_EXIT = 7


class VersionAskedError(Exception):
    """No failure: `--version` ends the parsing, and whoever knows the format tells the version."""


class UsageError(BadInputError):
    """The command line is not one that the command knows."""

    code = "TRI-USAGE"
    crosses_wire = False


class DeclinedError(TrisectError):
    """The person at the terminal said no."""

    code = "TRI-DECLINED"
    crosses_wire = False


class InterruptedCommandError(TrisectError):
    """Somebody pressed Ctrl-C."""

    code = "TRI-CTRL-C"
    crosses_wire = False


class UnforeseenError(TrisectError):
    """A bug of the command itself.

    Args:
        correlation_id: stands beside the place in the code, on stderr.
    """

    fault = Fault.BUG
    code = "TRI-CLIENT-BUG"
    crosses_wire = False

    def __init__(self, correlation_id: str) -> None:
        super().__init__(
            "the command failed in a way that it did not foresee",
            hint="report it with what stands on stderr, which holds no value of yours",
        )
        self.correlation_id = correlation_id


class FlawedResultError(TrisectError):
    """There is a result, and something in it that a script must not overlook.

    Args:
        message: what is wrong with the result.
        data: the result.
        text: prints the result for people.
        hint: what would mend it.
    """

    code = "TRI-UNFIT"
    crosses_wire = False

    def __init__(
        self, message: str, *, data: Mapping[str, Any], text: Callable[[], None], hint: str = ""
    ) -> None:
        super().__init__(message, hint=hint)
        self.data = data
        self.text = text


class PartialError(FlawedResultError):
    """Only a part was taken."""

    code = "TRI-PARTIAL"
