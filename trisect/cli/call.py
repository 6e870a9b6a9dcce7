"""One run of a command: its options, its home, its questions and its report."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

import typer

from trisect.cli.failures import DeclinedError, InterruptedCommandError, UsageError
from trisect.cli.report import Report
from trisect.cli.settings import HOME_VARIABLE, Settings
from trisect.rpc.words import printable

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call:
    """What a command's function works with.

    Attributes:
        settings: the global options.
        report: where results and notes go.
        subcommand: in a group's own function, the word that follows; None where none does.
    """

    settings: Settings
    report: Report
    subcommand: str | None = None

    @classmethod
    def of(cls, settings: Settings, context: typer.Context) -> Self:
        """Make it from a parsed command line."""
        return cls(settings, Report(settings.output, quiet=settings.quiet), context.invoked_subcommand)

    def given_home(self) -> Path | None:
        """Tell the home folder, if one was named."""
        named = self.settings.home or os.environ.get(HOME_VARIABLE)
        return Path(named) if named else None

    def home(self) -> Path:
        """Tell the home folder; raises UsageError where none was named."""
        found = self.given_home()
        if found is None:
            raise UsageError(
                "no home was named",
                hint=f"give --home DIR, or set {HOME_VARIABLE}; `trisect doctor` needs none",
            )
        return found

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a command's work to its end; Ctrl-C cancels it."""
        try:
            return asyncio.run(work)
        except KeyboardInterrupt:
            raise InterruptedCommandError("interrupted") from None

    @property
    def asks(self) -> bool:
        """Whether there is a person to ask."""
        return not self.settings.no_input and sys.stdin.isatty()

    def confirm(self, what: str, *, cure: str = "give --yes") -> None:
        """Ask before something that cannot be undone.

        Args:
            what: the act and its consequence, as a sentence without its full stop.
            cure: what to do where there is nobody to ask.

        Raises:
            UsageError: there is nobody to ask, and no `--yes`.
            DeclinedError: the answer was not yes.
        """
        if self.settings.yes:
            return
        what = printable(what)
        if not self.asks:
            raise UsageError(f"{what}: this needs a yes, and there is nobody to ask", hint=cure)
        sys.stderr.write(f"{what}. Go on? [y/N] ")
        sys.stderr.flush()
        if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
            raise DeclinedError("nothing was done")
