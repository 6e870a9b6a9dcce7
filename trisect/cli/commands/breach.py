"""`trisect breach`."""

from __future__ import annotations

from typing import Annotated

import typer

from trisect.cli.call import Call
from trisect.cli.commands.approving_options import OfficerKeys, ProposalFile
from trisect.cli.options import command, group

app = typer.Typer()
Reference = Annotated[str, typer.Argument(metavar="BREACH", help="PARTY/NUMBER, such as bank/1.")]
Text = Annotated[str, typer.Option(metavar="TEXT", help="In words that everybody reads.")]
Reason = Annotated[str, typer.Option(metavar="TEXT", help="Why; everybody reads it.")]


@group(app)
def breach(_call: Call) -> None:
    """The public file on a party that has broken a rule: proof, reply, order, appeal."""


@command(app, name="list")
def list_(
    call: Call,
    party: Annotated[str, typer.Option(metavar="NAME", help="Of this party only.")] = "",
) -> None:
    """List breaches."""
    from trisect.cli.acts import breach as act  # noqa: PLC0415

    call.run(act.listing(call, party))


@command(app)
def show(call: Call, reference: Reference) -> None:
    """Show one file, with everything that was said and ordered."""
    from trisect.cli.acts import breach as act  # noqa: PLC0415

    call.run(act.show(call, reference))


@command(app, name="open")
def open_(
    call: Call, party: Annotated[str, typer.Argument(metavar="NAME", help="Who has done it.")], *, text: Text
) -> None:
    """Open a breach on what was found (a government). Nodes open those that they can prove by themselves."""
    from trisect.cli.acts import breach as act  # noqa: PLC0415

    call.run(act.open_(call, party, text))


@command(app)
def reply(call: Call, reference: Reference, *, text: Text) -> None:
    """Answer a breach of your own party (--home is its node's)."""
    from trisect.cli.acts import breach as act  # noqa: PLC0415

    call.run(act.reply(call, reference, text))


@command(app)
def sanction(
    call: Call,
    reference: Reference,
    *,
    act: Annotated[str, typer.Option(metavar="A", help="warn, throttle, suspend-purpose, suspend or expel.")],
    until: Annotated[str, typer.Option(metavar="TIME", help="When it ends by itself: 2027-01-31T00:00:00Z.")],
    reason: Reason,
    begins: Annotated[
        str, typer.Option("--from", metavar="TIME", help="When it begins; once it is signed by default.")
    ] = "",
    only: Annotated[str, typer.Option(metavar="P", help="The purpose, for suspend-purpose.")] = "",
    factor: Annotated[
        int, typer.Option(metavar="N", min=0, max=1_000, help="Divides budgets, for throttle.")
    ] = 0,
    officer_key: OfficerKeys = [],  # noqa: B006  (Typer takes the list as it is)
    proposal: ProposalFile = None,
) -> None:
    """Order a measure, or with officers a sanction once the party was heard (a government). Asks first."""
    from trisect.cli.acts import approval  # noqa: PLC0415
    from trisect.cli.acts import breach as acts  # noqa: PLC0415

    means = approval.Means(officer_key, proposal)
    acts.order(call, reference, act, only, factor, begins, until, reason, means)


@command(app)
def appeal(
    call: Call,
    reference: Reference,
    *,
    order: Annotated[str, typer.Option(metavar="ORDER", help="measure/N or sanction/N, as `show` names it.")],
    text: Text,
) -> None:
    """Appeal against an order in a breach of your own party (--home is its node's)."""
    from trisect.cli.acts import breach as act  # noqa: PLC0415

    call.run(act.appeal(call, reference, order, text))


@command(app)
def decide(
    call: Call,
    reference: Reference,
    *,
    appeal: Annotated[int, typer.Option(metavar="N", min=1, help="The appeal's number, as `show` tells it.")],
    lift: Annotated[bool, typer.Option("--lift/--uphold", help="End the order, or let it stand.")],
    reason: Reason,
    officer_key: OfficerKeys = [],  # noqa: B006  (Typer takes the list as it is)
    proposal: ProposalFile = None,
) -> None:
    """Decide over an appeal, with other officers than those of the order (a government)."""
    from trisect.cli.acts import approval  # noqa: PLC0415
    from trisect.cli.acts import breach as act  # noqa: PLC0415

    means = approval.Means(officer_key, proposal)
    call.run(act.decide(call, reference, appeal, lifts=lift, reason=reason, means=means))


@command(app)
def close(call: Call, reference: Reference, *, text: Text) -> None:
    """Close a breach: nothing more follows from it (a government, but not its own)."""
    from trisect.cli.acts import breach as act  # noqa: PLC0415

    call.run(act.close(call, reference, text))
