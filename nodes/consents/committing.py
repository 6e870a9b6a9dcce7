"""A proxy's commitments in the public record to the consents that it keeps, one an epoch."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from nodes.consents.register import Register
from nodes.members import Members
from nodes.proposals import Proposals
from trisect.clock import Randomness
from trisect.errors import TrisectError
from trisect.record import commitments
from trisect.rules.consents import EpochCommitment, commitment
from trisect.rules.regime import Regime
from trisect.store.consent_epochs import ConsentEpochs
from trisect.store.granting import GrantedConsent
from trisect.trust.filings import ConsentsFiling
from trisect.trust.statements import Role

_log = logging.getLogger(__name__)


class Committing:
    """Commits to what a register keeps.

    Args:
        members: tells who this party is.
        register: keeps consents.
        epochs: has what is committed to, and keeps the leaves.
        proposals: files commitments.
        randomness: draws leaves that hide how many there are.
        epoch_s: gives the seconds from one commitment to the next.
    """

    def __init__(
        self,
        members: Members,
        register: Register,
        epochs: ConsentEpochs,
        proposals: Proposals,
        *,
        randomness: Randomness,
        epoch_s: Callable[[], float],
    ) -> None:
        self._members = members
        self._register = register
        self._epochs = epochs
        self._proposals = proposals
        self._randomness = randomness
        self._epoch_s = epoch_s

    async def commit(self) -> None:
        """Commit in the public record to what has come since the last time; nothing where nothing has.

        Raises:
            TrisectError: it cannot be published now.
        """
        own = self._members.own
        if own is None or own.role is not Role.PROXY or self._register.trouble or not self._members.admitted:
            return
        while True:
            membership = self._members.membership
            filed = len(membership.filed(ConsentsFiling, own.name))
            told = Regime(membership).consents_told(own.name)
            content = await asyncio.to_thread(self._next_epoch, filed, told)
            if content is None:
                return
            await self._proposals.file(ConsentsFiling.KIND, "", content.to_content())

    def _next_epoch(self, filed: int, told: int) -> EpochCommitment | None:
        """Give the epoch after those that were filed; one that was kept and not filed comes as it was kept."""
        kept = self._epochs.epoch(filed + 1)
        if kept is None:
            upto, found = self._epochs.uncommitted(limit=commitments.MOST_EVENTS)
            if upto <= told:
                return None
            leaves: Sequence[bytes] = commitments.padded(found, self._randomness)
            self._epochs.keep_epoch(filed + 1, upto, b"".join(leaves))
            kept = (upto, leaves)
        upto, leaves = kept
        return EpochCommitment(filed + 1, upto, len(leaves), commitments.root(leaves))

    async def proof(self, found: GrantedConsent) -> tuple[int, int, int, list[bytes]] | None:
        """Prove that a consent is committed to; gives epoch, place, leaves and hashes, or None before it is."""
        epoch = await asyncio.to_thread(self._epochs.epoch_of, found.sequence)
        if epoch is None or found.record is None or found.salt is None:
            return None
        number, leaves = epoch
        own = commitment(found.record, found.salt)
        index, path = await asyncio.to_thread(commitments.proof, leaves, own)
        return number, index, len(leaves), path

    async def run(self) -> None:
        """Commit once an epoch, until cancelled."""
        while True:
            try:
                await self._register.settle()
                await self.commit()
            except TrisectError as error:
                _log.warning("consents could not be committed to", extra={"reason": error.message})
            await asyncio.sleep(self._epoch_s())
