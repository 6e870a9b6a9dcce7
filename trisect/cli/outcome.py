"""How a command line of any of the three programs ends: one result or one error, and an exit code."""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable

from typer import Abort

from trisect.cli.failures import InterruptedCommandError
from trisect.cli.report import Report, silence_stdout
from trisect.cli.settings import Format
from trisect.cli.usage import ClickException, explain, help_instead
from trisect.errors import TrisectError

BROKEN_PIPE_EXIT = NO_ROOM_EXIT = 1
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}


def exit_code(report: Report, begin: Callable[[], int]) -> int:
    """Run a command line, and report whatever it raises; gives its exit code."""
    try:
        return begin()
    except ClickException as error:
        return _bad_usage(report, error)
    except TrisectError as error:
        return report.failure(error)
    except (KeyboardInterrupt, Abort):
        return report.failure(InterruptedCommandError("interrupted"))
    except BrokenPipeError:
        silence_stdout()
        return BROKEN_PIPE_EXIT
    except Exception as error:  # noqa: BLE001  (whatever it is, a script gets an error object and exit code 5)
        return _unforeseen(report, error)


def _unforeseen(report: Report, error: Exception) -> int:
    if not (isinstance(error, OSError) and error.errno in _NO_ROOM):
        return report.bug(error)
    try:
        report.failure(TrisectError("there is no room to write", hint="make room, and repeat the command"))
    except OSError:  # stdout itself has none, and stderr tells
        Report(Format.TEXT).failure(
            TrisectError("there is no room to write the result", hint="make room, and repeat the command")
        )
    silence_stdout()
    return NO_ROOM_EXIT


def _bad_usage(report: Report, error: ClickException) -> int:
    if report.output is Format.TEXT and (text := help_instead(error)):
        sys.stderr.write(f"{text}\n\n")
    return report.failure(explain(error))
