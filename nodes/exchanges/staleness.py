"""Entries that leave a list after it was asked: contests that lapse, and telling askers that their hits may be stale.

An answerer sends everybody who has matched its lists a frame at each tick, with how many entries of a snapshot have left
since or without, again and again until the asker has signed that its hits are dropped. What is kept beyond the
rulebook's time it files in the public record.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from nodes.exchanges.book import Book
from nodes.link import Link
from nodes.members import Members
from nodes.proposals import Proposals
from trisect.clock import Clock, Randomness, from_text, to_text
from trisect.errors import DeniedError, NotFoundError, TrisectError, VerificationError
from trisect.rules.regime import Regime
from trisect.rules.rulebook import Limits
from trisect.rules.stale import Kept, outstanding
from trisect.rules.stale_frames import MOST, Answer, Answers, Notice, Notices
from trisect.store import stale
from trisect.store.exchanges import ExchangeState, Side
from trisect.store.presence import Lapsing
from trisect.trust import documents
from trisect.trust.filings import StaleHitsFiling
from trisect.trust.keys import PartyName
from trisect.trust.party import Party
from trisect.trust.statements import Standing
from trisect.wire.v1 import relay_pb2

_log = logging.getLogger(__name__)
NONCE_BYTES = 16


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A frame that waits for its tick.

    Attributes:
        mine: the exchanges of its receiver that an answer may be about, with their offers' hashes.
    """

    party: Party
    sealed: bytes
    nonce: str
    mine: frozenset[tuple[str, bytes]]


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
    randomness: Randomness
    tick_s: Callable[[], float]
    _away: set[PartyName] = field(default_factory=set)
    _turn: int = 0
    _come: dict[PartyName, Notices] = field(default_factory=dict)
    """The newest frame of each party that is not taken in yet: none fills another's place."""
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)
    _answers: dict[PartyName, tuple[Answer, ...]] = field(default_factory=dict)

    async def run(self) -> None:
        """Tell at each tick, then look and file, until cancelled.

        What a tick tells was sealed after the one before: nobody sees by its delay that there was something to find.
        """
        prepared: list[_Prepared] = []
        while True:
            due = time.monotonic() + self.tick_s()
            if self.link.connected and self.members.admitted:
                await self.send(prepared)
            try:
                after = await self.look()
                if self.link.connected and self.members.admitted:
                    await self.file(after)
                prepared = await self.prepare(after)
            except TrisectError as error:
                _log.warning("stale hits could not be looked for", extra={"reason": error.message})
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def look(self) -> str:
        """Let contests lapse that nobody has decided in time, and count what has left since each snapshot.

        Gives since when matches may have hits that are still kept, by any rulebook.
        """
        now, regime = self.clock(), Regime(self.members.membership)
        days = regime.deadlines(now).contest_days
        lapsed = await asyncio.to_thread(self.lapsing.lapse, to_text(now - dt.timedelta(days=days)))
        for collection, count in lapsed.items():
            _log.warning(
                "contested entries were decided by nobody in time, and are lifted",
                extra={"collection": collection, "entries": count},
            )
        kept_days = max(
            [Limits().retention_days, *(one.provisions.limits.retention_days for one in regime.rulebooks)]
        )
        after = to_text(now - dt.timedelta(days=kept_days))
        await asyncio.to_thread(self.hits.look, after=after, now=to_text(now))
        return after

    async def prepare(self, after: str) -> list[_Prepared]:
        """Seal a frame to everybody who has matched since a time."""
        unsettled = [one for one in await asyncio.to_thread(self.hits.unsettled, after) if one.kept]
        parties = self.members.membership.parties
        consortium, own, key = self.members.membership.consortium, self.members.name, self.link.keys.identity
        prepared = []
        for name in await asyncio.to_thread(self.hits.askers, after):
            party = parties.get(PartyName(name))
            if party is None or party.standing is Standing.EXPELLED:
                continue
            found = [one for one in unsettled if one.peer == party.name]
            items = tuple(_notice(one) for one in self._chosen(found))
            frame = Notices(consortium, own, party.name, self.randomness(NONCE_BYTES).hex(), items)
            sealed = await asyncio.to_thread(frame.seal, key, party.keys.sealing)
            mine = frozenset((one.exchange_id, _offer_hash(one.offer)) for one in found)
            prepared.append(_Prepared(party, sealed, frame.nonce, mine))
        self._turn += 1
        return prepared

    async def send(self, prepared: Sequence[_Prepared]) -> None:
        """Send the frames of a tick, and take the answers."""
        await asyncio.gather(*(self._send(one) for one in prepared))

    async def _send(self, one: _Prepared) -> None:
        party, consortium, own = one.party, self.members.membership.consortium, self.members.name
        try:
            reply = await self.link.notify(party.name, one.sealed)
            answers = await asyncio.to_thread(
                Answers.open,
                reply,
                self.link.keys.sealing,
                consortium,
                party.name,
                own,
                party.keys.identity,
            )
            if answers.nonce != one.nonce:
                raise VerificationError("an answer on stale hits is to another frame")
        except TrisectError as error:
            if party.name not in self._away:
                _log.info(
                    "an asker is told of stale hits when it is back",
                    extra={"peer": party.name, "reason": error.message},
                )
            self._away.add(party.name)
            return
        self._away.discard(party.name)
        now = to_text(self.clock())
        for answer in answers.items:
            exchange_id = answer.exchange.hex()
            if (exchange_id, answer.offer_hash) in one.mine:
                await asyncio.to_thread(
                    self.hits.told, exchange_id, answer.count, answer.dropped_at or None, now
                )

    def _chosen(self, found: Sequence[stale.Stale]) -> Sequence[stale.Stale]:
        """Choose what a frame names: first what the asker does not know, each in its turn."""
        new = [one for one in found if one.told < one.count]
        known = [one for one in found if one.told >= one.count]
        return [*self._turned(new), *self._turned(known)][:MOST]

    def _turned(self, some: Sequence[stale.Stale]) -> Sequence[stale.Stale]:
        start = self._turn * MOST % (len(some) or 1)
        return [*some[start:], *some[:start]]

    async def file(self, after: str) -> None:
        """Bring the record up to date: hits that are kept though the time to drop them is over."""
        for one in await asyncio.to_thread(self.hits.unsettled, after):
            standing = self._overdue(one)
            if standing == one.filed:
                continue
            try:
                if standing != self._in_record(one):
                    kept = Kept(one.exchange_id, standing, one.since)
                    await self.proposals.file(StaleHitsFiling.KIND, one.peer, kept.to_body())
                await asyncio.to_thread(self.hits.filed, one.exchange_id, standing)
            except TrisectError as error:  # it is filed at the next tick, and no other waits for it
                _log.warning(
                    "kept stale hits could not be filed",
                    extra={"exchange_id": one.exchange_id, "reason": error.message},
                )

    def _in_record(self, one: stale.Stale) -> int:
        """Tell what the record says of an exchange in this party's name, whatever is kept here of it."""
        said = outstanding(self.members.membership, one.peer)
        mine = (
            kept.count for who, kept in said if (who, kept.exchange) == (self.members.name, one.exchange_id)
        )
        return next(mine, 0)

    def _overdue(self, one: stale.Stale) -> int:
        """Tell what the record is to say of hits that are kept: nothing before the time to drop them is over.

        An asker that could not be told has as much time again to be back. A number that stands there stays until all is
        settled: the record is not to tell when something more has left a list.
        """
        if not one.kept:
            return 0
        now = self.clock()
        days = Regime(self.members.membership).deadlines(now).stale_hits_days
        days *= 1 if one.told else 2
        over = from_text(one.since) + dt.timedelta(days=days) <= now
        return one.filed or (one.count if over else 0)

    async def on_frame(self, call: relay_pb2.IncomingCall) -> bytes:
        """As the asker, answer a frame with what is to be said of the one before it.

        So the answer comes as soon whether a frame holds anything or not.

        Raises:
            DeniedError: the caller is expelled.
            VerificationError: it is not the caller's frame to this party.
        """
        membership, own, keys = self.members.membership, self.members.name, self.link.keys
        party = membership.party(getattr(call, "from"))
        if party.standing is Standing.EXPELLED:
            raise DeniedError("an expelled party tells of nothing", hint="its matches can be dropped by hand")
        consortium = membership.consortium
        frame = await asyncio.to_thread(
            Notices.open, call.body, keys.sealing, consortium, party.name, own, party.keys.identity
        )
        answers = self._answers.get(party.name, ())
        self._come[party.name] = frame
        self._arrived.set()
        reply = Answers(consortium, own, party.name, frame.nonce, answers)
        return await asyncio.to_thread(reply.seal, keys.identity, party.keys.sealing)

    async def take(self) -> None:
        """As the asker, take in the frames that have come, until cancelled."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._come:
                _, frame = self._come.popitem()
                try:
                    await asyncio.to_thread(self.take_in, frame)
                except TrisectError as error:  # the answerer tells it again
                    _log.warning(
                        "a frame of stale hits could not be taken in",
                        extra={"peer": frame.sender, "reason": error.message},
                    )

    def take_in(self, frame: Notices) -> None:
        """Take in a verified frame; called from a thread."""
        answers = [self._heard(frame.sender, one) for one in frame.items]
        self._answers[frame.sender] = tuple(answer for answer in answers if answer)

    def _heard(self, peer: PartyName, notice: Notice) -> Answer | None:
        """Take note of one notice; gives the answer, None to one that is about another exchange."""
        exchange_id, now = notice.exchange.hex(), to_text(self.clock())
        nothing = Answer(notice.exchange, notice.offer_hash, notice.count, now)
        try:
            exchange = self.book.store.get(exchange_id)
        except NotFoundError:  # an older database came back: nothing of it is kept
            return nothing
        if (exchange.peer, exchange.side) != (peer, Side.ASKER) or (
            _offer_hash(exchange.offer) != notice.offer_hash
        ):
            _log.warning("a notice of stale hits is about another exchange", extra={"peer": peer})
            return None
        if exchange.state.ended and exchange.state is not ExchangeState.COMPLETE:
            return nothing
        dropped_at = self.hits.heard(exchange_id, notice.count, now)
        if exchange.stale is None and not dropped_at:
            _log.warning(
                "hits may be stale: entries have left the list that was asked",
                extra={"exchange_id": exchange_id, "peer": peer, "entries": notice.count},
            )
        return replace(nothing, dropped_at=dropped_at or "")


def _notice(one: stale.Stale) -> Notice:
    return Notice(bytes.fromhex(one.exchange_id), _offer_hash(one.offer), one.count, one.since)


def _offer_hash(offer: bytes) -> bytes:
    return documents.payload_hash(offer)
