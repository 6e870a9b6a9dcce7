"""`trisect approval`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trisect.cli.call import Call
from trisect.cli.options import command, group

app = typer.Typer()
File = Annotated[
    Path, typer.Argument(metavar="FILE", help="The proposal, as an act left it with --proposal.")
]


@group(app)
def approval(_call: Call) -> None:
    """Read, sign and publish what waits for officers."""


@command(app)
def show(call: Call, file: File) -> None:
    """Show what a proposal says, and whose keys have signed it. Needs no daemon."""
    from trisect.cli.acts import approval as act  # noqa: PLC0415

    act.show(call, file)


@command(app)
def sign(
    call: Call,
    file: File,
    key: Annotated[Path, typer.Option(metavar="FILE", help="Your key, as `trisect officer key` made it.")],
) -> None:
    """Approve a proposal with your key; asks first. Needs no daemon."""
    from trisect.cli.acts import approval as act  # noqa: PLC0415

    act.sign(call, file, key)


@command(app)
def publish(call: Call, file: File) -> None:
    """Publish a proposal that enough officers have signed (--home is the node's that made it)."""
    from trisect.cli.acts import approval as act  # noqa: PLC0415

    call.run(act.publish(call, file))
