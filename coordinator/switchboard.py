"""The relay without its wire: who is attached, calls between nodes, and the frames of exchanges.

It looks at no body and no frame beyond what its header declares. An exchange is open only between the two
ends of an offer that was accepted, once, and for one attempt. Not here: gRPC, and who is a member.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from prometheus_client import Counter, Gauge

from trisect.errors import ConflictError, DeniedError, TimedOutError, UnreachableError
from trisect.rpc.status import restore
from trisect.wire.v1 import relay_pb2 as pb

_log = logging.getLogger(__name__)
T = TypeVar("T")
LINK_QUEUE = 256
FRAME_QUEUE = 8
MAX_OPEN_EXCHANGES = 10_000

FRAMES = Counter("trisect_relay_frames", "Sealed frames passed on.")
BYTES = Counter("trisect_relay_bytes", "Sealed bytes passed on.")
ATTACHED = Gauge("trisect_relay_attached", "Nodes whose link is up.")
OPEN = Gauge("trisect_relay_exchanges", "Exchanges that are open in the relay.")


class Recorder(Protocol):
    """Keeps a copy of all that passes; the demo's only."""

    def record(self, data: bytes) -> None:
        """Keep these bytes."""


class Link:
    """One node's long-lived link: what is to be sent down, and calls that wait for its answers."""

    def __init__(self, party: str) -> None:
        self.party = party
        self.down: asyncio.Queue[pb.LinkDown | None] = asyncio.Queue(LINK_QUEUE)
        self.waiting: dict[int, asyncio.Future[pb.CallAnswer]] = {}

    def send(self, message: pb.LinkDown) -> None:
        """Queue a message; a node that does not read loses its link."""
        try:
            self.down.put_nowait(message)
        except asyncio.QueueFull:
            self.close()

    def close(self) -> None:
        """End the link and fail what waits for it."""
        while not self.down.empty():
            self.down.get_nowait()
        self.down.put_nowait(None)
        for future in self.waiting.values():
            if not future.done():
                future.set_exception(offline(self.party))


@dataclass(slots=True)
class _End:
    """One end of an exchange: the frames that are to reach it."""

    party: str
    frames: asyncio.Queue[pb.Frame | None] = field(default_factory=lambda: asyncio.Queue(FRAME_QUEUE))
    joined: asyncio.Event = field(default_factory=asyncio.Event)
    lost: asyncio.Event = field(default_factory=asyncio.Event)
    sent_frames: int = 0
    sent_bytes: int = 0
    sent_elements: int = 0


@dataclass(slots=True)
class _Exchange:
    """One accepted exchange between its two ends."""

    id: str
    asker: _End
    answerer: _End

    def sides(self, party: str) -> tuple[_End, _End]:
        """Give this party's end and the other."""
        if party == self.asker.party:
            return self.asker, self.answerer
        if party == self.answerer.party:
            return self.answerer, self.asker
        raise DeniedError("this exchange is between other parties")


