"""The relay without its wire: who is attached, calls between nodes, and the frames of exchanges.

It looks at no body and no frame beyond what its header declares. An exchange is open only between the two
ends of an offer that was accepted, once, and for one attempt. Not here: gRPC, and who is a member.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections import Counter as Tally
from collections.abc import AsyncIterator
from typing import Protocol

from prometheus_client import Counter, Gauge

from coordinator.config import Relay
from coordinator.ends import End, Exchange
from coordinator.links import Link, offline
from trisect.errors import (
    ConflictError,
    DeniedError,
    ExhaustedError,
    TimedOutError,
    UnreachableError,
)
from trisect.rpc.status import restore
from trisect.wire.v1 import relay_pb2 as pb

_log = logging.getLogger(__name__)
MAX_OPEN_EXCHANGES = 10_000
_PROBES_PER, FEW_ELEMENTS = 64, 128
"""An end may declare both padded sizes, a 64th more for probes (`trisect.psi.items` needs half of that), and some."""

FRAMES = Counter("trisect_relay_frames", "Sealed frames passed on.")
BYTES = Counter("trisect_relay_bytes", "Sealed bytes passed on.")
ATTACHED = Gauge("trisect_relay_attached", "Nodes whose link is up.")
OPEN = Gauge("trisect_relay_exchanges", "Exchanges that are open in the relay.")


class Recorder(Protocol):
    """Keeps a copy of all that passes; the demo's only."""

    def record(self, data: bytes) -> None:
        """Keep these bytes."""


