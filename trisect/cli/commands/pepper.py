"""`trisect pepper`."""

from __future__ import annotations

import typer

from trisect.cli.call import Call
from trisect.cli.options import command, group

app = typer.Typer()


@group(app)
def pepper(_call: Call) -> None:
    """See or rotate the secret that makes stolen tokens useless to outsiders."""


@command(app)
def status(call: Call) -> None:
    """Show the pepper epoch, and how many rows still have to be rolled to it."""
    from trisect.cli.acts import pepper as act  # noqa: PLC0415

    call.run(act.status(call))


@command(app)
def rotate(call: Call) -> None:
    """Begin a new pepper epoch at all parties; asks first (--home is a government node's).

    Rotate after an expulsion or a leak. Each node rolls what it stores in place; nothing is imported again.
    """
    from trisect.cli.acts import pepper as act  # noqa: PLC0415

    act.rotate(call)
