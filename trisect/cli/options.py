"""Global options, accepted before and after the command, and how a command is declared.

Every level (`trisect`, a group, a command) declares the same options; a level that is given one overrides the
levels before it, so the last on the line wins. Environment variables are read once, where nothing was given.
"""

from __future__ import annotations

import enum
import inspect
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from trisect.cli.call import Call
from trisect.cli.settings import HOME_VARIABLE, Format, Settings

HELP_SETTINGS: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
"""How the help of every program is asked for, and how wide it is."""


class RoleName(enum.StrEnum):
    """The roles of parties."""

    PROVIDER = "provider"
    GOVERNMENT = "government"
    PROXY = "proxy"


_PREFIX = "global_"  # a command may have an option of its own under the same Python name
_GLOBAL: dict[str, tuple[Any, Any]] = {
    "home": (
        Annotated[
            Path | None,
            typer.Option(
                "--home",
                metavar="DIR",
                show_default=False,
                help=f"Home folder of the daemon to talk to; else ${HOME_VARIABLE}.",
            ),
        ],
        None,
    ),
    "output": (
        Annotated[
            Format | None,
            typer.Option("--format", show_default=False, help="How results are printed; text by default."),
        ],
        None,
    ),
    "yes": (
        Annotated[
            bool, typer.Option("--yes", "-y", help="Answer yes to every question.", show_default=False)
        ],
        False,
    ),
    "quiet": (
        Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no notes.", show_default=False)],
        False,
    ),
    "no_input": (
        Annotated[bool, typer.Option("--no-input", help="Never ask anything.", show_default=False)],
        False,
    ),
}

Body = Callable[..., None]


def command(app: typer.Typer, name: str | None = None) -> Callable[[Body], Body]:
    """Declare a command; its function takes a `Call` first and its own options after it."""

    def register(body: Body) -> Body:
        app.command(name)(_with_global_options(body))
        return body

    return register


def group(app: typer.Typer, *, alone: bool = False) -> Callable[[Body], Body]:
    """Declare a group's own options; its function takes a `Call` first.

    Args:
        app: the group.
        alone: whether the group's name without a further word is a command, which the function then is;
            `Call.subcommand` tells.
    """

    def register(body: Body) -> Body:
        app.callback(invoke_without_command=alone)(_with_global_options(body))
        return body

    return register


def _with_global_options(body: Body) -> Callable[..., None]:
    own = list(inspect.signature(body).parameters.values())[1:]
    hints = typing.get_type_hints(body, include_extras=True)

    def run(context: typer.Context, /, **values: Any) -> None:
        given = {name: values.pop(_PREFIX + name) for name in _GLOBAL}
        settings = context.ensure_object(Settings)
        settings.merge(**given)
        body(Call.of(settings, context), **values)

    parameters = [
        inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context),
        *(
            parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=hints[parameter.name])
            for parameter in own
        ),
        *(
            inspect.Parameter(
                _PREFIX + name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation
            )
            for name, (annotation, default) in _GLOBAL.items()
        ),
    ]

    def declared(**values: Any) -> None:
        run(values.pop("context"), **values)

    declared.__name__ = body.__name__
    declared.__doc__ = body.__doc__
    declared.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    declared.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # PEP 362 reads it
    return declared
