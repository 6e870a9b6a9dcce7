"""Configuration: TOML and environment into frozen dataclasses; an unknown key is an error.

Each daemon declares its sections as dataclasses of str, int, float, bool, None and nested dataclasses, with
good defaults. Flags win over `TRISECT_*` variables, these over the file, that over the defaults.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import json
import re
import tomllib
import types
import typing
from collections.abc import Container, Mapping
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from trisect.errors import BadInputError

CONFIG_FILE = "config.toml"
LOG_LEVELS = ("debug", "info", "warning", "error")
LARGEST_PORT = 65_535
_CONSORTIUM = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_EVERYWHERE = ("0.0.0.0", "[::]", "::")  # noqa: S104  (refused, not bound)
_DATABASE = re.compile(r"(sqlite(\+pysqlite)?|postgresql(\+[a-z0-9]+)?)://")
T = TypeVar("T")


def load(
    shape: type[T],
    path: Path,
    *,
    environment: Mapping[str, str],
    flags: Mapping[str, Any] | None = None,
    foreign: tuple[str, str] | None = None,
) -> T:
    """Read a configuration file into a dataclass.

    Args:
        shape: a frozen dataclass whose every field has a default or is set in the file.
        path: the TOML file; a missing one is an error.
        environment: `TRISECT_SECTION_KEY` overrides `key` in `[section]`; `TRISECT_KEY` a top-level key.
        flags: dotted names (`section.key`) with the values of command-line flags; None is not set.
        foreign: a key that only another program's file has, and whose it is.

    Raises:
        BadInputError: another program's, unreadable, not TOML, an unknown key, a missing key or a wrong type; names the key.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInputError(
            f"cannot read the configuration {path}: {error.strerror}",
            hint="is --home right, and has `init` or `join` been run there?",
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInputError(
            f"the configuration {path} is not TOML: {error}",
            hint="mend that line, and try with `check-config`",
        ) from error
    if foreign is not None and foreign[0] in values:
        raise BadInputError(
            f"{path.parent} is the home of {foreign[1]}",
            hint="name another home with --home, or run that program",
        )
    for name, value in (flags or {}).items():
        if value is not None:
            _place(values, name, value)
    return typing.cast("T", _Builder("configuration key", environment, flags or {}).build(shape, values))


def parse(shape: type[T], text: str, noun: str) -> T:
    """Read TOML that is no configuration, such as a rulebook, into a dataclass.

    Besides what a configuration may hold, fields may be moments, members of an enumeration and tuples of dataclasses.

    Args:
        shape: a frozen dataclass.
        text: TOML.
        noun: what a key is called in errors, such as `rulebook key`.

    Raises:
        BadInputError: not TOML, an unknown key, a missing key or a wrong type; names the key.
    """
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadInputError(
            f"the text with every {noun} is not TOML: {error}",
            hint="mend that line; text in TOML stands in quotes",
        ) from error
    return typing.cast("T", _Builder(noun).build(shape, values))


def merge(
    running: T, wanted: T, may_change: Container[str], prefix: str = ""
) -> tuple[T, list[str], list[str]]:
    """Take over from a new configuration what may change while a daemon runs.

    Args:
        running: what holds.
        wanted: what stands in the file now.
        may_change: dotted keys.
        prefix: of the section that both are.

    Returns:
        What holds from now on; the keys that it took over; the keys that differ still.
    """
    taken: list[str] = []
    left: list[str] = []
    changes: dict[str, Any] = {}
    for field in dataclasses.fields(typing.cast("Any", running)):
        key, old, new = prefix + field.name, getattr(running, field.name), getattr(wanted, field.name)
        if dataclasses.is_dataclass(old):
            changes[field.name], some, others = merge(old, new, may_change, f"{key}.")
            taken += some
            left += others
        elif old != new and key in may_change:
            changes[field.name] = new
            taken.append(key)
        elif old != new:
            left.append(key)
    return dataclasses.replace(typing.cast("Any", running), **changes), taken, left


def check_common(log_level: str, http_listen: str) -> None:
    """Check what every daemon's configuration has; raises BadInputError."""
    if log_level not in LOG_LEVELS:
        raise BadInputError(
            f"configuration key log_level must be one of {', '.join(LOG_LEVELS)}",
            hint="set it to info unless you look for a fault",
        )
    check_address("http.listen", http_listen)


def check_address(key: str, text: str) -> None:
    """Check that a configuration key holds HOST:PORT; raises BadInputError."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or int(port) > LARGEST_PORT:
        raise BadInputError(f"configuration key {key} must be HOST:PORT", hint="port 0 takes a free one")


def check_reachable(listen: str, advertise: str, section: str = "") -> None:
    """Check where a daemon listens, and the address that others are told where that is none; raises BadInputError."""
    check_address(f"{section}listen", listen)
    if advertise:
        check_address(f"{section}advertise", advertise)
    elif listen.rpartition(":")[0] in _EVERYWHERE:
        raise BadInputError(
            f"{section}listen = {listen} is no address that anybody could call",
            hint=f"set {section}advertise to the HOST:PORT under which others reach it",
        )


def check_consortium(text: str) -> None:
    """Check a consortium's name, which stands in certificates and in every statement; raises BadInputError."""
    if not _CONSORTIUM.fullmatch(text):
        raise BadInputError(
            "configuration key consortium must have 1 to 63 characters: a-z, 0-9 and dashes inside",
            hint="a node's is the coordinator's; choose a name such as anti-fraud",
        )


