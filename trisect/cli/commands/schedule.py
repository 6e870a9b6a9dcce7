"""`trisect schedule`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trisect.cli.call import Call
from trisect.cli.commands import imports, matching_options
from trisect.cli.options import command, group

app = typer.Typer()
adding = typer.Typer()
app.add_typer(adding, name="add")
Every = Annotated[str, typer.Option(metavar="SPAN", help="How often: 30m, 24h, 7d.")]


@group(app)
def schedule(_call: Call) -> None:
    """Have the node repeat an import or a match by itself."""


@group(adding)
def add(_call: Call) -> None:
    """Repeat an import or a match."""


@command(adding, "match")
def add_match(
    call: Call,
    every: Every,
    collection: matching_options.Collection,
    peer: matching_options.Peer,
    peer_collection: matching_options.PeerCollection,
    purpose: matching_options.Purpose,
    engine: matching_options.EngineOption = matching_options.Engine.AUTO,
) -> None:
    """Repeat a match."""
    from trisect.cli.acts import schedule as act  # noqa: PLC0415
    from trisect.cli.acts.match import question  # noqa: PLC0415

    act.add_match(call, every, question(collection, peer, peer_collection, purpose, engine.value))


@command(adding, "import")
def add_import(
    call: Call,
    *,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The list; the node's user must be able to read it.")
    ],
    every: Every,
    collection: imports.Collection,
    kind: imports.Kind = "auto",
    mapping: imports.Mapping = None,
    region: imports.Region = "",
    plus_optional: imports.PlusOptional = False,
    trust_plus: imports.TrustPlus = False,
    upgrade_legacy: imports.UpgradeLegacy = False,
    reader: imports.Reader = "",
    replace: Annotated[
        bool,
        typer.Option(
            "--replace", help="FILE is the whole list: retract what is missing, up to 20 % each time."
        ),
    ] = False,
    source: imports.Source = "",
    legal_basis: imports.LegalBasis = "",
    retention_days: imports.RetentionDays = 0,
) -> None:
    """Repeat an import; the node reads FILE itself each time."""
    from trisect.cli.acts import schedule as act  # noqa: PLC0415
    from trisect.cli.acts.import_options import Options  # noqa: PLC0415

    options = Options.read(
        collection=collection,
        kind=kind,
        mapping=mapping or [],
        region=region,
        plus_optional=plus_optional,
        trust_plus=trust_plus,
        upgrade_legacy=upgrade_legacy,
        reader=reader,
        replace=replace,
        source=source,
        legal_basis=legal_basis,
        retention_days=retention_days,
    )
    act.add_import(call, every, file, options)


@command(app, "list")
def list_all(call: Call) -> None:
    """List what the node repeats, when next, and how it went last."""
    from trisect.cli.acts import schedule as act  # noqa: PLC0415

    call.run(act.list_all(call))


@command(app)
def remove(
    call: Call, schedule_id: Annotated[str, typer.Argument(metavar="ID", help="The schedule's id.")]
) -> None:
    """Stop repeating; what was imported or matched stays."""
    from trisect.cli.acts import schedule as act  # noqa: PLC0415

    call.run(act.remove(call, schedule_id))
