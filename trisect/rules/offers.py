"""What the two ends of an exchange sign: offer, accept or refusal, receipts, or that it is void.

Names of collections travel sealed to the answerer; what the coordinator sees of an offer is who asks whom,
for what purpose, in which mode, with which engine, and a padded size.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass, fields
from typing import ClassVar, Self

from trisect.clock import from_text, to_text
from trisect.errors import StaleError, VerificationError
from trisect.rules.document import Document
from trisect.rules.vocabulary import MAX_COLLECTION_NAME
from trisect.trust import canonical_json
from trisect.trust.canonical_json import Json
from trisect.trust.keys import SealingKey, SealingPublic

COMMITMENT_BYTES = 32
NO_SNAPSHOT = bytes(COMMITMENT_BYTES)
ASKER = "asker"
ANSWERER = "answerer"
LATEST_RECEIPT = dt.timedelta(days=30)
"""How long after the end of its permit a receipt still goes into the record."""
RECEIPT_RULE = "receipt-in-time"
OFFER_LIFE = dt.timedelta(minutes=2)
CLOCK_TOLERANCE = dt.timedelta(seconds=60)
"""How far an offer's time may lie from the clock of the end that judges it."""


@dataclass(frozen=True, slots=True)
class Offer(Document):
    """An asker's proposal of one exchange, with the facts on its side that rules are decided over.

    Attributes:
        collection: opaque id of the asker's collection.
        version: of the snapshot that was taken of it.
        kinds: of the indicators in it, sorted, with commas.
        basis: its legal basis.
        consents: the consent epochs that were known when it was taken; empty where it is not kept on consent.
        rulebook: hash of the rulebook that the asker goes by.
        notice: hash of the asker's notice.
        head: the newest head of the record that the asker has verified, a signed note.
        created: when it was offered, which is when it is decided, whoever decides.
    """

    KIND: ClassVar[str] = "offer.v1"

    consortium: str
    exchange: bytes
    attempt: int
    asker: str
    asker_key: str
    answerer: str
    answerer_key: str
    purpose: str
    mode: str
    engine: str
    pepper_epoch: int
    collection: str
    version: int
    kinds: str
    basis: str
    consents: str
    asked_padded: int
    rulebook: bytes
    notice: bytes
    head: str
    share: bytes
    details: bytes
    created: str
    expires: str


@dataclass(frozen=True, slots=True)
class Accept(Document):
    """An answerer's consent to one offer, under a permit."""

    KIND: ClassVar[str] = "accept.v1"

    exchange: bytes
    offer_hash: bytes
    permit_hash: bytes
    answered_padded: int
    head: str
    share: bytes
    created: str


@dataclass(frozen=True, slots=True)
class Refusal(Document):
    """An answerer's refusal of one offer; `reason` is a sealed `Reason`."""

    KIND: ClassVar[str] = "refusal.v1"

    exchange: bytes
    offer_hash: bytes
    reason: bytes


@dataclass(frozen=True, slots=True)
class Void(Document):
    """An asker's word that an exchange came to no result at its end and never will."""

    KIND: ClassVar[str] = "void.v1"

    exchange: bytes
    offer_hash: bytes


@dataclass(frozen=True, slots=True)
class Receipt(Document):
    """What one end says has happened: hashes over all frames, counts, no identifiers and no result.

    Attributes:
        asked_snapshot: 32 bytes, what the asker has committed to of its snapshot in the exchange
            (`trisect.record.snapshots`); zeros where a count was told again, for which nobody takes one.
        answered_snapshot: the answerer, likewise.
    """

    KIND: ClassVar[str] = "receipt.v1"

    exchange: bytes
    side: str
    offer_hash: bytes
    accept_hash: bytes
    asker_frames: int
    asker_transcript: bytes
    answerer_frames: int
    answerer_transcript: bytes
    elements_evaluated: int
    asked_snapshot: bytes
    answered_snapshot: bytes
    finished: str

    def __post_init__(self) -> None:
        """Refuse what no receipt says; raises VerificationError."""
        if {len(self.asked_snapshot), len(self.answered_snapshot)} != {COMMITMENT_BYTES}:
            raise VerificationError("a receipt does not commit to snapshots")

    @property
    def own_snapshot(self) -> bytes:
        """What the end that has signed it has committed to."""
        return self.asked_snapshot if self.side == ASKER else self.answered_snapshot

    def check_against(self, other: Receipt) -> None:
        """Check that two ends say the same; raises VerificationError."""
        for name in _AGREED:
            if getattr(self, name) != getattr(other, name):
                raise VerificationError(f"the two receipts of an exchange contradict each other in {name}")
        if self.side == other.side:
            raise VerificationError("both receipts are of the same end")


