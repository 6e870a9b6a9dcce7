"""`trisect demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trisect.cli.call import Call
from trisect.cli.options import command, group

app = typer.Typer()
Folder = Annotated[Path, typer.Option("--dir", metavar="DIR", help="The cluster's folder.")]


@group(app, alone=True)
def demo(call: Call) -> None:
    """Run everything on one machine: five daemons, real lists, matches, and the proof that the relay is blind.

    Without a further word the cluster is made, used and removed again; `up` leaves it running for hand work.
    """
    if call.subcommand is None:
        from trisect.cli.demo import telling  # noqa: PLC0415  (loads gRPC, numpy and the samples)

        call.run(telling.whole(call))


@command(app)
def up(
    call: Call,
    folder: Folder,
    *,
    no_data: Annotated[bool, typer.Option("--no-data", help="No lists, nothing shared.")] = False,
) -> None:
    """Start the cluster and leave it running; returns when every daemon is ready and every party admitted."""
    from trisect.cli.demo import telling  # noqa: PLC0415

    call.run(telling.up(call, folder, with_data=not no_data))


@command(app)
def down(call: Call, folder: Folder) -> None:
    """Stop the cluster; returns when all its daemons have exited. The homes stay."""
    from trisect.cli.demo import telling  # noqa: PLC0415

    call.run(telling.down(call, folder))