class Switchboard:
    """Everything that the relay knows, in memory: a restart ends all exchanges.

    Attributes:
        limits: how long it waits for whom, and how much of it one party may take; they may be replaced.
        stopping: whether no exchange may be opened any more.
    """

    def __init__(self, limits: Relay, recorder: Recorder | None = None) -> None:
        self.limits = limits
        self._recorder = recorder
        self.stopping = False
        self._joined: Tally[str] = Tally()
        self._left = asyncio.Event()
        self._links: dict[str, Link] = {}
        self._exchanges: dict[str, Exchange] = {}
        self._call_ids = itertools.count(1)

    def attached(self, party: str) -> bool:
        """Tell whether a party's link is up."""
        return party in self._links

    @property
    def running(self) -> int:
        """How many exchanges are open."""
        return len(self._exchanges)

    def attach(self, party: str) -> Link:
        """Register a node's link in place of an earlier one, which still brings the answers that are due."""
        earlier = self._links.pop(party, None)
        link = self._links[party] = Link(party)
        if earlier is not None:
            earlier.retire()
        ATTACHED.set(len(self._links))
        return link

    def detach(self, link: Link) -> None:
        """Forget a link that has ended, and the exchanges that its party was about to join."""
        link.close()
        if self._links.get(link.party) is not link:
            return
        for found in list(self._exchanges.values()):
            ends = (found.asker, found.answerer)
            if any(end.party == link.party and not end.joined.is_set() for end in ends):
                self._lose(found)
        del self._links[link.party]
        ATTACHED.set(len(self._links))

    def notify(self, message: pb.LinkDown) -> None:
        """Send one message down every link."""
        for link in list(self._links.values()):
            link.send(message)

    async def call(self, caller: str, request: pb.CallRequest) -> bytes:
        """Pass a call to another party's node and wait for its answer.

        Raises:
            UnreachableError: the party's node is not attached, or went away.
            TimedOutError: it did not answer in time.
            TrisectError: it answered with an error, which is raised as its word.
        """
        link = self._links.get(request.to)
        if link is None:
            raise offline(request.to)
        call_id = next(self._call_ids)
        self._record(request.body)
        incoming = pb.IncomingCall(
            call_id=call_id,
            method=request.method,
            exchange_id=request.exchange_id,
            body=request.body,
            **{"from": caller},
        )
        # An answerer joins while its acceptance is still on the way, so the exchange is open from the offer on.
        offered = self._open(request, caller) if request.method == pb.PEER_METHOD_OFFER else None
        future: asyncio.Future[pb.CallAnswer] = asyncio.get_running_loop().create_future()
        link.waiting[call_id] = future
        accepted = False
        try:
            link.send(pb.LinkDown(call=incoming))
            async with asyncio.timeout(self.limits.call_timeout_s):
                answer = await future
            accepted = answer.accepted
        except TimeoutError as error:
            raise TimedOutError(f"the node of {request.to} did not answer in time") from error
        finally:
            link.settled(call_id)
            if offered is not None and not accepted:
                self._lose(offered)
        self._record(answer.body)
        if answer.HasField("error"):
            # Nobody has signed it: a node that words an error as the relay's own must not speak for the relay.
            raise restore(answer.error, said_by=f"the node of {request.to}")
        return answer.body

    def answer(self, link: Link, answer: pb.CallAnswer) -> None:
        """Take a node's answer to a call; one that nobody waits for any more is dropped."""
        future = link.waiting.get(answer.call_id)
        if future is not None and not future.done():
            future.set_result(answer)

    def judged(self, exchange_id: str, asker: str, answerer: str) -> None:
        """Take note that a permit is about to be signed for an offer that waits for its answer; once only.

        Raises:
            DeniedError: no such offer waits between these two, or it has had its permit.
        """
        found = self._exchanges.get(exchange_id)
        if found is None or (found.asker.party, found.answerer.party) != (asker, answerer):
            raise DeniedError(
                "no such offer waits for its answer in the relay",
                hint="a permit is for an offer that has just come",
            )
        if found.judged:
            raise DeniedError("this exchange has had its permit", hint="a permit is used once; offer anew")
        found.judged = True

    def permit(self, exchange_id: str, sizes: int) -> None:
        """Let frames of an exchange pass whose permit has been signed, as many as sets of those sizes need."""
        found = self._exchanges.get(exchange_id)
        if found is not None:
            found.permitted = sizes + sizes // _PROBES_PER + FEW_ELEMENTS

    async def exchange(
        self, party: str, exchange_id: str, incoming: AsyncIterator[pb.Frame]
    ) -> AsyncIterator[pb.Frame]:
        """Join one end of an exchange; pass its frames on and yield those of the other end.

        Raises:
            DeniedError: no such exchange was accepted or permitted, it is between others, or this end has joined.
            ExhaustedError: the party has joined as many as it may.
            UnreachableError: the other end did not come, or was lost.
            TimedOutError: no frame passed for too long.
        """
        found = self._exchanges.get(exchange_id)
        if found is None:
            raise DeniedError("the relay has no such exchange", hint="offer it first, and join in time")
        own, peer = found.sides(party)
        if not found.permitted:
            raise DeniedError(
                "this exchange has no permit", hint="the answerer asks for one before it accepts"
            )
        if own.joined.is_set():
            raise DeniedError("this end of the exchange has joined before", hint="start the match again")
        # A stream counts until it has ended: one whose node does not read lasts longer than its exchange.
        if self._joined[party] >= self.limits.max_exchanges_per_party:
            raise _too_many(party, self._joined[party], "is in")
        self._joined[party] += 1
        own.joined.set()
        pump = asyncio.create_task(self._pump(found, own, peer, incoming), name=f"pump {exchange_id}")
        finished = False
        try:
            await self._wait_for(peer)
            while (frame := await peer.unless_lost(own.frames.get())) is not None:
                yield frame
            await peer.unless_lost(pump)
            finished = True
        finally:
            self._joined -= Tally({party: 1})
            self._left.set()
            pump.cancel()
            if not finished:
                own.lost.set()
            self._leave(found, own, peer)
            await asyncio.gather(pump, return_exceptions=True)

    def drop(self, party: str) -> None:
        """End all exchanges of a party, as when it is suspended."""
        for found in list(self._exchanges.values()):
            if party in {found.asker.party, found.answerer.party}:
                self._lose(found)

    async def ended(self, within_s: float) -> None:
        """Open no exchange any more, and wait until all have ended, or for so many seconds."""
        self.stopping = True
        try:
            async with asyncio.timeout(within_s):
                while self._exchanges or self._joined:
                    self._left.clear()
                    await self._left.wait()
        except TimeoutError:
            _log.warning("the relay stops in the middle of exchanges", extra={"exchanges": self.running})

    def close(self) -> None:
        """End all exchanges and links."""
        for found in list(self._exchanges.values()):
            self._lose(found)
        for link in list(self._links.values()):
            link.close()

    def _open(self, request: pb.CallRequest, asker: str) -> Exchange:
        exchange_id = request.exchange_id.hex()
        if self.stopping:
            raise UnreachableError("the coordinator is being stopped", hint="try again when it is back")
        if exchange_id in self._exchanges:
            raise ConflictError(
                "the relay has this exchange already", hint="start the match again, which makes a new id"
            )
        # Only what a party asks counts: else its peers could use its places up by their offers.
        asked = sum(found.asker.party == asker for found in self._exchanges.values())
        if asked >= self.limits.max_exchanges_per_party:
            raise _too_many(asker, asked, "asked for")
        if len(self._exchanges) >= MAX_OPEN_EXCHANGES:
            raise ExhaustedError("the relay has too many exchanges open", hint="try again later")
        loop = asyncio.get_running_loop()
        found = Exchange(exchange_id, End(asker), End(request.to), loop.time())
        self._exchanges[exchange_id] = found
        OPEN.set(len(self._exchanges))
        loop.call_later(self.limits.pair_timeout_s, self._expire, found)
        loop.call_later(self.limits.idle_timeout_s, self._end_idle, found)
        return found

    def _end_idle(self, found: Exchange) -> None:
        """End an exchange over which no frame has passed for too long; look again later at any other."""
        if self._exchanges.get(found.id) is not found:
            return
        loop = asyncio.get_running_loop()
        idle_s = self.limits.idle_timeout_s
        left_s = found.moved_at + idle_s - loop.time()
        if left_s > 0:
            loop.call_later(left_s, self._end_idle, found)
            return
        cause = TimedOutError(f"no frame of the exchange has passed the relay for {idle_s:.0f} s")
        found.asker.cause = found.answerer.cause = cause
        _log.warning("an exchange fell silent and was ended", extra={"exchange_id": found.id})
        self._lose(found)

    def _expire(self, found: Exchange) -> None:
        if not (found.asker.joined.is_set() and found.answerer.joined.is_set()):
            self._lose(found)

    def _lose(self, found: Exchange) -> None:
        found.asker.lost.set()
        found.answerer.lost.set()
        self._close(found)

    async def _wait_for(self, peer: End) -> None:
        try:
            async with asyncio.timeout(self.limits.pair_timeout_s):
                await peer.unless_lost(peer.joined.wait())
        except TimeoutError as error:
            raise UnreachableError(f"the node of {peer.party} did not join the exchange") from error

    async def _pump(self, found: Exchange, own: End, peer: End, incoming: AsyncIterator[pb.Frame]) -> None:
        """Pass frames on; where that fails neither end waits for the other any longer."""
        passed = False
        loop = asyncio.get_running_loop()
        try:
            async for frame in incoming:
                size = len(frame.sealed)
                own.sent_frames += 1
                own.sent_bytes += size
                own.sent_elements += frame.elements
                if own.sent_elements > found.permitted:
                    own.cause = peer.cause = DeniedError(
                        f"{own.party} has declared more elements than the permit of this exchange has",
                        hint="start the match again; where that recurs, tell the government",
                    )
                    raise own.cause
                FRAMES.inc()
                BYTES.inc(size)
                self._record(frame.sealed)
                async with asyncio.timeout(self.limits.write_timeout_s):
                    await peer.frames.put(frame)
                found.moved_at = loop.time()
            async with asyncio.timeout(self.limits.write_timeout_s):
                await peer.frames.put(None)
            passed = True
        except TimeoutError as error:
            raise TimedOutError(f"the node of {peer.party} took no frame in time") from error
        finally:
            if not passed:
                own.lost.set()
                peer.lost.set()

    def _leave(self, found: Exchange, own: End, peer: End) -> None:
        _log.info(
            "one end of an exchange has left the relay",
            extra={
                "exchange_id": found.id,
                "party": own.party,
                "peer": peer.party,
                "frames": own.sent_frames,
                "bytes": own.sent_bytes,
                "elements": own.sent_elements,
                "lost": own.lost.is_set(),
            },
        )
        own.joined.set()
        self._close(found)

    def _close(self, found: Exchange) -> None:
        self._exchanges.pop(found.id, None)
        self._left.set()
        OPEN.set(len(self._exchanges))

    def _record(self, data: bytes) -> None:
        if self._recorder is not None:
            self._recorder.record(data)


def _too_many(party: str, count: int, what: str) -> ExhaustedError:
    return ExhaustedError(
        f"the relay has {count} exchanges open that {party} {what}, the most that one party may have",
        hint="wait until some have ended; relay.max_exchanges_per_party at the coordinator sets it",
    )
