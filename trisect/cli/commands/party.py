"""`trisect party`."""

from __future__ import annotations

from typing import Annotated

import typer

from trisect.cli.call import Call
from trisect.cli.commands.approving_options import OfficerKeys, ProposalFile
from trisect.cli.options import RoleName, command, group

app = typer.Typer()
Name = Annotated[str, typer.Argument(metavar="NAME", help="The party's name.")]
Reason = Annotated[str, typer.Option(metavar="TEXT", help="Why; every party will read it.")]

Reviewer = Annotated[
    str, typer.Option(metavar="WHO", help="Who has looked into the party; every party reads it.")
]
Evidence = Annotated[
    str, typer.Option(metavar="REF", help="Where the evidence is filed, or its digest; never the evidence.")
]
VettedUntil = Annotated[
    str, typer.Option(metavar="TIME", help="Until when that counts (2027-01-31T00:00:00Z).")
]


@group(app)
def party(_call: Call) -> None:
    """See the parties; give your own new keys; admit, suspend, reinstate or expel one (a government)."""


@command(app, "list")
def list_all(call: Call) -> None:
    """List members and those who wait for admission."""
    from trisect.cli.acts import party as act  # noqa: PLC0415

    call.run(act.list_all(call))


@command(app)
def show(call: Call, name: Name) -> None:
    """Show one party and its key's fingerprint."""
    from trisect.cli.acts import party as act  # noqa: PLC0415

    call.run(act.show(call, name))


@command(app)
def admit(
    call: Call,
    name: Name,
    fingerprint: Annotated[
        str,
        typer.Option(
            metavar="F", help="The key's fingerprint as the party told it to you, by telephone or in person."
        ),
    ] = "",
    role: Annotated[
        RoleName | None,
        typer.Option(help="The role that you expect it to have; a government is admitted only with it."),
    ] = None,
    reviewer: Reviewer = "",
    evidence: Evidence = "",
    vetted_until: VettedUntil = "",
    officer_key: OfficerKeys = [],  # noqa: B006  (Typer takes the list as it is)
    proposal: ProposalFile = None,
) -> None:
    """Admit a party that has joined, and hand it the peppers.

    Without --fingerprint nobody has checked that the key is the party's own: a coordinator that swapped it
    could read what that party exchanges, and every result will say `key_check: none`.
    """
    from trisect.cli.acts import approval  # noqa: PLC0415
    from trisect.cli.acts import party as act  # noqa: PLC0415

    means = approval.Means(officer_key, proposal)
    vetting = act.Vetted(reviewer, evidence, vetted_until)
    call.run(act.admit(call, name, fingerprint, role.value if role else "", vetting, means))


@command(app)
def vet(call: Call, name: Name, *, reviewer: Reviewer, evidence: Evidence, vetted_until: VettedUntil) -> None:
    """Say that somebody has looked into a party anew; it may be asked until that expires (a government)."""
    from trisect.cli.acts import party as act  # noqa: PLC0415

    call.run(act.vet(call, name, act.Vetted(reviewer, evidence, vetted_until)))


@command(app)
def review(
    call: Call,
    name: Name,
    *,
    reviewer: Reviewer,
    evidence: Evidence,
    until: Annotated[str, typer.Option(metavar="TIME", help="Until when it counts: 2027-01-31T00:00:00Z.")],
) -> None:
    """Say that your own party has looked into a source; without that it is not asked (--home is your node's)."""
    from trisect.cli.acts import party as act  # noqa: PLC0415

    call.run(act.review(call, name, act.Vetted(reviewer, evidence, until)))


@command(app)
def succeed(call: Call) -> None:
    """Give your own party a new identity key and sealing key (--home is its node's); asks first.

    Every party learns of them by a statement that the old key and the new one have signed. It is no cure for a
    stolen key, with which the thief can do the same: call a government.
    """
    from trisect.cli.acts import party as act  # noqa: PLC0415

    act.succeed(call)


@command(app)
def suspend(
    call: Call,
    name: Name,
    reason: Reason = "",
    until: Annotated[
        str, typer.Option(metavar="TIME", help="When it lapses by itself; as late as the rulebook allows.")
    ] = "",
) -> None:
    """Suspend a party in an emergency; its running exchanges are cut within seconds. Asks first.

    It lapses by itself. What is to last is a sanction, once the party was heard: `trisect breach`.
    """
    from trisect.cli.acts import party as act  # noqa: PLC0415

    act.change(call, name, "suspended", reason, until=until)


@command(app)
def reinstate(call: Call, name: Name, reason: Reason = "") -> None:
    """End a suspension."""
    from trisect.cli.acts import party as act  # noqa: PLC0415

    act.change(call, name, "active", reason)


@command(app)
def expel(
    call: Call,
    name: Name,
    reason: Reason = "",
    officer_key: OfficerKeys = [],  # noqa: B006  (Typer takes the list as it is)
    proposal: ProposalFile = None,
) -> None:
    """Expel a party for good; asks first.

    It still knows the pepper: rotate afterwards (`trisect pepper rotate`), so that what it knows opens nothing new.
    """
    from trisect.cli.acts import approval  # noqa: PLC0415
    from trisect.cli.acts import party as act  # noqa: PLC0415

    act.change(call, name, "expelled", reason, means=approval.Means(officer_key, proposal))
