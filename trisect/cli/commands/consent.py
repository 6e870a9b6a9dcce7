"""`trisect consent`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trisect.cli.call import Call
from trisect.cli.commands.completions import kinds
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
    purpose: Annotated[list[str], typer.Option(metavar="P", help="What for; may be repeated.")],
    kind: Annotated[
        list[str],
        typer.Option(metavar="K", help="Of which indicators; may be repeated.", autocompletion=kinds),
    ],
    party: Annotated[list[str], typer.Option(metavar="PARTY", help="Who may process them; may be repeated.")],
    method: Annotated[str, typer.Option(metavar="TEXT", help="How the person was asked.")],
    person: Annotated[
        str,
        typer.Argument(
            metavar="[-]", help="Your own reference for the person, from stdin.", show_default=False
        ),
    ] = "-",
    days: Annotated[int, typer.Option(metavar="N", min=1, help="For how long.")] = 365,
    pressure: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="bundled, service-refused, power-imbalance or pre-ticked; may be repeated."
        ),
    ] = None,
    notice: Annotated[
        int, typer.Option(metavar="N", min=0, help="Which of your notices was seen; 0 is the newest.")
    ] = 0,
    language: Annotated[str, typer.Option(metavar="LANG", help="In which it was read: en or zh.")] = "en",
    receipt: Receipt = None,
) -> None:
    """Record a person's consent."""
    from trisect.cli.acts import consent as act  # noqa: PLC0415

    given = act.Given(purpose, kind, party, method, days, pressure or [], notice, language)
    act.grant(call, person, given, receipt)


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
    person: Annotated[
        str,
        typer.Option(metavar="-", help="Only one person's, by your own reference from stdin."),
    ] = "",
) -> None:
    """List the newest consents."""
    from trisect.cli.acts import consent as act  # noqa: PLC0415

    act.list_(call, person)


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
