"""`trisect record`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trisect.cli.call import Call
from trisect.cli.options import command, group

app = typer.Typer()
Output = Annotated[Path, typer.Option(metavar="FILE", help="Where to write it.")]


@group(app)
def record(_call: Call) -> None:
    """See, prove, export and verify the public record: everything public, in order, cosigned by witnesses."""


@command(app)
def show(call: Call) -> None:
    """Show the newest head that this node has verified, and who has cosigned it."""
    from trisect.cli.acts import record as act  # noqa: PLC0415

    call.run(act.show(call))


@command(app)
def proof(
    call: Call,
    number: Annotated[int, typer.Argument(metavar="NUMBER", min=0, help="The entry's number, from 0.")],
    output: Output,
) -> None:
    """Write the proof that an entry stands in the record, for whoever has the record's key and no network."""
    from trisect.cli.acts import record as act  # noqa: PLC0415

    call.run(act.proof(call, number, output))


@command(app)
def export(call: Call, output: Output) -> None:
    """Write a copy of the whole record, which `record verify` checks anywhere."""
    from trisect.cli.acts import record as act  # noqa: PLC0415

    call.run(act.write(call, output))


@command(app)
def verify(
    call: Call,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An export, or a proof of one entry.")],
    founder: Annotated[
        str, typer.Option(metavar="F", help="The founding government's first fingerprint, as it told you.")
    ] = "",
    log_key: Annotated[
        str, typer.Option(metavar="KEY", help="The record's key, for a proof; `record show` tells it.")
    ] = "",
) -> None:
    """Check an export or a proof, offline and without a home."""
    from trisect.cli.acts import record as act  # noqa: PLC0415

    act.verify(call, file, founder, log_key)
