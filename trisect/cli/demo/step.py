"""One step of the demonstration."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """What was shown.

    Attributes:
        name: for scripts.
        ok: whether it came out as it must.
        detail: what was found, for people.
    """

    name: str
    ok: bool
    detail: str
