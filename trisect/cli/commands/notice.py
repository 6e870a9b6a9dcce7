"""`trisect notice`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trisect.cli.call import Call
from trisect.cli.options import command, group

app = typer.Typer()
File = Annotated[Path, typer.Argument(metavar="FILE", help="The notice, TOML.")]


@group(app)
def notice(_call: Call) -> None:
    """Say what your party does to personal information: a provider's disclosure, others' mandate."""


@command(app)
def draft(
    call: Call,
    file: File,
    days: Annotated[int, typer.Option(metavar="N", min=1, help="For how long it holds.")] = 180,
) -> None:
    """Write a notice from what the node holds, to be completed by a person."""
    from trisect.cli.acts import notice as act  # noqa: PLC0415

    act.draft(call, file, days)


@command(app)
def publish(call: Call, file: File) -> None:
    """Sign and publish a notice; it replaces the last one at every party."""
    from trisect.cli.acts import notice as act  # noqa: PLC0415

    act.publish(call, file)


@command(app)
def check(call: Call) -> None:
    """Compare your lists with your notice: what is not as it says."""
    from trisect.cli.acts import notice as act  # noqa: PLC0415

    call.run(act.check(call))


@command(app)
def show(
    call: Call,
    party: Annotated[
        str, typer.Argument(metavar="PARTY", help="Whose; all parties' by default.", show_default=False)
    ] = "",
) -> None:
    """Show the notices of all parties, or the text of one."""
    from trisect.cli.acts import notice as act  # noqa: PLC0415

    call.run(act.show(call, party))
