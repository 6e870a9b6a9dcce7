"""What the command lines of the two daemon programs have in common: options, results, the end."""

from __future__ import annotations

import enum
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.main import get_command

from trisect.cli import outcome
from trisect.cli.options import HELP_SETTINGS
from trisect.cli.report import Report
from trisect.cli.settings import HOME_VARIABLE, Format, format_of


class Output(enum.StrEnum):
    """How a daemon program prints its result; none of its commands streams."""

    TEXT = "text"
    JSON = "json"


HomeOption = Annotated[
    Path,
    typer.Option("--home", envvar=HOME_VARIABLE, help="Folder with configuration, keystore, database, logs."),
]
FormatOption = Annotated[Output, typer.Option("--format", help="How the result is printed.")]


def program(about: str) -> typer.Typer:
    """Make a daemon program whose help looks like that of `trisect`."""
    return typer.Typer(
        help=about, rich_markup_mode=None, pretty_exceptions_enable=False, context_settings=HELP_SETTINGS
    )


def tell(output: Output, data: Mapping[str, Any], *lines: str) -> None:
    """Print a command's result: lines for people, or the data as one object."""
    Report(Format(output)).result(data, lambda: typer.echo("\n".join(lines)))


def command(app: typer.Typer, program: str) -> int:
    """Run a daemon program's command line; gives the exit code of the contract."""
    arguments = sys.argv[1:]
    return outcome.exit_code(
        Report(format_of(arguments)),
        lambda: int(get_command(app).main(arguments, prog_name=program, standalone_mode=False) or 0),
    )
