"""`trisect invite`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trisect.cli.call import Call
from trisect.cli.options import RoleName, command


def declare(app: typer.Typer) -> None:
    """Add the command."""
    command(app)(invite)


def invite(
    call: Call,
    party: Annotated[str, typer.Option(metavar="NAME", help="Name the party will have.")],
    role: Annotated[RoleName, typer.Option(help="Role the party will have.")],
    ttl: Annotated[
        str, typer.Option(metavar="SPAN", help="How long it can be redeemed: 30m, 24h, 7d.")
    ] = "24h",
    output: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write it to FILE (mode 0600) instead of showing it."),
    ] = None,
) -> None:
    """Invite a party; --home is the coordinator's.

    Whoever holds the invitation can enrol under that name, once: hand it over privately.
    """
    from trisect.cli.acts import invite as act  # noqa: PLC0415

    call.run(act.invite(call, party, role.value, ttl, output))
