"""Progress on stderr: a bar on a terminal, else one line every ten seconds. Never on stdout."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn
from rich.progress import Progress as Bar

from trisect.cli.report import Report
from trisect.cli.units import span
from trisect.rpc.words import printable

EVERY_S = 10.0
EVENT_EVERY_S = 1.0


class Progress:
    """Shows how far one piece of work is.

    Args:
        report: quiet or not, and where events of `--format jsonl` go.
        noun: what is counted, in the plural.
        clock: seconds that only grow.
    """

    def __init__(self, report: Report, noun: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._report = report
        self._noun = noun
        self._clock = clock
        self._began = self._said = self._event = clock()
        self._bar = _bar() if sys.stderr.isatty() and not report.quiet else None
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        """Begin."""
        if self._bar is not None:
            self._bar.start()
            self._task = self._bar.add_task("", total=None, detail="")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()

    def update(self, phase: str, done: int, *, share: float | None = None, waits_for: str = "") -> None:
        """Tell how far it is.

        Args:
            phase: what is being done.
            done: items so far.
            share: how much of the whole that is, 0 to 1; None where nobody knows.
            waits_for: whom we wait for, if for anybody.
        """
        now = self._clock()
        passed = now - self._began
        left_s = passed * (1 - share) / share if share else None
        rate = done / passed if passed > 0 else 0.0
        if now - self._event >= EVENT_EVERY_S:
            self._event = now
            self._report.event(
                "progress",
                {
                    "phase": phase,
                    "done": done,
                    "share": share,
                    "per_s": round(rate, 1),
                    "seconds_left": None if left_s is None else round(left_s, 1),
                    "waits_for": waits_for or None,
                },
            )
        detail = [f"{done:,} {self._noun}", f"{rate:,.0f}/s"]
        if left_s is not None:
            detail.append(f"about {span(left_s)} left")
        if waits_for:
            detail.append(f"waiting for {waits_for}")
        self._show(printable(phase), printable(", ".join(detail)), share, now)

    def _show(self, phase: str, detail: str, share: float | None, now: float) -> None:
        if self._bar is not None and self._task is not None:
            completed = 0.0 if share is None else share
            total = None if share is None else 1.0
            self._bar.update(self._task, description=phase, detail=detail, completed=completed, total=total)
        elif now - self._said >= EVERY_S:
            self._said = now
            self._report.note(f"{phase}: {detail}")


def _bar() -> Bar:
    return Bar(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        TextColumn("{task.fields[detail]}", markup=False),
        console=Console(stderr=True, markup=False, highlight=False),
        transient=True,
    )
