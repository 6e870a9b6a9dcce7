"""`trisect doctor`."""

from __future__ import annotations

import typer

from trisect.cli.call import Call
from trisect.cli.options import command


def declare(app: typer.Typer) -> None:
    """Add the command."""
    command(app)(doctor)


def doctor(call: Call) -> None:
    """Check whether this machine is fit, and say what would cure each fault.

    With --home the folder, its configuration and its daemon are checked too. Exits with 1 if anything fails.
    """
    from trisect.cli.acts import doctor as act  # noqa: PLC0415

    act.doctor(call)
