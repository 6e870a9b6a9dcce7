"""What a check finds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        name: stable, for scripts.
        ok: whether it is as it should be.
        detail: what was found.
        cure: what to do; empty where nothing is wrong.
    """

    name: str
    ok: bool
    detail: str
    cure: str = ""
