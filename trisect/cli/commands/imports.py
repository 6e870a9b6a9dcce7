"""`trisect import`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trisect.cli.call import Call
from trisect.cli.commands.completions import kinds, readers
from trisect.cli.options import command

File = Annotated[
    Path,
    typer.Argument(metavar="FILE|-", help="The list; - reads stdin.", allow_dash=True, show_default=False),
]
Collection = Annotated[
    str, typer.Option(metavar="C", help="Collection that takes the rows; made where there is none.")
]
Kind = Annotated[
    str, typer.Option(metavar="K", help="What the values are; auto tells row by row.", autocompletion=kinds)
]
Mapping = Annotated[
    list[str] | None,
    typer.Option(
        "--map", metavar="FIELD=COLUMN", help="Which column holds a field: value=2, ref=Case ID. Repeatable."
    ),
]
Region = Annotated[
    str, typer.Option(metavar="CC", help="Country of national numbers, such as US; never guessed.")
]
PlusOptional = Annotated[
    bool, typer.Option("--plus-optional", help="Take numbers that lack only the + for international ones.")
]
TrustPlus = Annotated[
    bool,
    typer.Option("--trust-plus", help="Take every + at its word, where --region has the country code 1."),
]
UpgradeLegacy = Annotated[
    bool, typer.Option("--upgrade-legacy", help="Take Chinese ids of 15 digits as those of 18 digits.")
]
Reader = Annotated[
    str,
    typer.Option(
        metavar="R", help="csv, jsonl, stix, misp or lines; told from the content.", autocompletion=readers
    ),
]
Replace = Annotated[
    bool,
    typer.Option("--replace", help="FILE is the whole list: retract what is missing; over 20 % asks first."),
]
Source = Annotated[str, typer.Option(metavar="TEXT", help="Where the list comes from.")]
LegalBasis = Annotated[str, typer.Option(metavar="TEXT", help="The law or contract that it is kept under.")]
RetentionDays = Annotated[
    int, typer.Option(metavar="DAYS", min=0, help="How long entries are kept; 0 takes the node's default.")
]


def declare(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "import")(import_file)


def import_file(
    call: Call,
    *,
    file: File,
    collection: Collection,
    kind: Kind = "auto",
    mapping: Mapping = None,
    region: Region = "",
    plus_optional: PlusOptional = False,
    trust_plus: TrustPlus = False,
    upgrade_legacy: UpgradeLegacy = False,
    reader: Reader = "",
    encoding: Annotated[
        str,
        typer.Option(metavar="NAME", help="The file's, such as cp1251; told from the content by default."),
    ] = "",
    replace: Replace = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 7 if any row was rejected.")] = False,
    rejects: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Where rejected rows are listed; FILE.rejects.csv by default."),
    ] = None,
    source: Source = "",
    legal_basis: LegalBasis = "",
    retention_days: RetentionDays = 0,
) -> None:
    """Import a fraud list; an import that was cut short goes on where it stopped.

    Rows that cannot be read are listed with line and reason, never with the value, and stop nothing.
    """
    from trisect.cli.acts import imports as act  # noqa: PLC0415

    options = act.Options.read(
        collection=collection,
        kind=kind,
        mapping=mapping or [],
        region=region,
        plus_optional=plus_optional,
        trust_plus=trust_plus,
        upgrade_legacy=upgrade_legacy,
        reader=reader,
        encoding=encoding,
        replace=replace,
        source=source,
        legal_basis=legal_basis,
        retention_days=retention_days,
    )
    act.run(call, file, options, strict=strict, rejects=rejects)