class Switchboard:
    """Everything that the relay knows, in memory: a restart ends all exchanges."""

    def __init__(
        self,
        *,
        pair_timeout_s: float,
        call_timeout_s: float,
        write_timeout_s: float,
        recorder: Recorder | None,
    ) -> None:
        self._pair_timeout_s = pair_timeout_s
        self._call_timeout_s = call_timeout_s
        self._write_timeout_s = write_timeout_s
        self._recorder = recorder
        self._links: dict[str, Link] = {}
        self._exchanges: dict[str, _Exchange] = {}
        self._call_ids = itertools.count(1)

    def attached(self, party: str) -> bool:
        """Tell whether a party's link is up."""
        return party in self._links

    @property
    def running(self) -> int:
        """How many exchanges are open."""
        return len(self._exchanges)

    def attach(self, party: str) -> Link:
        """Register a node's link in place of an earlier one."""
        earlier = self._links.pop(party, None)
        if earlier is not None:
            earlier.close()
        link = self._links[party] = Link(party)
        ATTACHED.set(len(self._links))
        return link

    def detach(self, link: Link) -> None:
        """Forget a link that has ended, and the exchanges that its party was about to join."""
        link.close()
        for found in list(self._exchanges.values()):
            ends = (found.asker, found.answerer)
            if any(end.party == link.party and not end.joined.is_set() for end in ends):
                self._lose(found)
        if self._links.get(link.party) is link:
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
            answer = await asyncio.wait_for(future, self._call_timeout_s)
            accepted = answer.accepted
        except TimeoutError as error:
            raise TimedOutError(f"the node of {request.to} did not answer in time") from error
        finally:
            link.waiting.pop(call_id, None)
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

    async def exchange(
        self, party: str, exchange_id: str, incoming: AsyncIterator[pb.Frame]
    ) -> AsyncIterator[pb.Frame]:
        """Join one end of an exchange; pass its frames on and yield those of the other end.

        Raises:
            DeniedError: no such exchange was accepted, it is between others, or this end has joined before.
            UnreachableError: the other end did not come, or was lost.
        """
        found = self._exchanges.get(exchange_id)
        if found is None:
            raise DeniedError("the relay has no such exchange", hint="offer it first, and join in time")
        own, peer = found.sides(party)
        if own.joined.is_set():
            raise DeniedError("this end of the exchange has joined before")
        own.joined.set()
        pump = asyncio.create_task(self._pump(own, peer, incoming), name=f"pump {exchange_id}")
        finished = False
        try:
            await self._wait_for(peer)
            while (frame := await _unless_lost(own.frames.get(), peer)) is not None:
                yield frame
            await _unless_lost(pump, peer)
            finished = True
        finally:
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

    def _open(self, request: pb.CallRequest, asker: str) -> _Exchange:
        exchange_id = request.exchange_id.hex()
        if exchange_id in self._exchanges or len(self._exchanges) >= MAX_OPEN_EXCHANGES:
            raise ConflictError("the relay has this exchange already, or too many others")
        found = self._exchanges[exchange_id] = _Exchange(exchange_id, _End(asker), _End(request.to))
        OPEN.set(len(self._exchanges))
        asyncio.get_running_loop().call_later(self._pair_timeout_s, self._expire, found)
        return found

    def _expire(self, found: _Exchange) -> None:
        if not (found.asker.joined.is_set() and found.answerer.joined.is_set()):
            self._lose(found)

    def _lose(self, found: _Exchange) -> None:
        found.asker.lost.set()
        found.answerer.lost.set()
        self._close(found)

    async def _wait_for(self, peer: _End) -> None:
        try:
            await asyncio.wait_for(_unless_lost(peer.joined.wait(), peer), self._pair_timeout_s)
        except TimeoutError as error:
            raise UnreachableError(f"the node of {peer.party} did not join the exchange") from error

    async def _pump(self, own: _End, peer: _End, incoming: AsyncIterator[pb.Frame]) -> None:
        """Pass frames on; where that fails neither end waits for the other any longer."""
        passed = False
        try:
            async for frame in incoming:
                size = len(frame.sealed)
                own.sent_frames += 1
                own.sent_bytes += size
                own.sent_elements += frame.elements
                FRAMES.inc()
                BYTES.inc(size)
                self._record(frame.sealed)
                await asyncio.wait_for(peer.frames.put(frame), self._write_timeout_s)
            await asyncio.wait_for(peer.frames.put(None), self._write_timeout_s)
            passed = True
        except TimeoutError as error:
            raise TimedOutError(f"the node of {peer.party} took no frame in time") from error
        finally:
            if not passed:
                own.lost.set()
                peer.lost.set()

    def _leave(self, found: _Exchange, own: _End, peer: _End) -> None:
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

    def _close(self, found: _Exchange) -> None:
        self._exchanges.pop(found.id, None)
        OPEN.set(len(self._exchanges))

    def _record(self, data: bytes) -> None:
        if self._recorder is not None:
            self._recorder.record(data)


def offline(party: str) -> UnreachableError:
    """Say that a party's node cannot be reached."""
    return UnreachableError(
        f"the node of {party} is offline", hint=f"ask {party} to start its node, and try again"
    )


async def _unless_lost(work: Awaitable[T], peer: _End) -> T:
    """Wait for something, but no longer than the other end is there."""
    doing = asyncio.ensure_future(work)
    losing = asyncio.ensure_future(peer.lost.wait())
    try:
        await asyncio.wait({doing, losing}, return_when=asyncio.FIRST_COMPLETED)
        if not doing.done():
            raise UnreachableError(f"the connection to {peer.party} was lost in the middle of the exchange")
        return doing.result()
    finally:
        doing.cancel()
        losing.cancel()
