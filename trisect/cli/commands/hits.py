"""`trisect hits`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trisect.cli.call import Call
from trisect.cli.options import command


def declare(app: typer.Typer) -> None:
    """Add the command."""
    command(app)(hits)


def hits(
    call: Call,
    exchange: Annotated[str, typer.Option(metavar="ID", help="Only those of one exchange.")] = "",
    output: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write them to FILE, .csv or .jsonl, readable by you only."),
    ] = None,
) -> None:
    """List own entries that a peer has too, by the `ref` that leads back to your own records."""
    from trisect.cli.acts import hits as act  # noqa: PLC0415

    call.run(act.hits(call, exchange, output))
