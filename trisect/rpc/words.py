"""What another program said, made fit for a person's terminal: one line, bounded, deaf to control characters.

A peer, a coordinator or an applicant chooses these words. Not here: what is an error, and how it is printed.
"""

from __future__ import annotations

MAX_CHARACTERS = 500
_CUT = "…"


def printable(text: str) -> str:
    """Put `?` for whatever could steer a terminal: escapes, newlines, marks that turn the direction of writing."""
    return "".join(c if c.isprintable() else "?" for c in text)


def bounded(text: str) -> str:
    """Make words printable, and cut them after 500 characters."""
    whole = printable(text[: MAX_CHARACTERS + 1])
    return whole if len(whole) <= MAX_CHARACTERS else whole[: MAX_CHARACTERS - 1] + _CUT
