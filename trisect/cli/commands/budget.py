"""`trisect budget`."""

from __future__ import annotations

from typing import Annotated

import typer

from trisect.cli.call import Call
from trisect.cli.commands.approving_options import OfficerKeys, ProposalFile
from trisect.cli.options import command, group

app = typer.Typer()
Peer = Annotated[str, typer.Option(metavar="PARTY", help="Who evaluates the elements.")]
Purpose = Annotated[str, typer.Option(metavar="P", help="What for.")]
Elements = Annotated[int, typer.Option(metavar="N", min=1, help="How many more on each day.")]
First = Annotated[str, typer.Option("--from", metavar="DAY", help="The first day, UTC: 2027-01-31.")]
Last = Annotated[str, typer.Option("--until", metavar="DAY", help="The last day.")]
Reason = Annotated[str, typer.Option(metavar="TEXT", help="Why; everybody reads it.")]


@group(app)
def budget(_call: Call) -> None:
    """See what was spent of budgets, ask for more, and grant it."""


@command(app)
def show(call: Call) -> None:
    """Show what was spent today, and what was asked for and granted."""
    from trisect.cli.acts import budget as act  # noqa: PLC0415

    call.run(act.show(call))


@command(app)
def request(
    call: Call, *, peer: Peer, purpose: Purpose, elements: Elements, first: First, last: Last, reason: Reason
) -> None:
    """Ask for more than the rulebook lets your party ask (--home is its node's)."""
    from trisect.cli.acts import budget as act  # noqa: PLC0415

    call.run(act.request(call, act.allowance(peer, purpose, elements, first, last, reason)))


@command(app)
def grant(
    call: Call,
    party: Annotated[str, typer.Argument(metavar="PARTY", help="Who may ask more.")],
    *,
    peer: Peer,
    purpose: Purpose,
    elements: Elements,
    first: First,
    last: Last,
    reason: Reason,
    officer_key: OfficerKeys = [],  # noqa: B006  (Typer takes the list as it is)
    proposal: ProposalFile = None,
) -> None:
    """Let a party ask more than the rulebook does (a government, with its officers)."""
    from trisect.cli.acts import approval  # noqa: PLC0415
    from trisect.cli.acts import budget as act  # noqa: PLC0415

    found = act.allowance(peer, purpose, elements, first, last, reason)
    call.run(act.grant(call, party, found, approval.Means(officer_key, proposal)))
