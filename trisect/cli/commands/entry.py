"""`trisect entry`."""

from __future__ import annotations

from typing import Annotated

import typer

from trisect.cli.call import Call
from trisect.cli.commands.completions import kinds
from trisect.cli.options import command, group

app = typer.Typer()
Value = Annotated[
    str,
    typer.Argument(
        metavar="[-]",
        show_default=False,
        help="One value from stdin; an argument would show in `ps` and history.",
    ),
]
Collection = Annotated[str, typer.Option(metavar="C", help="The collection.")]
AnyCollection = Annotated[
    str, typer.Option(metavar="C", help="The collection; with a value, all by default.")
]
Kind = Annotated[
    str, typer.Option(metavar="K", help="What the value is; auto tells by itself.", autocompletion=kinds)
]
Ref = Annotated[str, typer.Option(metavar="REF", help="Name the entry by its reference instead.")]
Region = Annotated[str, typer.Option(metavar="CC", help="Country of a national number, such as US.")]


@group(app)
def entry(_call: Call) -> None:
    """Work on one entry: its value comes from stdin, or --ref names it."""


@command(app)
def add(
    call: Call,
    collection: Collection,
    value: Value = "-",
    kind: Kind = "auto",
    ref: Annotated[str, typer.Option(metavar="REF", help="What leads back to your own record.")] = "",
    region: Region = "",
    category: Annotated[str, typer.Option(metavar="CODE", help="Type of fraud.")] = "",
    fraud_role: Annotated[
        str, typer.Option(metavar="ROLE", help="suspect, mule, spoofed, victim or unknown.")
    ] = "",
    confidence: Annotated[str, typer.Option(metavar="0-100", help="How sure you are.")] = "",
    first_seen: Annotated[str, typer.Option(metavar="DATE", help="When it was first seen.")] = "",
    last_seen: Annotated[str, typer.Option(metavar="DATE", help="When it was last seen.")] = "",
    channel: Annotated[
        str, typer.Option(metavar="CHANNEL", help="How the fraud came: phone, sms, web.")
    ] = "",
    ai_technique: Annotated[
        str, typer.Option(metavar="NAME", help="face_swap, voice_clone, targeted_script or none.")
    ] = "",
) -> None:
    """Add one entry to a collection."""
    from trisect.cli.acts import entry as act  # noqa: PLC0415

    label = {
        "category": category,
        "fraud_role": fraud_role,
        "confidence": confidence,
        "first_seen": first_seen,
        "last_seen": last_seen,
        "channel": channel,
        "ai_technique": ai_technique,
    }
    act.add(call, act.Named(collection, kind, value, ref, region), label)


@command(app)
def show(
    call: Call,
    value: Value = "-",
    collection: AnyCollection = "",
    kind: Kind = "auto",
    ref: Ref = "",
    region: Region = "",
) -> None:
    """Show what this node lists about a value or a reference."""
    from trisect.cli.acts import entry as act  # noqa: PLC0415

    act.change(call, "show", act.Named(collection, kind, value, ref, region))


def _change(act: str, summary: str) -> None:
    """Declare a command that changes the state of one entry."""

    def change(
        call: Call,
        collection: Collection,
        value: Value = "-",
        kind: Kind = "auto",
        ref: Ref = "",
        region: Region = "",
    ) -> None:
        from trisect.cli.acts import entry as work  # noqa: PLC0415

        work.change(call, act, work.Named(collection, kind, value, ref, region))

    change.__doc__ = summary
    command(app, act)(change)


_change("retract", "Take an entry back: it matches no more. `entry confirm` or `entry add` lists it again.")
_change("contest", "Mark an entry as contested by the person behind it.")
_change("lift", "Give a contest its right: the entry is retracted.")
_change("confirm", "Turn a contest down: the entry is active again.")
