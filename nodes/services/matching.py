"""Exchanges and hits of a node."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

from nodes.exchanges.asking import Asking, Question
from nodes.exchanges.book import Book, error_of
from nodes.exchanges.running import Progress
from trisect.clock import Clock, from_text, to_text
from trisect.errors import BadInputError, NotFoundError
from trisect.psi import planner
from trisect.psi.bands import band
from trisect.rpc.authentication import Context
from trisect.rules.vocabulary import Mode, collection_name, purpose
from trisect.store.exchanges import Exchange, HitRow
from trisect.store.retention import Hold, Retention
from trisect.trust.statements import party_name
from trisect.wire.v1 import matching_pb2 as pb
from trisect.wire.v1 import matching_pb2_grpc

DEFAULT_LIST = 50


@dataclass(frozen=True, slots=True)
class MatchingService(matching_pb2_grpc.MatchingServicer):
    """What an administrator does with exchanges."""

    asking: Asking
    book: Book
    retention: Retention
    clock: Clock

    async def StartMatch(self, request: pb.StartMatchRequest, _context: Context) -> pb.StartMatchReply:  # noqa: N802
        """Offer a match; returns once the peer has accepted."""
        return pb.StartMatchReply(exchange_id=await self.asking.start(question(request)))

    async def ExplainMatch(self, request: pb.StartMatchRequest, _context: Context) -> pb.ExplainMatchReply:  # noqa: N802
        """Tell what a match would cost and who would learn what; nothing is sent."""
        asked = question(request)
        party, snapshot, name = await self.asking.check(asked)
        await self.asking.preview(self.asking.offer(asked, party, snapshot, name))
        learning = planner.require(name, asked.mode).modes[asked.mode]
        padded = band(snapshot.size)
        cost = planner.estimate(padded, padded)
        return pb.ExplainMatchReply(
            engine=name,
            why=planner.why(asked.engine),
            asker_learns=learning.asker_learns,
            answerer_learns=learning.answerer_learns,
            coordinator_learns=learning.coordinator_learns,
            assumes=learning.assumes,
            asked=snapshot.size,
            asked_padded=padded,
            bytes_estimate=cost.bytes,
            seconds_estimate=cost.seconds,
            key_check=party.key_check.value,
        )

    async def WatchExchange(  # noqa: N802
        self, request: pb.WatchExchangeRequest, _context: Context
    ) -> AsyncIterator[pb.Exchange]:
        """Show an exchange until it has ended."""
        async for exchange, progress in self.book.watch(request.exchange_id):
            yield describe(exchange, progress)

    async def ListExchanges(  # noqa: N802
        self, request: pb.ListExchangesRequest, _context: Context
    ) -> pb.ListExchangesReply:
        """List the newest exchanges, or one."""
        if request.exchange_id:
            found = [await asyncio.to_thread(self.book.store.get, request.exchange_id)]
        else:
            found = list(await asyncio.to_thread(self.book.store.list, limit=request.limit or DEFAULT_LIST))
        described = [describe(exchange, self.book.progress(exchange.id)) for exchange in found]
        if request.exchange_id:
            await self._tell_hold(described[0])
        return pb.ListExchangesReply(exchanges=described)

    async def CancelExchange(  # noqa: N802
        self, request: pb.CancelExchangeRequest, _context: Context
    ) -> pb.CancelExchangeReply:
        """Cancel a running exchange."""
        await asyncio.to_thread(self.book.store.get, request.exchange_id)
        await self.book.cancel(request.exchange_id)
        found = await asyncio.to_thread(self.book.store.get, request.exchange_id)
        return pb.CancelExchangeReply(exchange=describe(found, None))

    async def HoldHits(self, request: pb.HoldHitsRequest, _context: Context) -> pb.HoldHitsReply:  # noqa: N802
        """Place a legal hold on an exchange's hits, or end it."""
        if request.HasField("hold"):
            found = self._hold(request)
            await asyncio.to_thread(self.retention.hold, found)
        else:
            await asyncio.to_thread(self.retention.release, request.exchange_id)
        exchange = describe(await asyncio.to_thread(self.book.store.get, request.exchange_id), None)
        await self._tell_hold(exchange)
        return pb.HoldHitsReply(exchange=exchange)

    async def DropHits(self, request: pb.DropHitsRequest, _context: Context) -> pb.DropHitsReply:  # noqa: N802
        """Delete an exchange's hits before their retention ends."""
        await asyncio.to_thread(self.retention.drop, request.exchange_id, to_text(self.clock()))
        found = await asyncio.to_thread(self.book.store.get, request.exchange_id)
        return pb.DropHitsReply(exchange=describe(found, None))

    def _hold(self, request: pb.HoldHitsRequest) -> Hold:
        hold, now = request.hold, self.clock()
        try:
            until = from_text(hold.until)
        except ValueError as error:
            raise BadInputError("a hold's end is no time", hint="write it as 2027-01-31T00:00:00Z") from error
        if until <= now or not hold.placed_by.strip() or not hold.reason.strip():
            raise BadInputError(
                "a hold names who, why, and an end that is to come",
                hint="give all three; the end lies in the future",
            )
        return Hold(request.exchange_id, hold.placed_by, hold.reason, to_text(until), to_text(now))

    async def _tell_hold(self, described: pb.Exchange) -> None:
        found = await asyncio.to_thread(self.retention.held, described.exchange_id)
        if found is not None:
            described.hold.CopyFrom(
                pb.Hold(placed_by=found.placed_by, reason=found.reason, until=found.until)
            )

    async def GetPermit(self, request: pb.GetPermitRequest, _context: Context) -> pb.GetPermitReply:  # noqa: N802
        """Give the permit of an exchange."""
        found = await asyncio.to_thread(self.book.store.get, request.exchange_id)
        if not found.permit:
            raise NotFoundError(
                "this exchange has no permit: it was never accepted", hint="`trisect exchange show` tells why"
            )
        return pb.GetPermitReply(envelope=found.permit, terms=found.terms or b"")

    async def ListHits(self, request: pb.ListHitsRequest, _context: Context) -> AsyncIterator[pb.HitPage]:  # noqa: N802
        """Page through hits."""
        if request.exchange_id:
            await asyncio.to_thread(self.book.store.get, request.exchange_id)
        pages = self.book.store.hits(request.exchange_id or None)
        try:
            while (page := await asyncio.to_thread(next, pages, None)) is not None:
                yield pb.HitPage(hits=[_hit(hit) for hit in page])
        finally:
            await asyncio.to_thread(pages.close)


