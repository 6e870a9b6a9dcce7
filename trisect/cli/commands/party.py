"""`trisect party`."""

from __future__ import annotations

from typing import Annotated

import typer

from trisect.cli.call import Call
from trisect.cli.options import RoleName, command, group

app = typer.Typer()
Name = Annotated[str, typer.Argument(metavar="NAME", help="The party's name.")]
Reason = Annotated[str, typer.Option(metavar="TEXT", help="Why; every party will read it.")]


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
) -> None:
    """Admit a party that has joined, and hand it the peppers.

    Without --fingerprint nobody has checked that the key is the party's own: a coordinator that swapped it
    could read what that party exchanges, and every result will say `key_check: none`.
    """
    from trisect.cli.acts import party as act  # noqa: PLC0415

    call.run(act.admit(call, name, fingerprint, role.value if role else ""))


@command(app)
def succeed(call: Call) -> None:
    """Give your own party a new identity key and sealing key (--home is its node's); asks first.

    Every party learns of them by a statement that the old key and the new one have signed. It is no cure for a
    stolen key, with which the thief can do the same: call a government.
    """
    from trisect.cli.acts import party as act  # noqa: PLC0415

    act.succeed(call)


@command(app)
def suspend(call: Call, name: Name, reason: Reason = "") -> None:
    """Suspend a party; its running exchanges are cut within seconds. Asks first."""
    from trisect.cli.acts import party as act  # noqa: PLC0415

    act.change(call, name, "suspended", reason)


@command(app)
def reinstate(call: Call, name: Name, reason: Reason = "") -> None:
    """End a suspension."""
    from trisect.cli.acts import party as act  # noqa: PLC0415

    act.change(call, name, "active", reason)


@command(app)
def expel(call: Call, name: Name, reason: Reason = "") -> None:
    """Expel a party for good; asks first.

    Rotate the pepper afterwards (`trisect pepper rotate`), so that the pepper it holds grows useless.
    """
    from trisect.cli.acts import party as act  # noqa: PLC0415

    act.change(call, name, "expelled", reason)
