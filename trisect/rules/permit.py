"""The one place that says whether an exchange may run.

For now the answer rests on the answerer's sharings alone: shared with this party, for this purpose, in this
mode. Everything else is one and the same denial, so that an asker cannot tell what exists here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from trisect.errors import DeniedError
from trisect.rules.vocabulary import ALL, NOT_SHARED, Mode, Purpose
from trisect.trust import canonical_json
from trisect.trust.statements import Role


@dataclass(frozen=True, slots=True)
class Sharing:
    """One line of what an owner allows."""

    recipient: str
    purpose: str
    mode: str


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave for one exchange; its hash goes into the channel's transcript."""

    hash: bytes


def decide(
    sharings: Iterable[Sharing],
    *,
    exchange: bytes,
    asker: str,
    role: Role,
    answerer: str,
    collection_id: str,
    purpose: Purpose,
    mode: Mode,
) -> Permit:
    """Decide on one exchange.

    Args:
        sharings: of the collection asked; empty where it does not exist.
        exchange: its id; in the permit, so that no two permits have one hash.
        asker: the asking party's name.
        role: its role.
        answerer: the owner's name.
        collection_id: the collection's opaque id.
        purpose: declared in the offer.
        mode: declared in the offer.

    Raises:
        DeniedError: not shared with this party for this purpose and mode.
    """
    recipients = {asker, f"role:{role.value}", ALL}
    for sharing in sharings:
        if sharing.recipient in recipients and (sharing.purpose, sharing.mode) == (purpose, mode):
            facts: dict[str, canonical_json.Json] = {
                "exchange": exchange.hex(),
                "asker": asker,
                "answerer": answerer,
                "collection": collection_id,
                "recipient": sharing.recipient,
                "purpose": purpose.value,
                "mode": mode.value,
            }
            return Permit(hashlib.sha256(b"trisect/sharing/v1\x00" + canonical_json.encode(facts)).digest())
    raise DeniedError(
        "nothing of that name is shared with you for this purpose and mode",
        hint=f"ask {answerer} which collections it shares with you, and for what",
        rule=NOT_SHARED,
    )