def check_database(url: str) -> None:
    """Check a database URL, empty for SQLite in the home; raises BadInputError, which does not repeat it."""
    if url and (not _DATABASE.match(url) or not _has_sound_port(url)):
        raise BadInputError(
            "configuration key database must be the URL of an SQLite or PostgreSQL database, or empty",
            hint="use sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME",
        )


def _has_sound_port(url: str) -> bool:
    try:
        return urlsplit(url).port != 0
    except ValueError:
        return False


def check_positive(**values: float) -> None:
    """Check that numbers are above zero; names are dotted keys with `__` for the dot."""
    for name, value in values.items():
        if value <= 0:
            raise BadInputError(
                f"configuration key {name.replace('__', '.')} must be above zero",
                hint="leave the key out for its default",
            )


def to_toml(fields: Mapping[str, str]) -> str:
    """Write top-level text keys; empty ones are left out. JSON's strings are TOML's basic strings."""
    return "".join(f"{name} = {json.dumps(value)}\n" for name, value in fields.items() if value)


def _place(values: dict[str, Any], name: str, value: Any) -> None:
    *sections, key = name.split(".")
    for section in sections:
        values = values.setdefault(section, {})
        if not isinstance(values, dict):
            raise BadInputError(
                f"configuration key {section} must be a section",
                hint=f"write it as [{section}] with its keys below",
            )
    values[key] = value


@dataclasses.dataclass(frozen=True, slots=True)
class _Builder:
    """Builds dataclasses out of TOML values; `noun` names in errors what a key is of."""

    noun: str
    environment: Mapping[str, str] = dataclasses.field(default_factory=dict)
    flags: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def build(self, shape: type, values: Mapping[str, Any], prefix: str = "") -> Any:
        hints = typing.get_type_hints(shape)
        fields = {field.name: field for field in dataclasses.fields(shape)}
        unknown = sorted(set(values) - set(fields))
        if unknown:
            raise BadInputError(
                f"unknown {self.noun} {prefix}{unknown[0]}", hint=f"known here: {', '.join(sorted(fields))}"
            )
        built = {}
        for name, field in fields.items():
            dotted = prefix + name
            hint = hints[name]
            if dataclasses.is_dataclass(hint) and isinstance(hint, type):
                built[name] = self._section(hint, values.get(name, {}), dotted)
                continue
            variable = "TRISECT_" + dotted.replace(".", "_").upper()
            if variable in self.environment and self.flags.get(dotted) is None:
                built[name] = _convert(self.environment[variable], hint, f"{variable} (environment)")
            elif name in values:
                built[name] = self._check(values[name], hint, dotted)
            elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
                raise BadInputError(
                    f"{self.noun} {dotted} is missing",
                    hint="add it; docs/setup.md and the sample configurations show the keys",
                )
        return shape(**built)

    def _section(self, shape: type, values: object, dotted: str) -> Any:
        if not isinstance(values, dict):
            raise BadInputError(
                f"{self.noun} {dotted} must be a section", hint=f"write it as [{dotted}] with its keys below"
            )
        return self.build(shape, values, f"{dotted}.")

    def _check(self, value: Any, hint: Any, name: str) -> Any:
        for choice in _choices(hint):
            if typing.get_origin(choice) is tuple and isinstance(value, list):
                inner = typing.get_args(choice)[0]
                if dataclasses.is_dataclass(inner) and isinstance(inner, type):
                    return tuple(self._section(inner, item, f"{name}[{at}]") for at, item in enumerate(value))
                return tuple(self._check(item, inner, name) for item in value)
            if choice is float and isinstance(value, int) and not isinstance(value, bool):
                return float(value)
            if isinstance(choice, type) and issubclass(choice, enum.Enum) and value in list(choice):
                return choice(value)
            if isinstance(choice, type) and type(value) is choice:
                return value
        raise BadInputError(
            f"{self.noun} {name} must be {_describe(hint)}",
            hint="mend the value; text stands in quotes, numbers and true or false do not",
        )


def _choices(hint: Any) -> tuple[Any, ...]:
    return typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)


def _convert(text: str, hint: Any, name: str) -> Any:
    for choice in _choices(hint):
        if choice is bool and text.lower() in {"true", "false", "1", "0"}:
            return text.lower() in {"true", "1"}
        if choice in {int, float}:
            try:
                return choice(text)
            except ValueError:
                continue
        if choice is str:
            return text
    raise BadInputError(
        f"{name} must be {_describe(hint)}", hint="mend the value, or unset it for the file's own"
    )


def _describe(hint: Any) -> str:
    return " or ".join(_name(choice) for choice in _choices(hint) if choice is not type(None))


def _name(choice: Any) -> str:
    if isinstance(choice, type) and issubclass(choice, enum.Enum):
        return "one of " + ", ".join(str(member.value) for member in choice)
    return _NAMES.get(choice, "a list")


_NAMES: Mapping[Any, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    dt.datetime: "a time with its zone, such as 2026-01-31T00:00:00Z",
}
