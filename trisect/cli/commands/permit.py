"""`trisect permit`."""

from __future__ import annotations

import typer

from trisect.cli.call import Call
from trisect.cli.commands.matching_options import ExchangeId
from trisect.cli.options import command, group

app = typer.Typer()


@group(app)
def permit(_call: Call) -> None:
    """See on what leave an exchange ran."""


@command(app)
def show(call: Call, exchange_id: ExchangeId) -> None:
    """Show the permit of an exchange: rules, notices, legal bases, sizes, and who has signed it."""
    from trisect.cli.acts import permit as act  # noqa: PLC0415

    call.run(act.show(call, exchange_id))
