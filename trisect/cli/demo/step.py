"""One step of the demonstration, and the names of all in their order."""

from __future__ import annotations

from dataclasses import dataclass

STEPS = (
    "rulebook",
    "disclosure",
    "match",
    "refused",
    "consent",
    "revoked",
    "red_line",
    "blind_coordinator",
    "record_verified",
)


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
