"""Undo what spreadsheets do to text, and refuse what they would run.

A cell may carry an apostrophe in front or be wrapped as `="..."` so that it stays text. Any other formula is
refused, also one that begins with `+`, `-` or `@`; a phone number with its plus is no formula.
"""

from __future__ import annotations

import re

from trisect.indicators.forms.reasons import Reason, RejectedError

_STARTERS = frozenset("'=+-@\uff1d\uff0b\uff0d\uff20\t\r\n \u00a0\ufeff")
_TEXT_FORMULA = re.compile(r'[=\uff1d]\s*"((?:[^"]|"")*)"\Z')
_RUNS = re.compile(
    r"""[=\uff1d]
      | [+\-\uff0b\uff0d] [\s+\-\uff0b\uff0d]* (?: [A-Za-z_$"'{\[\\] | [@=] )   # +cmd, -A1, +"x", +@SUM
      | [+\-\uff0b\uff0d] .* [|!]                                               # DDE and sheet links
      | [@\uff20] \s* [A-Za-z_.]+ \s* \(                                        # @SUM(
      | [+\-\uff0b\uff0d@\uff20] .* (?! ext\( ) \b [A-Za-z]{2,} \(              # +1+SUM(
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)


def clean_cell(raw: str) -> str:
    """Take a spreadsheet's text marks off a cell; cleaning a clean cell changes nothing.

    Raises:
        RejectedError: `formula`, when the cell is a formula that does more than hold text.
    """
    if not raw or raw[0] not in _STARTERS:
        return raw
    text = raw.strip(" \t\r\n\u00a0\ufeff")
    while True:
        if text.startswith("'"):
            text = text.lstrip("' \t\r\n")
        elif match := _TEXT_FORMULA.match(text):
            text = match.group(1).replace('""', '"').strip()
        else:
            break
    if _RUNS.match(text):
        raise RejectedError(Reason.FORMULA)
    return text
