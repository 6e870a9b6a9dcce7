"""What an owner lets others ask: a collection, by whom, for what purpose, in which mode."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from trisect.errors import DeniedError
from trisect.rules.vocabulary import ALL, NOT_SHARED, Mode, Purpose
from trisect.trust.statements import Role


@dataclass(frozen=True, slots=True)
class Sharing:
    """One line of what an owner allows, and the signed terms of it."""

    recipient: str
    purpose: str
    mode: str
    terms: bytes = b""


def meant(asker: str, role: Role) -> frozenset[str]:
    """Give the recipients of a sharing by whom a party of a name and role is meant."""
    return frozenset({asker, f"role:{role.value}", ALL})


def require_shared(
    sharings: Iterable[Sharing], *, asker: str, role: Role, answerer: str, purpose: Purpose, mode: Mode
) -> Sharing:
    """Find the line that lets a party ask, if there is one.

    Args:
        sharings: of the collection asked; empty where it does not exist.
        asker: the asking party's name.
        role: its role.
        answerer: the owner's name.
        purpose: declared in the offer.
        mode: declared in the offer.

    Raises:
        DeniedError: not shared with this party for this purpose and mode; the same for whatever else is missing, so
            that an asker cannot tell what exists here.
    """
    for sharing in sharings:
        if sharing.recipient in meant(asker, role) and (sharing.purpose, sharing.mode) == (purpose, mode):
            return sharing
    raise DeniedError(
        "nothing of that name is shared with you for this purpose and mode",
        hint=f"ask {answerer} which collections it shares with you, and for what",
        rule=NOT_SHARED,
    )
