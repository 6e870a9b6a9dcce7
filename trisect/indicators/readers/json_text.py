"""JSON as we accept it: no NaN, no key twice, no deep nesting; numbers stay the text they were written as."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from trisect.errors import BadInputError
from trisect.indicators.readers.encoding import TextLines

MAX_FILE_BYTES: Final = 256 << 20
MAX_DEPTH: Final = 64
_SURROGATES: Final = re.compile("[\ud800-\udfff]")
_BRACKET_OR_STRING: Final = re.compile(r'"(?:[^"\\]++|\\.|\\\Z)*+(?:"|\Z)|[\[{]|[\]}]', re.DOTALL)


class DuplicateKeyError(ValueError):
    """One key stands twice in an object, so that two readers could read two values."""


class Fraction(str):
    """A number with a fraction or exponent; it cannot be an identifier."""

    __slots__ = ()


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise DuplicateKeyError
    return found


def _refuse(constant: str) -> None:
    raise ValueError(constant)


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_unique, parse_int=str, parse_float=Fraction, parse_constant=_refuse
)


def parse(text: str) -> object:
    """Parse one JSON text; whole numbers come as `str`, others as `Fraction`.

    Raises:
        DuplicateKeyError: a key stands twice in one object.
        ValueError: not JSON, NaN or Infinity, or deeper than MAX_DEPTH.
    """
    if text.count("[") + text.count("{") > MAX_DEPTH and _depth_exceeds(text, MAX_DEPTH):
        raise ValueError("nested too deep")
    parsed: object = _DECODER.decode(text)
    return parsed


def _depth_exceeds(text: str, limit: int) -> bool:
    depth = 0
    for match in _BRACKET_OR_STRING.finditer(text):
        mark = text[match.start()]
        if mark in "[{":
            depth += 1
            if depth > limit:
                return True
        elif mark != '"':
            depth -= 1
    return False


def has_surrogates(text: str) -> bool:
    r"""Whether a lone surrogate came out of a `\ud800` escape: no encoding can carry it on."""
    return not text.isascii() and _SURROGATES.search(text) is not None


def read_whole(lines: TextLines, *, what: str, max_bytes: int = MAX_FILE_BYTES) -> object:
    """Read a file that is one JSON text.

    Args:
        lines: the file, of which no block has been taken.
        what: what it should be, for messages.
        max_bytes: larger files are refused.

    Raises:
        BadInputError: too large, not in one encoding, or not JSON as we accept it.
    """
    data = lines.whole_bytes(max_bytes)
    if len(data) > max_bytes:
        raise BadInputError(
            f"the {what} file is larger than {max_bytes >> 20} MiB, and such a file must be read as a whole",
            hint="split it into several, or export it as CSV or JSON Lines, which have no limit",
        )
    try:
        return parse(data.decode(lines.encoding.codec))
    except UnicodeDecodeError:
        raise BadInputError(f"the {what} file is not in one encoding", hint="save it as UTF-8") from None
    except DuplicateKeyError:
        raise BadInputError(
            f"an object in the {what} file has one key twice, so its meaning is open", hint="export it again"
        ) from None
    except (ValueError, RecursionError):
        raise BadInputError(
            f"the {what} file is not whole and proper JSON (NaN, Infinity and nesting beyond {MAX_DEPTH} levels "
            "are refused)",
            hint="check that it was copied whole; for one JSON object a line use --reader jsonl",
        ) from None
