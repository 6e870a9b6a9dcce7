"""`trisect exchange`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trisect.cli.call import Call
from trisect.cli.commands.entry import Kind, Region, Value
from trisect.cli.commands.matching_options import ExchangeId
from trisect.cli.options import command, group

app = typer.Typer()
MAX_LISTED = 1_000
"""Exchanges that the node tells in one message, which gRPC bounds."""


@group(app)
def exchange(_call: Call) -> None:
    """See the exchanges that this node asked for or answered; follow, cancel or prove one."""


@command(app, "list")
def list_all(
    call: Call,
    limit: Annotated[int, typer.Option(min=1, max=MAX_LISTED, help="How many, newest first.")] = 50,
) -> None:
    """List the newest exchanges."""
    from trisect.cli.acts import exchange as act  # noqa: PLC0415

    call.run(act.list_all(call, limit))


@command(app)
def show(call: Call, exchange_id: ExchangeId) -> None:
    """Show one exchange: sizes, bytes, time, and why it failed if it did."""
    from trisect.cli.acts import exchange as act  # noqa: PLC0415

    call.run(act.show(call, exchange_id))


@command(app)
def watch(call: Call, exchange_id: ExchangeId) -> None:
    """Follow an exchange to its end; one that fails ends the command with its own error and code."""
    from trisect.cli.acts import exchange as act  # noqa: PLC0415

    call.run(act.watch(call, exchange_id))


@command(app)
def cancel(call: Call, exchange_id: ExchangeId) -> None:
    """Cancel a running exchange, so that neither end keeps a result; asks first."""
    from trisect.cli.acts import exchange as act  # noqa: PLC0415

    act.cancel(call, exchange_id)


@command(app)
def drop(call: Call, exchange_id: ExchangeId) -> None:
    """Delete the hits of an exchange before their retention ends, because they are stale. Asks first."""
    from trisect.cli.acts import exchange as act  # noqa: PLC0415

    act.drop(call, exchange_id)


@command(app)
def hold(
    call: Call,
    exchange_id: ExchangeId,
    *,
    who: Annotated[str, typer.Option("--by", metavar="WHO", help="Who has ordered it.")],
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why: a case, a court's order.")],
    until: Annotated[str, typer.Option(metavar="TIME", help="When it ends (2027-01-31T00:00:00Z).")],
) -> None:
    """Keep the hits of an exchange beyond their retention: a legal hold."""
    from trisect.cli.acts import exchange as act  # noqa: PLC0415

    call.run(act.hold(call, exchange_id, who, reason, until))


@command(app)
def release(call: Call, exchange_id: ExchangeId) -> None:
    """End a legal hold; hits whose retention has ended go within a minute."""
    from trisect.cli.acts import exchange as act  # noqa: PLC0415

    call.run(act.release(call, exchange_id))


@command(app)
def prove(
    call: Call,
    exchange_id: ExchangeId,
    value: Value = "-",
    *,
    output: Annotated[Path, typer.Option(metavar="FILE", help="Where to write it.")],
    kind: Kind = "auto",
    region: Region = "",
) -> None:
    """Prove that a value was in this node's list when the exchange ran, to whoever knows the value."""
    from trisect.cli.acts import proving as act  # noqa: PLC0415

    act.prove(call, exchange_id, act.Named(value, kind, region), output)


@command(app)
def verify(
    call: Call,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A proof of any party's.")],
    value: Value = "-",
    *,
    kind: Kind = "auto",
    region: Region = "",
) -> None:
    """Check such a proof for a value, by this node's peppers and its copy of the record, without the network."""
    from trisect.cli.acts import proving as act  # noqa: PLC0415

    act.verify(call, file, act.Named(value, kind, region))