_AGREED = (
    "exchange",
    "offer_hash",
    "accept_hash",
    "asker_frames",
    "asker_transcript",
    "answerer_frames",
    "answerer_transcript",
    "elements_evaluated",
    "asked_snapshot",
    "answered_snapshot",
)


@dataclass(frozen=True, slots=True)
class Details:
    """What of an offer only the answerer may read."""

    collection: str

    def seal(self, to: SealingPublic, exchange: bytes) -> bytes:
        """Seal to the answerer's key, bound to the exchange."""
        pad = "." * (MAX_COLLECTION_NAME - len(self.collection))  # so that the length tells nothing
        body = canonical_json.encode({"collection": self.collection, "pad": pad})
        return to.seal(body, context=_context(exchange))

    @classmethod
    def open(cls, sealed: bytes, key: SealingKey, exchange: bytes) -> Self:
        """Open at the answerer; raises VerificationError."""
        body = canonical_json.decode(key.open(sealed, context=_context(exchange)))
        collection = body.get("collection")
        if not isinstance(collection, str):
            raise VerificationError("an offer's sealed details name no collection")
        return cls(collection)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an offer is refused: what only the asker may read of a refusal."""

    fault: str
    code: str
    message: str
    hint: str
    rule: str

    def seal(self, to: SealingPublic, exchange: bytes) -> bytes:
        """Seal to the asker's key, bound to the exchange; every reason is of one length."""
        texts: dict[str, Json] = {name: text[:_REASON_TEXT] for name, text in asdict(self).items()}
        bare = len(canonical_json.encode(texts | {"pad": ""}))
        body = canonical_json.encode(texts | {"pad": "." * (_REASON_BYTES - bare)})
        return to.seal(body, context=_REASON_CONTEXT + exchange)

    @classmethod
    def open(cls, sealed: bytes, key: SealingKey, exchange: bytes) -> Self:
        """Open at the asker; raises VerificationError."""
        body = canonical_json.decode(key.open(sealed, context=_REASON_CONTEXT + exchange))
        texts = {field.name: body.get(field.name) for field in fields(cls)}
        if not all(isinstance(text, str) and len(text) <= _REASON_TEXT for text in texts.values()):
            raise VerificationError("a refusal's sealed reason is not sound")
        return cls(**{name: str(text) for name, text in texts.items()})


_REASON_TEXT = 300
_REASON_BYTES = 10_000  # more than five texts of the longest escapes take
_REASON_CONTEXT = b"trisect/refusal-reason/v1\x00"


def _context(exchange: bytes) -> bytes:
    return b"trisect/offer-details/v1\x00" + exchange


def check_times(created: str, expires: str, now: dt.datetime) -> None:
    """Check an offer's times against the own clock.

    Raises:
        StaleError: made too long ago or in the future, beyond the tolerance of 60 s.
        VerificationError: the times are none.
    """
    try:
        made, ends = from_text(created), from_text(expires)
    except ValueError as error:
        raise VerificationError("an offer's times cannot be read") from error
    if not made - CLOCK_TOLERANCE <= now <= made + CLOCK_TOLERANCE or now > ends:
        raise StaleError(
            f"an offer was made at {created}, and here it is {to_text(now)}",
            hint="set the clocks of both nodes (NTP); at most 60 s apart are accepted",
        )
