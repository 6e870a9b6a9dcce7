"""`trisect status`."""

from __future__ import annotations

import typer

from trisect.cli.call import Call
from trisect.cli.options import command


def declare(app: typer.Typer) -> None:
    """Add the command."""
    command(app)(status)


def status(call: Call) -> None:
    """Show how the node or the coordinator of this home is.

    A node tells its party, role and standing, its links, its pepper epoch and when its certificate ends; the
    coordinator tells who has enrolled and who is connected.
    """
    from trisect.cli.acts import status as act  # noqa: PLC0415

    call.run(act.show(call))
