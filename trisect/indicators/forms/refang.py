"""Undo the defanging by which analysts keep links from being clicked."""

from __future__ import annotations

import re

_DOT = re.compile(r"\s*(?:\[\s*(?:\.|dot)\s*\]|\(\s*(?:\.|dot)\s*\)|\{\s*(?:\.|dot)\s*\})\s*", re.IGNORECASE)
_AT = re.compile(r"\s*(?:\[\s*(?:@|at)\s*\]|\(\s*(?:@|at)\s*\)|\{\s*(?:@|at)\s*\})\s*", re.IGNORECASE)
_SCHEME = re.compile(r"h(?:xx|\*\*)p(s?)(?=\[?:)", re.IGNORECASE)


def refang(text: str) -> str:
    """Undo `[.]`, `(dot)`, `{.}`, `[at]` and their like; a text without them is unchanged."""
    if "[" not in text and "(" not in text and "{" not in text:
        return text
    return _AT.sub("@", _DOT.sub(".", text))


def refang_url(text: str) -> str:
    """Undo a defanged scheme, host and separator; the path only when one of those was defanged."""
    whole = _SCHEME.sub(lambda m: "https" if m[1] else "http", text, count=1)
    whole = whole.replace("[://]", "://", 1).replace("[:]//", "://", 1).replace(":[//]", "://", 1)
    start = whole.find("://") + 3 if "://" in whole else 0
    end = _authority_end(whole, start)
    authority = whole[start:end]
    fixed = refang(authority.replace("[:]", ":"))
    if fixed == authority and whole == text:
        return text
    return whole[:start] + fixed + refang(whole[end:])


def _authority_end(text: str, start: int) -> int:
    ends = [position for mark in "/\\?#" if (position := text.find(mark, start)) >= 0]
    return min(ends, default=len(text))
