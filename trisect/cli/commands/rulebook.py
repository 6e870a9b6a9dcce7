"""`trisect rulebook`."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated

import typer

from trisect.cli.call import Call
from trisect.cli.commands.approving_options import OfficerKeys
from trisect.cli.options import command, group

app = typer.Typer()
Folder = Annotated[
    Path, typer.Argument(metavar="FOLDER", help="The folder with rulebook.toml and policies.cedar.")
]


class Template(enum.StrEnum):
    """Rulebooks to begin with."""

    TELCO_BANK = "telco-bank"
    CALL_SCREENING = "call-screening"
    SUPERVISION = "supervision"
    DEMO = "demo"


class Language(enum.StrEnum):
    """What rulebooks are explained in."""

    EN = "en"
    ZH = "zh"


@group(app)
def rulebook(_call: Call) -> None:
    """Write, check, sign and publish the rules by which everything is exchanged (a government)."""


@command(app)
def draft(
    call: Call,
    folder: Folder,
    template: Annotated[Template, typer.Option(help="What to begin with.")] = Template.TELCO_BANK,
    version: Annotated[int, typer.Option(metavar="N", min=1, help="One more than the last.")] = 1,
    begin: Annotated[
        str,
        typer.Option("--from", metavar="TIME", help="When it begins (2027-01-31T00:00:00Z); now by default."),
    ] = "",
    days: Annotated[int, typer.Option(metavar="N", min=1, help="For how long it holds.")] = 365,
    approvals: Annotated[
        int, typer.Option(metavar="N", min=1, help="How many officers approve rulebooks and admissions.")
    ] = 2,
) -> None:
    """Write a rulebook from a template into a new folder. Needs no daemon."""
    from trisect.cli.acts import rulebook as act  # noqa: PLC0415

    act.draft(call, folder, template.value, version, begin, days, approvals)


@command(app)
def lint(call: Call, folder: Folder) -> None:
    """Look for what is wrong: errors of the schema, rules that never decide, budgets that walk a number space."""
    from trisect.cli.acts import rulebook as act  # noqa: PLC0415

    act.lint(call, folder)


@command(app)
def explain(
    call: Call,
    folder: Annotated[
        Path | None, typer.Argument(metavar="FOLDER", help="A folder; the one in force by default.")
    ] = None,
    language: Annotated[Language, typer.Option("--in", help="In which language.")] = Language.EN,
) -> None:
    """Say a rulebook in plain words, English or Chinese."""
    from trisect.cli.acts import rulebook as act  # noqa: PLC0415

    act.explain(call, folder, language.value)


@command(app)
def simulate(
    call: Call,
    folder: Folder,
    *,
    against: Annotated[str, typer.Option(metavar="SPAN", help="How far back: 30d, 12h.")] = "30d",
) -> None:
    """Tell which past exchanges a rulebook would have denied, and what would mend that."""
    from trisect.cli.acts import rulebook as act  # noqa: PLC0415

    call.run(act.simulate(call, folder, against))


@command(app)
def sign(
    call: Call,
    folder: Folder,
    officer_key: OfficerKeys = [],  # noqa: B006  (Typer takes the list as it is)
) -> None:
    """Sign a rulebook that has no error, with the node's key or, repeated, with officers' keys.

    The first time the node of --home signs; each officer may then sign elsewhere with --officer-key. What is signed
    stands in the folder as rulebook.signed.json.
    """
    from trisect.cli.acts import rulebook as act  # noqa: PLC0415

    act.sign(call, folder, officer_key)


@command(app)
def publish(call: Call, folder: Folder) -> None:
    """Publish a signed rulebook; asks first. From its first moment on it is in force at every party."""
    from trisect.cli.acts import rulebook as act  # noqa: PLC0415

    act.publish(call, folder)


@command(app)
def show(
    call: Call,
    version: Annotated[
        int,
        typer.Argument(
            metavar="VERSION", min=0, help="Which one; 0 is the one in force.", show_default=False
        ),
    ] = 0,
    diff: Annotated[
        int, typer.Option(metavar="VERSION", min=0, help="Show what has changed since that version.")
    ] = 0,
    output: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write its two files into a new folder.")
    ] = None,
) -> None:
    """Show the published rulebooks, or the text of one."""
    from trisect.cli.acts import rulebook as act  # noqa: PLC0415

    call.run(act.show(call, version, diff, output))
