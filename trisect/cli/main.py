"""Where the command begins; `trisect.cli.outcome` is how it ends."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from trisect import __version__
from trisect.cli import outcome
from trisect.cli.failures import VersionAskedError
from trisect.cli.report import Report
from trisect.cli.settings import format_of
from trisect.cli.tree import command


def run(arguments: Sequence[str]) -> int:
    """Run one command line; gives its exit code."""
    report = Report(format_of(arguments))
    return outcome.exit_code(report, lambda: _begin(report, arguments))


def _begin(report: Report, arguments: Sequence[str]) -> int:
    try:
        return int(command.main(list(arguments), prog_name="trisect", standalone_mode=False) or 0)
    except VersionAskedError:
        report.result({"version": __version__}, lambda: print(f"trisect {__version__}"))  # noqa: T201
        return 0


def main() -> None:
    """Entry point of `trisect`."""
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
