"""Frames in which an answerer tells an asker that hits may be stale, and the asker's answers; all of one size.

Everybody who has matched somebody's list gets a frame from it each tick, whether something has left the list or not:
whoever carries them cannot tell when a listing was contested or a consent taken back. Not here: when they are sent
(`nodes.exchanges.staleness`), and what has left (`trisect.store.stale`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Generic, Self, TypeVar

from trisect.clock import from_text
from trisect.errors import VerificationError
from trisect.rules.document import Fields
from trisect.trust import documents
from trisect.trust.canonical_json import Json
from trisect.trust.channel import EXCHANGE_ID_BYTES
from trisect.trust.equal_seals import EqualSeal, context
from trisect.trust.keys import IdentityKey, IdentityPublic, PartyName, SealingKey, SealingPublic

SEAL = EqualSeal(16 * 1024)
MOST = 48
"""Exchanges that one frame names; there is room for them whatever their numbers are."""
HASH_BYTES = 32
_NONCE = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Notice(Fields):
    """An answerer's word that entries have left its list since the snapshot of an exchange, so hits may be stale.

    Attributes:
        exchange: its id.
        offer_hash: of the offer that it goes back to.
        count: how many have left; at most so many hits are stale.
        since: since when the asker could know, or when the first was found.
    """

    WHAT: ClassVar[str] = "a notice of stale hits"

    exchange: bytes
    offer_hash: bytes
    count: int
    since: str


@dataclass(frozen=True, slots=True)
class Answer(Fields):
    """An asker's answer to one notice.

    Attributes:
        exchange: the id of the exchange.
        offer_hash: as in the notice.
        count: of how many it has taken note.
        dropped_at: when it has deleted its hits; empty while it keeps them.
    """

    WHAT: ClassVar[str] = "an answer on stale hits"

    exchange: bytes
    offer_hash: bytes
    count: int
    dropped_at: str


_Item = TypeVar("_Item", Notice, Answer)


@dataclass(frozen=True, slots=True)
class _Frame(Generic[_Item]):
    """What one party tells another at one tick.

    Attributes:
        consortium: to which both belong.
        sender: who tells it.
        receiver: whom.
        nonce: 16 random bytes in hex; an answer repeats them, so that it is to this frame and no earlier one.
        items: notices or answers, at most `MOST`.
    """

    KIND: ClassVar[str]
    ITEM: ClassVar[type[Notice | Answer]]

    consortium: str
    sender: PartyName
    receiver: PartyName
    nonce: str
    items: tuple[_Item, ...]

    def seal(self, key: IdentityKey, to: SealingPublic) -> bytes:
        """Sign and seal it; raises VerificationError where it has more items than a frame carries."""
        signed = documents.sign(self.KIND, self.to_body(), [key])
        return SEAL.seal(signed, to, context(self.KIND, self.consortium, self.sender, self.receiver))

    def to_body(self) -> dict[str, Json]:
        """Write what is signed; it names both ends, so that no receiver can seal it to another."""
        return {
            "consortium": self.consortium,
            "sender": self.sender,
            "receiver": self.receiver,
            "nonce": self.nonce,
            "items": [item.to_body() for item in self.items],
        }

    @classmethod
    def open(
        cls,
        frame: bytes,
        sealing: SealingKey,
        consortium: str,
        sender: PartyName,
        receiver: PartyName,
        *keys: IdentityPublic,
    ) -> Self:
        """Open and check a frame; raises VerificationError."""
        signed = SEAL.open(frame, sealing, context(cls.KIND, consortium, sender, receiver))
        body = documents.verify(signed, cls.KIND, keys).body
        nonce, items = body.get("nonce"), body.get("items")
        if not isinstance(nonce, str) or not isinstance(items, list) or len(items) > MOST:
            raise VerificationError("a frame of stale hits is not sound")
        read = tuple(cls.ITEM.from_body(item) for item in items if isinstance(item, dict))
        found = cls(consortium, sender, receiver, nonce, read)  # type: ignore[arg-type]  # ITEM is _Item
        if found.to_body() != body or not _NONCE.fullmatch(nonce) or not all(map(_is_sound, read)):
            raise VerificationError("a frame of stale hits is for another party, or not sound")
        return found


def _is_sound(item: Notice | Answer) -> bool:
    """Tell whether what goes on into the database is what it should be: numbers, and times that can be read."""
    time = item.since if isinstance(item, Notice) else item.dropped_at
    try:
        if time or isinstance(item, Notice):
            from_text(time)
    except ValueError:
        return False
    lengths = (len(item.exchange), len(item.offer_hash))
    return item.count >= 1 and lengths == (EXCHANGE_ID_BYTES, HASH_BYTES)


class Notices(_Frame[Notice]):
    """An answerer's frame."""

    KIND = "stale-hits-frame.v1"
    ITEM = Notice


class Answers(_Frame[Answer]):
    """An asker's frame in answer: what it has to say of the notices that it has taken in before."""

    KIND = "stale-hits-reply.v1"
    ITEM = Answer
