"""What both ends make of an offer and its acceptance: times, sizes, transcript, receipts."""

from __future__ import annotations

from dataclasses import dataclass

from trisect.clock import Clock, to_text
from trisect.errors import VerificationError
from trisect.psi.items import client_size, server_size
from trisect.rules.offers import NO_SNAPSHOT, Accept, Offer, Receipt
from trisect.rules.permit import Permit
from trisect.rules.vocabulary import Mode
from trisect.store.exchanges import Side
from trisect.trust.channel import Opener, Sealer, transcript_hash

ENCRYPTED_S = 400e-6
"""What the slowest end that is still waited for takes to encrypt one element."""
ARRANGED_S = 25e-6
"""What it takes to bring one element into order, and to commit to it, while others do so too."""


@dataclass(frozen=True, slots=True)
class Terms:
    """One accepted exchange as both ends agree on it; hashes are those of the signed payloads."""

    offer: Offer
    offer_hash: bytes
    accept: Accept
    accept_hash: bytes
    permit: Permit

    @property
    def transcript(self) -> bytes:
        """The hash that the channel's keys are bound to."""
        return transcript_hash(self.offer_hash, self.accept_hash, self.accept.permit_hash)

    @property
    def counts(self) -> bool:
        """Whether the asker learns a number only, so that the halves of the engine are swapped."""
        return self.offer.mode == Mode.COUNT

    @property
    def asked(self) -> int:
        """How many items the asker has in it, probes included."""
        if self.permit.repeats:
            return 0
        mine, theirs = self.offer.asked_padded, self.accept.answered_padded
        return server_size(mine, theirs) if self.counts else client_size(mine)

    @property
    def answered(self) -> int:
        """How many items the answerer has in it, probes included."""
        if self.permit.repeats:
            return 0
        mine, theirs = self.accept.answered_padded, self.offer.asked_padded
        return client_size(mine) if self.counts else server_size(mine, theirs)

    def idle_s(self, side: Side, floor_s: float) -> float:
        """Tell how long this end's peer may be silent: one that holds the server's half encrypts a whole set first."""
        if self.counts:
            return floor_s + (self.asked + self.answered) * ENCRYPTED_S
        if side is Side.ASKER:
            return floor_s + self.answered * ENCRYPTED_S
        return floor_s + self.asked * ARRANGED_S

    def total_s(self, floor_s: float) -> float:
        """Tell how long the whole exchange may take, however lively the peer."""
        return 2 * floor_s + 4 * (self.asked + self.answered) * ENCRYPTED_S

    def receipt(
        self, side: Side, sealer: Sealer, opener: Opener, commitments: tuple[bytes, bytes], clock: Clock
    ) -> Receipt:
        """Write this end's receipt, with its own and the peer's commitment, once both directions are closed.

        Raises:
            VerificationError: the peer has committed to no list though it took one, or to one though it took none.
        """
        if (commitments[1] == NO_SNAPSHOT) != bool(self.permit.repeats):
            raise VerificationError("the peer does not commit to the list that it took")
        asks = side is Side.ASKER
        asker, answerer = (sealer, opener) if asks else (opener, sealer)
        asked, answered = commitments if asks else commitments[::-1]
        return Receipt(
            exchange=self.offer.exchange,
            side=side.value,
            offer_hash=self.offer_hash,
            accept_hash=self.accept_hash,
            asker_frames=asker.frames,
            asker_transcript=asker.transcript,
            answerer_frames=answerer.frames,
            answerer_transcript=answerer.transcript,
            elements_evaluated=self.answered if self.counts else self.asked,
            asked_snapshot=asked,
            answered_snapshot=answered,
            finished=to_text(clock()),
        )
