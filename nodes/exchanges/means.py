"""What both sides of an exchange work with at one node."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial

from nodes.accusing import Accusing
from nodes.config import Config
from nodes.consents.replay import Replay
from nodes.exchanges.book import Book
from nodes.exchanges.committing import Committing
from nodes.exchanges.slots import Slots
from nodes.link import Link
from nodes.members import Members
from nodes.peppers import Peppers
from nodes.witness import Witness
from nodes.workers import Worker, Workers
from trisect.clock import Clock, Randomness, from_text
from trisect.errors import DeniedError, NotFoundError
from trisect.psi.bands import band
from trisect.psi.halves import Half
from trisect.psi.items import Items
from trisect.rules import consent_epochs, rulebook
from trisect.rules.offers import Offer
from trisect.rules.regime import Regime
from trisect.rules.sharing import Sharing, require_shared
from trisect.rules.vocabulary import Mode, Purpose, on_consent
from trisect.store.budgets import Budgets
from trisect.store.collections import Collections, Snapshot
from trisect.store.consents import Use
from trisect.store.counts import Counts
from trisect.trust.party import Party

SETTLE_S = 5.0


@dataclass(frozen=True, slots=True)
class Limits:
    """This party's own limits on the sets of both ends."""

    min_set: int
    max_set: int

    def check_set(self, size: int, whose: str, least: int) -> None:
        """Refuse a set that is too small, here or by the rulebook, or too large; raises DeniedError."""
        if size < max(self.min_set, least):
            raise DeniedError(
                f"{whose} has fewer entries than the minimum of {max(self.min_set, least)}",
                hint="small sets let one learn about single entries; add entries first",
                rule="min-set" if size < least else "local-min-set",
            )
        if size > self.max_set:
            raise self._too_large(whose)

    def check_padded(self, size: int, whose: str) -> None:
        """Refuse a declared size beyond what the largest allowed set pads to; raises DeniedError."""
        if size > band(self.max_set):
            raise self._too_large(whose)

    def _too_large(self, whose: str) -> DeniedError:
        return DeniedError(
            f"{whose} has more entries than this party's maximum of {self.max_set}",
            hint="limits.max_set in the node's configuration sets it",
            rule="local-max-set",
        )


@dataclass(frozen=True, slots=True)
class Means:
    """The parts of a node that exchanges use."""

    book: Book
    collections: Collections
    link: Link
    members: Members
    peppers: Peppers
    workers: Workers
    slots: Slots
    budgets: Budgets
    counts: Counts
    witness: Witness
    replay: Replay
    accusing: Accusing
    committing: Committing
    clock: Clock
    randomness: Randomness
    config: Callable[[], Config]
    """Gives the configuration that holds now."""

    @property
    def regime(self) -> Regime:
        """What is in force now, as this node has verified it."""
        return Regime(self.members.membership)

    @property
    def limits(self) -> Limits:
        """This party's own limits."""
        found = self.config().limits
        return Limits(found.min_set, found.max_set)

    @property
    def idle_s(self) -> float:
        """Longest silence of a peer, besides the time that its work may take."""
        return self.config().timeouts.peer_idle_s

    @property
    def write_s(self) -> float:
        """Longest time for the relay to take one frame."""
        return self.config().timeouts.write_s

    def limits_of(self, offer: Offer) -> rulebook.Limits:
        """Give the limits of the rulebook that an offer names; raises StaleError where it may not."""
        return self.regime.rulebooks.named(offer.rulebook, from_text(offer.created)).provisions.limits

    def use(self, offer: Offer, peer: str) -> Use:
        """Tell for what an offer uses entries, and by which consents."""
        limits = self.limits_of(offer)
        return self.use_of(peer, Purpose(offer.purpose), from_text(offer.created), limits)

    def use_of(self, peer: str, purpose: Purpose, moment: dt.datetime, limits: rulebook.Limits) -> Use:
        """Tell by which consents entries are used for a purpose, under a rulebook's limits."""
        return Use(peer, purpose, moment, limits.min_voluntariness, self.replay.usable())

    async def settle(self) -> None:
        """Wait a little for what a node that has just started learns by itself: statements, and a head that counts."""
        if not (self.link.connected and self.members.admitted):
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(SETTLE_S):
                await self.members.synced.wait()
                await self.witness.any_counts.wait()

    def shared(self, collection: str, party: Party, purpose: Purpose, mode: Mode) -> bytes:
        """Give the signed terms on which a list is shared with a party; raises DeniedError, the same for whatever is missing."""
        try:
            rows = self.collections.sharings(collection)
        except NotFoundError:
            rows = ()
        return require_shared(
            (Sharing(row.recipient, row.purpose, row.mode, row.terms) for row in rows if row.terms),
            asker=party.name,
            role=party.role,
            answerer=self.members.name,
            purpose=purpose,
            mode=mode,
        ).terms

    async def snapshot(self, collection: str, use: Use, epoch: int) -> Snapshot:
        """Take what may be used of a collection; raises NotFoundError, or ConflictError while it is rolled."""
        self.replay.require_done()
        known = consent_epochs.known(self.members.membership, self.replay.cursor)
        found = await asyncio.to_thread(self.collections.snapshot, collection, use, epoch=epoch)
        return replace(found, consents=known) if on_consent(found.collection.legal_basis) else found

    async def require_usable(self, snapshot: Snapshot, use: Use) -> None:
        """Raise DeniedError where somebody whose indicator is in a snapshot has taken the consent back since."""
        async with self.peppers.held() as epoch:
            climb = partial(self.peppers.climb, epoch=snapshot.epoch, to=epoch)
            now = replace(use, moment=self.clock())
            usable = await asyncio.to_thread(self.collections.still_usable, snapshot, now, climb)
        if not usable:
            raise DeniedError(
                "a consent was taken back, or ended, while the exchange ran",
                hint="start it again: its next snapshot leaves that person out",
                rule="consent-live",
            )

    @asynccontextmanager
    async def staffed(self, half: Half, items: Callable[[], Items]) -> AsyncIterator[Worker]:
        """Lend a worker that holds a half of the engine with its items; they are arranged in a thread."""
        async with self.workers.take() as worker:
            arranged = await asyncio.to_thread(items)
            await worker.load(half, arranged.data.cast("B"))
            del arranged
            yield worker
