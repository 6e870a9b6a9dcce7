"""`trisect collection`."""

from __future__ import annotations

from typing import Annotated

import typer

from trisect.cli.call import Call
from trisect.cli.commands.completions import purposes
from trisect.cli.options import command, group

app = typer.Typer()
Name = Annotated[str, typer.Argument(metavar="NAME", help="The collection's name.")]
With = Annotated[
    str, typer.Option("--with", metavar="WHOM", help="A party's name, role:ROLE (role:government) or all.")
]


@group(app)
def collection(_call: Call) -> None:
    """See this node's fraud lists, and say who may ask them for what."""


@command(app, "list")
def list_all(call: Call) -> None:
    """List the collections of this node."""
    from trisect.cli.acts import collection as act  # noqa: PLC0415

    call.run(act.list_all(call))


@command(app)
def show(call: Call, name: Name) -> None:
    """Show one collection and with whom it is shared."""
    from trisect.cli.acts import collection as act  # noqa: PLC0415

    call.run(act.show(call, name))


@command(app)
def labels(
    call: Call,
    name: Name,
    channel: Annotated[str, typer.Option(metavar="CHANNEL", help="Count only entries of that channel.")] = "",
) -> None:
    """Count what the entries of a collection say: channels, fraud types, roles and AI techniques."""
    from trisect.cli.acts import collection as act  # noqa: PLC0415

    call.run(act.labels(call, name, channel))


@command(app)
def share(
    call: Call,
    name: Name,
    whom: With,
    purpose: Annotated[
        str,
        typer.Option(metavar="PURPOSE", help="For what they may ask.", autocompletion=purposes),
    ],
    mode: Annotated[
        str, typer.Option(metavar="MODES", help="What they may learn: match, count, lookup; with commas.")
    ] = "match",
    use: Annotated[
        str,
        typer.Option(
            metavar="USES",
            help="What they may do because of a hit: purpose, review, warn, hold, report, statistics; with commas.",
        ),
    ] = "purpose",
    retention_days: Annotated[
        int,
        typer.Option(
            metavar="DAYS",
            min=0,
            max=3650,
            help="For how long they may keep hits; 0: as long as entries are.",
        ),
    ] = 0,
) -> None:
    """Let others ask this collection, for one purpose, on terms that this node signs."""
    from trisect.cli.acts import collection as act  # noqa: PLC0415

    call.run(act.share(call, name, whom, purpose, mode, use, retention_days))


@command(app)
def unshare(
    call: Call,
    name: Name,
    whom: With,
    purpose: Annotated[
        str,
        typer.Option(
            metavar="PURPOSE", help="Only this purpose; every one by default.", autocompletion=purposes
        ),
    ] = "",
) -> None:
    """Take a sharing back; from then on nobody can ask under it."""
    from trisect.cli.acts import collection as act  # noqa: PLC0415

    call.run(act.unshare(call, name, whom, purpose))


@command(app)
def delete(call: Call, name: Name) -> None:
    """Delete a collection with all its entries; asks first."""
    from trisect.cli.acts import collection as act  # noqa: PLC0415

    act.delete(call, name)
