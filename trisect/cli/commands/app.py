"""`trisect app`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trisect.cli.call import Call
from trisect.cli.options import command, group

app = typer.Typer()


@group(app)
def app_(_call: Call) -> None:
    """Let a proxy's own apps call its node. Needs --home of a proxy's node."""


@command(app)
def issue(
    call: Call,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What you call the app.")],
    output: Annotated[
        Path, typer.Option(metavar="FILE", help="Write the credential there, with its secret key.")
    ],
    days: Annotated[int, typer.Option(metavar="N", min=1, help="For how long it holds.")] = 90,
) -> None:
    """Issue a credential; its key is made here, and kept nowhere else."""
    from trisect.cli.acts import app as act  # noqa: PLC0415

    act.issue(call, name, output, days)


@command(app, "list")
def list_(call: Call) -> None:
    """List all credentials."""
    from trisect.cli.acts import app as act  # noqa: PLC0415

    call.run(act.list_(call))


@command(app)
def revoke(
    call: Call, credential: Annotated[str, typer.Argument(metavar="ID", help="The credential's id.")]
) -> None:
    """End a credential at once, and the streams that run under it."""
    from trisect.cli.acts import app as act  # noqa: PLC0415

    act.revoke(call, credential)
