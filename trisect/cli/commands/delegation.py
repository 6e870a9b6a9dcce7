"""`trisect delegation`."""

from __future__ import annotations

from typing import Annotated

import typer

from trisect.cli.call import Call
from trisect.cli.commands.saying_options import (
    Days,
    Kinds,
    Language,
    Method,
    Notice,
    OnePerson,
    Parties,
    Person,
    Pressures,
    Purposes,
)
from trisect.cli.options import command, group

app = typer.Typer()


@group(app)
def delegation(_call: Call) -> None:
    """Record what a proxy may consent to in persons' names. Needs --home of a proxy's node."""


@command(app)
def give(
    call: Call,
    purpose: Purposes,
    kind: Kinds,
    party: Parties,
    method: Method,
    person: Person = "-",
    days: Days = 365,
    pressure: Pressures = None,
    notice: Notice = 0,
    language: Language = "en",
) -> None:
    """Record a person's delegation: no consent under it reaches further."""
    from trisect.cli.acts import consent, delegation  # noqa: PLC0415

    given = consent.Given(purpose, kind, party, method, days, pressure or [], notice, language)
    delegation.give(call, person, given)


@command(app, "list")
def list_(call: Call, person: OnePerson = "") -> None:
    """List the newest delegations."""
    from trisect.cli.acts import delegation  # noqa: PLC0415

    delegation.list_(call, person)


@command(app)
def revoke(
    call: Call,
    delegation: Annotated[str, typer.Argument(metavar="ID", help="The delegation's id.")],
    erase: Annotated[  # noqa: FBT002
        bool, typer.Option("--erase", help="Forget it and the consents under it, for good.")
    ] = False,
) -> None:
    """Take a delegation back, and every consent that was given under it."""
    from trisect.cli.acts import delegation as act  # noqa: PLC0415

    act.revoke(call, delegation, erase=erase)
