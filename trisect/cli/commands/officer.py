"""`trisect officer`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trisect.cli.call import Call
from trisect.cli.commands.approving_options import OfficerKeys, ProposalFile
from trisect.cli.options import command, group

app = typer.Typer()
Name = Annotated[
    str, typer.Argument(metavar="NAME", help="What the officer is called; every party reads it.")
]


@group(app)
def officer(_call: Call) -> None:
    """Name the persons who approve rulebooks, admissions, expulsions and budgets (a government)."""


@command(app)
def key(call: Call, file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to put it.")]) -> None:
    """Make an officer's key; the officer keeps the file, and nobody else has it. Needs no daemon."""
    from trisect.cli.acts import officer as act  # noqa: PLC0415

    act.new_key(call, file)


@command(app)
def add(
    call: Call,
    name: Name,
    public_key: Annotated[str, typer.Option(metavar="HEX", help="As `trisect officer key` told it.")],
    officer_key: OfficerKeys = [],  # noqa: B006  (Typer takes the list as it is)
    proposal: ProposalFile = None,
) -> None:
    """Name an officer. The first are named by the node alone, later ones by those there are."""
    from trisect.cli.acts import approval  # noqa: PLC0415
    from trisect.cli.acts import officer as act  # noqa: PLC0415

    call.run(act.change(call, name, public_key, approval.Means(officer_key, proposal)))


@command(app)
def dismiss(
    call: Call,
    name: Name,
    officer_key: OfficerKeys = [],  # noqa: B006  (Typer takes the list as it is)
    proposal: ProposalFile = None,
) -> None:
    """Say that somebody is no officer any more; the key never counts again."""
    from trisect.cli.acts import approval  # noqa: PLC0415
    from trisect.cli.acts import officer as act  # noqa: PLC0415

    call.run(act.change(call, name, None, approval.Means(officer_key, proposal)))


@command(app, "list")
def list_all(call: Call) -> None:
    """List the officers of all governments, and how many of one have to approve."""
    from trisect.cli.acts import officer as act  # noqa: PLC0415

    call.run(act.list_all(call))
