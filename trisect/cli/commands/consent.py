"""`trisect consent`."""

from __future__ import annotations

from pathlib import Path
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
Id = Annotated[str, typer.Argument(metavar="ID", help="The consent's id.")]
Receipt = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Write the person's copy.", show_default=False)
]


@group(app)
def consent(_call: Call) -> None:
    """Record what persons allow through a proxy, and take it back. Needs --home of a proxy's node."""


@command(app)
def grant(
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
    delegation: Annotated[
        str,
        typer.Option(
            metavar="ID",
            help="The delegation under which you give it in the person's name.",
            show_default=False,
        ),
    ] = "",
    receipt: Receipt = None,
) -> None:
    """Record a person's consent."""
    from trisect.cli.acts import consent as act  # noqa: PLC0415

    given = act.Given(purpose, kind, party, method, days, pressure or [], notice, language)
    act.grant(call, person, given, receipt, delegation)


@command(app, "import")
def import_(
    call: Call,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A JSON object a line, as the manual shows.")],
    output: Annotated[
        Path, typer.Option(metavar="FILE", help="Write ids and pseudonyms there, a line for each.")
    ],
) -> None:
    """Record the consents of many persons; what is in force already is not recorded again."""
    from trisect.cli.acts import consent_file as act  # noqa: PLC0415

    act.read(call, file, output)


@command(app)
def show(call: Call, consent: Id, receipt: Receipt = None) -> None:
    """Show a consent, and what has become of its revocation."""
    from trisect.cli.acts import consent as act  # noqa: PLC0415

    call.run(act.show(call, consent, receipt))


@command(app, "list")
def list_(
    call: Call,
    person: OnePerson = "",
    credential: Annotated[
        str,
        typer.Option(
            metavar="ID", help="Those in force that came by an app's credential, as `app list` has it."
        ),
    ] = "",
) -> None:
    """List the newest consents."""
    from trisect.cli.acts import consent as act  # noqa: PLC0415

    act.list_(call, person, credential)


@command(app)
def revoke(
    call: Call,
    consent: Id,
    erase: Annotated[bool, typer.Option("--erase", help="Forget all but the numbers, for good.")] = False,  # noqa: FBT002
    wait: Annotated[
        float, typer.Option(metavar="S", min=0, help="How long to wait for the parties to acknowledge it.")
    ] = 60.0,
) -> None:
    """Take a consent back, at every party that it names."""
    from trisect.cli.acts import consent as act  # noqa: PLC0415

    act.revoke(call, consent, erase=erase, wait_s=wait)


@command(app)
def verify(
    call: Call,
    receipt: Annotated[Path, typer.Argument(metavar="RECEIPT", help="The person's copy.")],
    record: Annotated[Path, typer.Option(metavar="FILE", help="An export of the public record.")],
    founder: Annotated[
        str, typer.Option(metavar="F", help="Fingerprint of the founding government.", show_default=False)
    ] = "",
) -> None:
    """Check a receipt against an export of the record, without any daemon."""
    from trisect.cli.acts import consent as act  # noqa: PLC0415

    act.verify(call, receipt, record, founder)
