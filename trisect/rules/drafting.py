"""Rulebooks to begin with: templates that lint without an error, filled with version and dates."""

from __future__ import annotations

import datetime as dt
import string
from importlib import resources

from trisect.clock import to_text
from trisect.errors import BadInputError

TEMPLATES = {
    "telco-bank": "telcos and banks match fraud lists to prevent scams",
    "call-screening": "proxies screen calls and messages for people",
    "supervision": "governments count overlaps",
    "demo": "everything between all parties; for one machine only",
}
RED_LINES = "red_lines.cedar"
_FOLDER = resources.files(__package__) / "templates"


def draft(
    template: str, *, version: int, begins: dt.datetime, ends: dt.datetime, approvals: int
) -> tuple[str, str]:
    """Fill a template; gives the texts of `rulebook.toml` and `policies.cedar`.

    Raises:
        BadInputError: there is no such template.
    """
    if template not in TEMPLATES:
        raise BadInputError("there is no such template", hint=f"templates: {', '.join(TEMPLATES)}")
    toml = string.Template(_text(f"{template}.toml")).substitute(
        version=version, valid_from=to_text(begins), valid_until=to_text(ends), approvals=approvals
    )
    return toml, _text(f"{template}.cedar") + _text(RED_LINES)


def _text(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")
