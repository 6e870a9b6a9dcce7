"""The whole command tree. A further group registers itself here, and nowhere else."""

from __future__ import annotations

from typing import Annotated

import typer
from typer.main import get_command

from trisect.cli.call import Call
from trisect.cli.commands import (
    app as apps,
)
from trisect.cli.commands import (
    approval,
    breach,
    budget,
    collection,
    consent,
    delegation,
    demo,
    doctor,
    entry,
    exchange,
    hits,
    imports,
    invite,
    leak,
    match,
    notice,
    officer,
    party,
    pepper,
    permit,
    record,
    rulebook,
    schedule,
    status,
    supervise,
)
from trisect.cli.failures import VersionAskedError
from trisect.cli.options import HELP_SETTINGS, group

app = typer.Typer(
    name="trisect",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings=HELP_SETTINGS,
)


def _version(wanted: bool) -> None:  # noqa: FBT001  (Typer's callback)
    if wanted:
        raise VersionAskedError


@group(app)
def trisect(
    _call: Call,
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Find what fraud lists have in common, and show nothing else.

    Administers a node or the coordinator: `trisect --home H COMMAND` talks to the daemon that runs from H.
    """


app.add_typer(demo.app, name="demo")
status.declare(app)
doctor.declare(app)
invite.declare(app)
app.add_typer(party.app, name="party")
app.add_typer(rulebook.app, name="rulebook")
app.add_typer(notice.app, name="notice")
app.add_typer(consent.app, name="consent")
app.add_typer(delegation.app, name="delegation")
app.add_typer(apps.app, name="app")
app.add_typer(officer.app, name="officer")
app.add_typer(approval.app, name="approval")
app.add_typer(collection.app, name="collection")
imports.declare(app)
app.add_typer(entry.app, name="entry")
match.declare(app)
hits.declare(app)
app.add_typer(exchange.app, name="exchange")
app.add_typer(budget.app, name="budget")
app.add_typer(permit.app, name="permit")
app.add_typer(breach.app, name="breach")
app.add_typer(leak.app, name="leak")
app.add_typer(supervise.app, name="supervise")
app.add_typer(schedule.app, name="schedule")
app.add_typer(pepper.app, name="pepper")
app.add_typer(record.app, name="record")

command = get_command(app)
"""The tree as it is run, built once."""
