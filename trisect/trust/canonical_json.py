"""RFC 8785 canonical JSON, written by `rfc8785` and read back strictly.

A signed document has exactly one spelling: duplicate keys, deep nesting, floats that are no integers and
numbers of 2^53 and above are refused on the way in, and bytes that are not their own canonical form too. So is the
character U+0000: what a peer has signed goes into databases.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn, TypeAlias

import rfc8785

from trisect.errors import VerificationError

Json: TypeAlias = "bool | int | str | list[Json] | dict[str, Json] | None"

MAX_BYTES = 4 * 1024 * 1024
MAX_DEPTH = 16


def encode(value: Json) -> bytes:
    """Write a JSON value in its one canonical form, UTF-8.

    Raises:
        VerificationError: the value holds what canonical JSON cannot carry, or `decode` would refuse it.
    """
    _check(value)
    try:
        found = rfc8785.dumps(value)
    except ValueError as error:  # its own kind of error, and a lone surrogate in a key
        raise VerificationError("a document holds a value that canonical JSON cannot carry") from error
    if len(found) > MAX_BYTES:
        raise VerificationError(f"a document would have {len(found)} bytes; at most {MAX_BYTES} are read")
    return found


def decode(data: bytes) -> dict[str, Any]:
    """Read one canonical JSON object.

    Args:
        data: at most `MAX_BYTES` of UTF-8.

    Raises:
        VerificationError: too large, too deep, no object, or not in canonical form.
    """
    if len(data) > MAX_BYTES:
        raise VerificationError(f"a document has {len(data)} bytes; at most {MAX_BYTES} are read")
    try:
        value = json.loads(
            data, object_pairs_hook=_no_duplicates, parse_float=_refuse, parse_constant=_refuse
        )
    except (ValueError, RecursionError) as error:
        raise VerificationError("a document is not JSON in UTF-8") from error
    if not isinstance(value, dict):
        raise VerificationError("a document is not a JSON object")
    if encode(value) != data:
        raise VerificationError("a document is not in its canonical form (RFC 8785)")
    return value


def _check(value: object, depth: int = 1) -> None:
    """Refuse what is nested too deep, fractions, and the character U+0000, which PostgreSQL keeps in no text."""
    if isinstance(value, str) and "\0" in value:
        raise VerificationError("a document holds the character U+0000")
    if isinstance(value, float):
        raise VerificationError("a document holds a number that is not an integer")
    if not isinstance(value, dict | list | tuple):
        return
    if depth > MAX_DEPTH:
        raise VerificationError(f"a document is nested deeper than {MAX_DEPTH}")
    for inner in (*value, *value.values()) if isinstance(value, dict) else value:
        _check(inner, depth + 1)


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise VerificationError("a document names a key twice")
    return found


def _refuse(_text: str) -> NoReturn:
    raise VerificationError("a document holds a number that is not an integer")