def _hit(hit: HitRow) -> pb.Hit:
    return pb.Hit(
        collection=hit.collection,
        kind=hit.kind,
        ref=hit.ref,
        peer=hit.peer,
        purpose=hit.purpose,
        seen_at=hit.seen_at,
        exchange_id=hit.exchange_id,
    )


def question(request: pb.StartMatchRequest) -> Question:
    """Read what is asked; raises BadInputError."""
    return Question(
        collection=collection_name(request.collection),
        peer=party_name(request.peer),
        peer_collection=collection_name(request.peer_collection),
        purpose=purpose(request.purpose),
        mode=_mode(request.mode),
        engine=request.engine or planner.AUTO,
    )


def _mode(text: str) -> Mode:
    if text not in {"", Mode.MATCH, Mode.COUNT}:
        raise BadInputError("an exchange matches or counts", hint="use `trisect match` or `trisect count`")
    return Mode(text or Mode.MATCH)


def describe(exchange: Exchange, progress: Progress | None) -> pb.Exchange:
    """Write an exchange for its administrator."""
    running = progress is not None and not exchange.state.ended
    return pb.Exchange(
        exchange_id=exchange.id,
        end=exchange.side.value,
        peer=exchange.peer,
        collection=exchange.collection,
        peer_collection=exchange.peer_collection,
        purpose=exchange.purpose,
        mode=exchange.mode,
        engine=exchange.engine,
        state=exchange.state.value,
        phase=progress.phase if progress and running else "",
        error=error_of(exchange),
        asked=exchange.asked,
        asked_padded=exchange.asked_padded,
        answered_padded=exchange.answered_padded,
        matched=exchange.matched or 0,
        counted=exchange.counted,
        rounded_to=exchange.rounded_to or 0,
        bytes_sent=progress.bytes_sent if progress and running else exchange.bytes_sent,
        bytes_received=progress.bytes_received if progress and running else exchange.bytes_received,
        seconds=time.time() - from_text(exchange.started_at).timestamp() if running else exchange.seconds,
        started_at=exchange.started_at,
        elements_done=progress.elements_done if progress else 0,
        elements_total=progress.elements_total if progress else 0,
        key_check=exchange.key_check,
        keep_until=exchange.keep_until or "",
        hits_deleted_at=exchange.hits_deleted_at or "",
        stale=exchange.stale or 0,
        stale_at=exchange.stale_at or "",
    )
