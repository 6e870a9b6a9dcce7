"""Entries that leave a list after it was asked: contests that lapse, and telling askers that their hits may be stale.

An answerer tells each asker of a match how many entries of the snapshot have left since, again and again until the asker
has signed that its hits are dropped. What is kept beyond the rulebook's time it files in the public record.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from dataclasses import dataclass, field

from nodes.exchanges.book import Book
from nodes.link import Link
from nodes.members import Members
from nodes.proposals import Proposals
from trisect.clock import Clock, from_text, to_text
from trisect.errors import NotFoundError, TrisectError, VerificationError
from trisect.rules.offers import Offer, StaleHits, StaleHitsReply
from trisect.rules.regime import Regime
from trisect.rules.rulebook import Limits
from trisect.rules.stale import Kept
from trisect.store import stale
from trisect.store.exchanges import Exchange, Side
from trisect.store.presence import Lapsing
from trisect.trust import documents
from trisect.trust.filings import StaleHitsFiling
from trisect.wire.v1 import relay_pb2

_log = logging.getLogger(__name__)
EVERY_S = 2.0
LONGEST_PAUSE_S = 900.0
AT_ONCE = 16


@dataclass(slots=True)
class _Attempts:
    """When an asker is told again, in the loop's time."""

    count: int
    due: float = 0.0
    pause_s: float = EVERY_S


@dataclass(slots=True)
class Staleness:
    """What follows at one node when entries leave a list."""

    book: Book
    hits: stale.StaleHits
    lapsing: Lapsing
    link: Link
    members: Members
    proposals: Proposals
    clock: Clock
    _attempts: dict[str, _Attempts] = field(default_factory=dict)

    async def run(self) -> None:
        """Look, tell and file, until cancelled."""
        while True:
            try:
                await self.look()
                if self.link.connected and self.members.admitted:
                    await self.settle()
            except TrisectError as error:
                _log.warning("stale hits could not be looked for", extra={"reason": error.message})
            await asyncio.sleep(EVERY_S)

    async def look(self) -> None:
        """Let contests lapse that nobody has decided in time, and count what has left since each snapshot."""
        now, regime = self.clock(), Regime(self.members.membership)
        days = regime.deadlines(now).contest_days
        lapsed = await asyncio.to_thread(self.lapsing.lapse, to_text(now - dt.timedelta(days=days)))
        for collection, count in lapsed.items():
            _log.warning(
                "contested entries were decided by nobody in time, and are retracted",
                extra={"collection": collection, "entries": count},
            )
        kept_days = max(
            [Limits().retention_days, *(one.provisions.limits.retention_days for one in regime.rulebooks)]
        )
        after = to_text(now - dt.timedelta(days=kept_days))
        await asyncio.to_thread(self.hits.look, after=after, now=to_text(now))

    async def settle(self) -> None:
        """Tell whom it concerns, and bring the record up to date."""
        found = await asyncio.to_thread(self.hits.unsettled)
        self._attempts = {one.exchange_id: self._attempts_at(one) for one in found}
        now = asyncio.get_running_loop().time()
        due = [one for one in found if self._attempts[one.exchange_id].due <= now]
        for at in range(0, len(due), AT_ONCE):
            await asyncio.gather(*(self._try(one) for one in due[at : at + AT_ONCE]))

    def _attempts_at(self, one: stale.Stale) -> _Attempts:
        """Give what was tried before; of another number an asker is told at once."""
        known = self._attempts.get(one.exchange_id)
        return known if known and known.count == one.count else _Attempts(one.count)

    async def _try(self, one: stale.Stale) -> None:
        attempts = self._attempts[one.exchange_id]
        try:
            await self._settle(one)
        except TrisectError as error:
            _log.info(
                "an asker could not be told that its hits may be stale; it is told again",
                extra={"exchange_id": one.exchange_id, "reason": error.message},
            )
        attempts.due = asyncio.get_running_loop().time() + attempts.pause_s
        attempts.pause_s = min(2 * attempts.pause_s, LONGEST_PAUSE_S)

    async def _settle(self, one: stale.Stale) -> None:
        exchange = await asyncio.to_thread(self.book.store.get, one.exchange_id)
        dropped_at, untold = one.dropped_at, None
        if dropped_at is None:
            try:
                dropped_at = await self._tell(one, exchange)
            except TrisectError as error:  # who does not answer is not spared the record
                untold = error
        standing = 0 if dropped_at else self._overdue(one)
        if standing != one.filed:
            kept = Kept(one.exchange_id, standing, one.since)
            await self.proposals.file(StaleHitsFiling.KIND, exchange.peer, kept.to_body())
            await asyncio.to_thread(self.hits.filed, one.exchange_id, standing)
        if untold is not None:
            raise untold

    def _overdue(self, one: stale.Stale) -> int:
        """Tell what the record is to say of hits that are kept: nothing before the time to drop them is over.

        An asker that could not be told has as much time again to be back.
        """
        now = self.clock()
        days = Regime(self.members.membership).deadlines(now).stale_hits_days
        days *= 1 if one.told else 2
        return one.count if from_text(one.since) + dt.timedelta(days=days) <= now else one.filed

    async def _tell(self, one: stale.Stale, exchange: Exchange) -> str | None:
        """Tell an asker; gives when it has dropped its hits, None while it keeps them."""
        offer, offer_hash = _offer(exchange)
        notice = StaleHits(offer.exchange, offer_hash, one.count, one.since)
        party = self.members.membership.party(exchange.peer)
        answer = await self.link.notify(party.name, offer.exchange, notice.sign(self.link.keys.identity))
        reply, _ = StaleHitsReply.verify(answer, *party.identities_since(offer.asker_key))
        if (reply.exchange, reply.offer_hash) != (offer.exchange, offer_hash):
            raise VerificationError("an asker's answer on stale hits is about another exchange")
        dropped_at = reply.dropped_at or None
        now = to_text(self.clock())
        await asyncio.to_thread(self.hits.told, one.exchange_id, one.count, dropped_at, now)
        return dropped_at

    async def on_notice(self, call: relay_pb2.IncomingCall) -> bytes:
        """As the asker, take note that hits may be stale; gives the signed answer.

        Raises:
            NotFoundError: there is no such exchange with that party.
            VerificationError: the notice is not the answerer's.
        """
        party = self.members.membership.party(getattr(call, "from"))
        exchange = await asyncio.to_thread(self.book.store.get, call.exchange_id.hex())
        if exchange.peer != party.name or exchange.side is not Side.ASKER:
            raise NotFoundError(
                "there is no such exchange between us", hint="look at both ends with `trisect exchange list`"
            )
        offer, offer_hash = _offer(exchange)
        notice, _ = StaleHits.verify(call.body, *party.identities_since(offer.answerer_key))
        if (notice.exchange, notice.offer_hash) != (offer.exchange, offer_hash) or notice.count < 1:
            raise VerificationError("a notice of stale hits is about another exchange")
        now = to_text(self.clock())
        dropped_at = await asyncio.to_thread(self.hits.heard, exchange.id, notice.count, now)
        if exchange.stale is None:
            _log.warning(
                "hits may be stale: entries have left the list that was asked",
                extra={"exchange_id": exchange.id, "peer": party.name, "entries": notice.count},
            )
        reply = StaleHitsReply(offer.exchange, offer_hash, notice.count, dropped_at or "")
        return reply.sign(self.link.keys.identity)


def _offer(exchange: Exchange) -> tuple[Offer, bytes]:
    return Offer.peek(exchange.offer), documents.payload_hash(exchange.offer)
