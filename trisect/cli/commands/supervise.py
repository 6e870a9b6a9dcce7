"""`trisect supervise`."""

from __future__ import annotations

from typing import Annotated

import typer

from trisect.cli.call import Call
from trisect.cli.options import command, group

app = typer.Typer()


@group(app)
def supervise(_call: Call) -> None:
    """See what parties do, as the public record shows it. No indicator is in it, and nobody is asked for it."""


@command(app)
def meter(
    call: Call,
    *,
    days: Annotated[int, typer.Option(metavar="N", min=1, max=3_660, help="How far back to count.")] = 30,
) -> None:
    """Show each party's exchanges, elements, breaches and orders."""
    from trisect.cli.acts import supervise as act  # noqa: PLC0415

    call.run(act.meter(call, days))


@command(app)
def inspect(
    call: Call,
    party: Annotated[str, typer.Argument(metavar="PARTY", help="Whom.")],
    *,
    days: Annotated[int, typer.Option(metavar="N", min=1, max=3_660, help="How far back to look.")] = 30,
) -> None:
    """Report on one party: whom it exchanged with, for what and by which rules; duties, breaches, orders."""
    from trisect.cli.acts import supervise as act  # noqa: PLC0415

    call.run(act.inspect(call, party, days))


@command(app)
def duties(
    call: Call,
    *,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only what is overdue.")] = False,
) -> None:
    """Show what each party owes by when, the overdue first."""
    from trisect.cli.acts import supervise as act  # noqa: PLC0415

    call.run(act.duties(call, overdue=overdue))
