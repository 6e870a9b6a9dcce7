"""What both ends make of an offer and its acceptance: times, sizes, transcript, receipts."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from trisect.clock import Clock, from_text, to_text
from trisect.errors import StaleError, VerificationError
from trisect.psi.items import answered_size, asked_size
from trisect.rules.offers import CLOCK_TOLERANCE, Accept, Offer, Receipt
from trisect.store.exchanges import Side
from trisect.trust.channel import Opener, Sealer, transcript_hash

OFFER_LIFE = dt.timedelta(minutes=2)
ENCRYPTED_S = 400e-6
"""What the slowest end that is still waited for takes to encrypt one element."""
ARRANGED_S = 20e-6
"""What it takes to bring one element into order."""


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


@dataclass(frozen=True, slots=True)
class Terms:
    """One accepted exchange as both ends agree on it; hashes are those of the signed payloads."""

    offer: Offer
    offer_hash: bytes
    accept: Accept
    accept_hash: bytes

    @property
    def transcript(self) -> bytes:
        """The hash that the channel's keys are bound to."""
        return transcript_hash(self.offer_hash, self.accept_hash, self.accept.permit_hash)

    @property
    def asked(self) -> int:
        """How many items the asker sends, probes included."""
        return asked_size(self.offer.asked_padded)

    @property
    def answered(self) -> int:
        """How many items the answerer offers, probes included."""
        return answered_size(self.accept.answered_padded, self.offer.asked_padded)

    def idle_s(self, side: Side, floor_s: float) -> float:
        """Tell how long this end's peer may be silent: an answerer encrypts its whole set before it speaks."""
        if side is Side.ASKER:
            return floor_s + self.answered * ENCRYPTED_S
        return floor_s + self.asked * ARRANGED_S

    def total_s(self, floor_s: float) -> float:
        """Tell how long the whole exchange may take, however lively the peer."""
        return 2 * floor_s + 4 * (self.asked + self.answered) * ENCRYPTED_S

    def receipt(self, side: Side, sealer: Sealer, opener: Opener, clock: Clock) -> Receipt:
        """Write this end's receipt once both directions are closed."""
        asks = side is Side.ASKER
        asker, answerer = (sealer, opener) if asks else (opener, sealer)
        return Receipt(
            exchange=self.offer.exchange,
            side=side.value,
            offer_hash=self.offer_hash,
            accept_hash=self.accept_hash,
            asker_frames=asker.frames,
            asker_transcript=asker.transcript,
            answerer_frames=answerer.frames,
            answerer_transcript=answerer.transcript,
            elements_evaluated=self.asked,
            finished=to_text(clock()),
        )
