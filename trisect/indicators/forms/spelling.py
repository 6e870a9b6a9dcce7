"""What every form does first: cap the length, refuse what is no text, and fold look-alike spellings.

Folding is Unicode NFKC (full-width digits and letters become ASCII) and the removal of format characters
that cannot be seen (zero-width, bidirectional marks, soft hyphen). It never guesses.
"""

from __future__ import annotations

import re
import unicodedata

from trisect.indicators.forms.reasons import Reason, RejectedError

MAX_CHARACTERS = 256
MAX_URL_CHARACTERS = 4096

_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_INNER_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_SURROGATES = re.compile(r"[\ud800-\udfff]")


def admit(raw: str, *, max_characters: int = MAX_CHARACTERS, inner_breaks: bool = False) -> str:
    """Strip surrounding blanks and refuse what no library should see.

    Args:
        raw: untreated text.
        max_characters: the longest text that is let through, blanks included.
        inner_breaks: let tabs and line breaks inside the text through (URLs drop them).

    Raises:
        RejectedError: empty, too long, control characters, or lone surrogates.
    """
    if len(raw) > max_characters:
        raise RejectedError(Reason.TOO_LONG)
    text = raw.strip(" \t\r\n") if raw.isascii() else _strip_any(raw)
    if not text:
        raise RejectedError(Reason.EMPTY)
    if text.isprintable():
        return text
    if _SURROGATES.search(text):
        raise RejectedError(Reason.NOT_UNICODE)
    if (_CONTROLS if inner_breaks else _INNER_CONTROLS).search(text):
        raise RejectedError(Reason.CONTROL_CHARACTERS)
    return text


def fold(raw: str, *, max_characters: int = MAX_CHARACTERS) -> str:
    """Admit a text, then apply NFKC and drop invisible format characters.

    Raises:
        RejectedError: as `admit`; also when nothing visible is left or folding makes the text too long.
    """
    text = admit(raw, max_characters=max_characters)
    if text.isascii():
        return text
    text = "".join(c for c in text if unicodedata.category(c) != "Cf")
    text = unicodedata.normalize("NFKC", text)
    return admit(text, max_characters=max_characters)


def _strip_any(raw: str) -> str:
    text = raw.strip(" \t\r\n\u00a0\u2000\u2001\u2002\u2003\u2007\u2009\u200a\u202f\u3000\ufeff")
    return text if text.strip() else ""
