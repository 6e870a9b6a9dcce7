"""`trisect leak`."""

from __future__ import annotations

from typing import Annotated

import typer

from trisect.cli.call import Call
from trisect.cli.options import command, group

app = typer.Typer()
Reference = Annotated[str, typer.Argument(metavar="LEAK", help="PARTY/NUMBER, such as bank/1.")]
Text = Annotated[
    str, typer.Option(metavar="TEXT", help="In words that everybody reads; no person, no indicator.")
]


@group(app)
def leak(_call: Call) -> None:
    """The register of leaks: what has got out, who has to act, and what was done."""


@command(app, name="list")
def list_(
    call: Call,
    party: Annotated[str, typer.Option(metavar="NAME", help="Of this party only.")] = "",
) -> None:
    """List leaks."""
    from trisect.cli.acts import leak as act  # noqa: PLC0415

    call.run(act.listing(call, party))


@command(app)
def show(call: Call, reference: Reference) -> None:
    """Show one leak, what was done about it, and who still has to act."""
    from trisect.cli.acts import leak as act  # noqa: PLC0415

    call.run(act.show(call, reference))


@command(app)
def report(
    call: Call,
    *,
    cause: Annotated[str, typer.Option(metavar="CAUSE", help="negligent, malicious or intrusion.")],
    kind: Annotated[
        list[str], typer.Option(metavar="KIND", help="Of indicators that have got out; repeat it.")
    ],
    discovered: Annotated[
        str, typer.Option(metavar="TIME", help="When it was noticed: 2027-01-31T00:00:00Z.")
    ],
    text: Text,
    method: Annotated[
        str,
        typer.Option(
            metavar="METHOD", help="By what means: virus, crawler, qr-code, app, attack, insider or unknown."
        ),
    ] = "unknown",
    persons: Annotated[
        int,
        typer.Option(metavar="COUNT", help="About how many it concerns; told as a power of two. 0: unknown."),
    ] = 0,
    party: Annotated[
        str, typer.Option(metavar="NAME", help="From whom it came, if not from your own party.")
    ] = "",
) -> None:
    """Report that personal information has got out, of your own party or of another."""
    from trisect.cli.acts import leak as act  # noqa: PLC0415

    call.run(act.report(call, party, act.told(cause, method, kind, persons, discovered, text)))


@command(app)
def step(
    call: Call,
    reference: Reference,
    done: Annotated[
        str, typer.Argument(metavar="ACT", help="contained, taken-up, re-keyed, told or closed.")
    ],
    *,
    text: Text,
) -> None:
    """Say what your party has done about a leak.

    The party itself: contained. A proxy: told (its people). A government: taken-up, re-keyed (after `pepper rotate`),
    closed, once everybody has done its part.
    """
    from trisect.cli.acts import leak as act  # noqa: PLC0415

    call.run(act.step(call, reference, done, text))
