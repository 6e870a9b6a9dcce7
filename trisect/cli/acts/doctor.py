"""Whether this machine is fit to run a node."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from trisect.cli import screen
from trisect.cli.call import Call
from trisect.cli.checks import home, machine, software
from trisect.cli.checks.finding import Finding
from trisect.cli.failures import FlawedResultError


def doctor(call: Call) -> None:
    """Run all checks; raises FlawedResultError where one fails."""
    place = call.given_home()
    found = [*software.findings(), *machine.findings((place or Path.cwd()).absolute())]
    if place is not None:
        found.extend(home.findings(place.absolute()))
    data: dict[str, Any] = {"checks": [{**asdict(one), "cure": one.cure or None} for one in found]}
    faults = [one for one in found if not one.ok]
    if faults:
        raise FlawedResultError(
            f"{screen.count(len(faults), 'check')} failed: {', '.join(one.name for one in faults)}",
            data=data,
            text=lambda: _print(found),
            hint=faults[0].cure,
        )
    call.report.result(data, lambda: _print(found))


def _print(found: Sequence[Finding]) -> None:
    screen.table(
        ["", "CHECK", "FOUND"],
        [["ok" if one.ok else "FAULT", one.name, one.detail] for one in found],
        empty="",
    )
    for one in found:
        if one.cure:
            screen.say(f"{one.name}: {one.cure}")
