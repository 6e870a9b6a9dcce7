"""Command lines that cannot be read, said without repeating what was typed: it may be an indicator."""

from __future__ import annotations

import re

# Typer carries the parser inside itself and names these classes nowhere else; pyproject.toml pins 0.28: from 0.29 on
# it loads pydantic at the start of every command, which takes a fifth longer.
from typer._click.exceptions import (
    BadOptionUsage,
    BadParameter,
    ClickException,
    MissingParameter,
    NoSuchOption,
)
from typer._click.exceptions import (
    UsageError as ParserError,
)

from trisect.cli.failures import UsageError

__all__ = ["ClickException", "explain", "help_instead"]
_MISSING_COMMAND = "Missing command"
_OPTION = re.compile(r"--?[a-z][a-z-]{0,30}")
_WORD = re.compile(r"[a-z][a-z-]{0,20}")
_UNKNOWN_COMMAND = re.compile(r"No such command '([^']*)'\.(?: Did you mean (.*)\?)?", re.DOTALL)


def explain(error: ClickException) -> UsageError:
    """Turn what the parser raised into ours."""
    path = error.ctx.command_path if isinstance(error, ParserError) and error.ctx else "trisect"
    message, hint = _words(error)
    return UsageError(message, hint=hint or f"see `{path} --help`")


def help_instead(error: ClickException) -> str:
    """Give the help of a group that was named without a command; empty for any other mistake."""
    if isinstance(error, ParserError) and error.ctx and error.message.startswith(_MISSING_COMMAND):
        return error.ctx.get_help()
    return ""


def _words(error: ClickException) -> tuple[str, str]:
    """Say in our own words what is wrong, and perhaps what would mend it."""
    match error:
        case NoSuchOption():
            known = ", ".join(sorted(error.possibilities or ()))
            near = f"did you mean {known}?" if known else ""
            found = f"there is no option {_if_tame(_OPTION, error.option_name)}".rstrip(), near
        case BadOptionUsage():
            found = f"{_if_tame(_OPTION, error.option_name)} needs a value".strip(), ""
        case MissingParameter():
            found = f"{_parameter(error)} is missing", ""
        case BadParameter():
            found = f"{_parameter(error)} has a value that it does not take", _choices(error)
        case _:
            found = _other_words(error.message)
    return found


def _other_words(message: str) -> tuple[str, str]:
    unknown = _UNKNOWN_COMMAND.match(message)
    if unknown:
        near = f"did you mean {unknown[2]}?" if unknown[2] else ""
        return f"there is no command {_if_tame(_WORD, unknown[1])}".rstrip(), near
    if message.startswith(_MISSING_COMMAND):
        return "a command is missing", ""
    if "extra argument" in message:
        return "there are too many arguments", ""
    return "the command line cannot be read", ""


def _if_tame(shape: re.Pattern[str], text: str) -> str:
    return text if shape.fullmatch(text) else ""


def _parameter(error: BadParameter) -> str:
    if error.param is None:
        return "an argument"
    if error.param.param_type_name == "option":
        return max(error.param.opts, key=len)
    return error.param.human_readable_name


def _choices(error: BadParameter) -> str:
    taken = error.param.type if error.param else None
    least, most = getattr(taken, "min", None), getattr(taken, "max", None)
    if least is not None:
        return f"it takes {least:,} to {most:,}" if most is not None else f"it takes {least:,} or more"
    choices = getattr(taken, "choices", None)
    return (
        f"it takes {', '.join(str(getattr(choice, 'value', choice)) for choice in choices)}"
        if choices
        else ""
    )
