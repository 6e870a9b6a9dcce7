"""One exchange in motion: session, worker and sealed frames, joined.

Four tasks: one reads frames from the relay, one computes in order on the worker, one seals and writes, one
watches for silence. Each waits for the others only through queues, so that both ends compute at the same time
and none blocks the other. Not here: what was agreed before, and what follows from the result.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import TypeAlias

import grpc
import grpc.aio

from nodes.workers import Worker
from trisect.errors import TimedOutError, TrisectError, UnreachableError, VerificationError
from trisect.psi import messages
from trisect.psi.halves import Action, Compute, Finished, Operation, Send, Tally
from trisect.psi.sessions import Session
from trisect.rpc.status import translated
from trisect.rules.offers import COMMITMENT_BYTES
from trisect.trust.channel import Frame, Opener, Sealer
from trisect.wire.v1 import relay_pb2

Stream: TypeAlias = "grpc.aio.StreamStreamCall[relay_pb2.Frame, relay_pb2.Frame]"
WATCH_EVERY_S = 1.0
SENT_AHEAD = 8
"""Frames that are ready to be written; computing waits for a peer that takes them more slowly."""
_COUNTED = {*(Operation.REQUEST, Operation.INTERSECT, Operation.SETUP, Operation.RESPOND, Operation.EVALUATE)}


@dataclass(slots=True)
class Progress:
    """How far an exchange is, for whoever watches it."""

    elements_total: int = 0
    elements_done: int = 0
    bytes_sent: int = 0
    bytes_received: int = 0
    phase: str = "offered"


@dataclass(slots=True)
class Running:
    """An exchange between handshake and result.

    Args:
        session: this end's state machine.
        staff: lends a worker loaded with this end's items, once there is work.
        stream: joined at the relay.
        sealer: of this end's direction.
        opener: of the other direction.
        progress: kept up to date.
        after_first: called when the peer's first frame has been opened, before anything is computed of it.
        before_final: called when this end's final frame is sealed and before it is written, so that what it
            records is there when the peer sees the end.
        commitment: gives what this end commits to of its snapshot, 32 bytes, which its final frame ends with.
        tally: turns what an answerer has counted into what follows for the asker.
        idle_s: longest silence of the peer while nothing is left to compute here.
        total_s: longest time for the whole exchange.
        write_s: longest time for one frame, and for the last ones to arrive.

    Attributes:
        committed: what the peer's final frame has ended with; empty before.
    """

    session: Session
    staff: Callable[[], AbstractAsyncContextManager[Worker]]
    stream: Stream
    sealer: Sealer
    opener: Opener
    progress: Progress
    after_first: Callable[[], Awaitable[None]]
    before_final: Callable[[], Awaitable[None]]
    commitment: Callable[[], Awaitable[bytes]]
    tally: Callable[[int], Awaitable[list[Action]]]
    idle_s: float
    total_s: float
    write_s: float
    committed: bytes = b""
    _computing: asyncio.Queue[Compute] = field(default_factory=asyncio.Queue)
    _sending: asyncio.Queue[Send] = field(default_factory=lambda: asyncio.Queue(SENT_AHEAD))
    _finished: asyncio.Event = field(default_factory=asyncio.Event)
    _closed: asyncio.Event = field(default_factory=asyncio.Event)
    _busy: bool = False
    _committing: bool = False
    _begun: bool = False
    _heard_at: float = 0.0
    _result: Finished = field(default_factory=Finished)

    async def run(self) -> Finished:
        """Run until both directions are closed and the session has finished; gives what this end learns.

        Raises:
            VerificationError: the relay or the peer broke the protocol.
            UnreachableError: the connection was lost.
            TimedOutError: the peer or the relay fell silent.
            WorkerLostError: the worker process died.
        """
        self.progress.phase = "waiting for the peer"
        self._heard_at = asyncio.get_running_loop().time()
        await self._dispatch(self.session.start())
        try:
            async with asyncio.TaskGroup() as group:
                endless = [
                    group.create_task(self._compute(), name="compute"),
                    group.create_task(self._watch(), name="watch for silence"),
                ]
                reading = group.create_task(self._read(), name="read frames")
                group.create_task(self._write(), name="write frames")
                await self._finished.wait()
                await self._closed.wait()
                await asyncio.wait({reading})  # watched: a peer may leave its final frame out
                for task in endless:
                    task.cancel()
        except* TrisectError as errors:
            raise _first(errors) from None
        if not self.opener.finished:
            raise VerificationError("the session finished before the peer's final frame")
        await self._leave()
        return self._result

    async def _leave(self) -> None:
        """Let the relay end the stream, once the peer has taken all; to cancel would drop what is on its way."""
        with contextlib.suppress(TimeoutError, grpc.aio.AioRpcError):
            async with asyncio.timeout(self.write_s):
                await self.stream.read()

    async def _dispatch(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case Compute():
                    self._computing.put_nowait(action)
                case Send():
                    await self._sending.put(action)
                case Tally(found):
                    await self._dispatch(await self.tally(found))
                case Finished() as result:
                    self._result = result
                    self._finished.set()

    async def _read(self) -> None:
        loop = asyncio.get_running_loop()
        while not self.opener.finished:
            frame = await self._next_frame()
            self._heard_at = loop.time()
            self.progress.bytes_received += len(frame.sealed)
            plaintext = self.opener.open(frame)
            if not self._begun:
                self._begun = True
                await self.after_first()
            if self.opener.finished:
                plaintext, self.committed = plaintext[:-COMMITMENT_BYTES], plaintext[-COMMITMENT_BYTES:]
            messages.check_declared(plaintext, frame.elements)
            await self._dispatch(self.session.received(plaintext))

    async def _next_frame(self) -> Frame:
        async with translated("the coordinator"):
            found = await self.stream.read()
            if not isinstance(found, relay_pb2.Frame):
                await _raise_status(self.stream)
                raise UnreachableError(
                    "the connection ended before the peer's final frame",
                    hint="the peer or the coordinator went away; start the match again",
                )
        return Frame(found.sequence, found.elements, found.final, found.sealed)

    async def _compute(self) -> None:
        work = await self._computing.get()
        self._busy = True
        async with self.staff() as worker:
            self.progress.phase = "computing"
            while True:
                elements, matched = await worker.compute(work)
                if work.operation in _COUNTED:
                    self.progress.elements_done += work.count
                await self._dispatch(self.session.computed(work, elements, matched))
                self._busy = False
                work = await self._computing.get()
                self._busy = True

    async def _write(self) -> None:
        last = False
        while not last:
            message = await self._sending.get()
            last = message.last
            self._committing = last
            plaintext = message.plaintext + (await self.commitment() if last else b"")
            self._committing = False
            frame = self.sealer.seal(plaintext, elements=message.elements, final=last)
            if last:
                await self.before_final()
            await self._send(frame)
        async with translated("the coordinator"):
            await self.stream.done_writing()
        self._closed.set()

    async def _send(self, frame: Frame) -> None:
        self.progress.bytes_sent += len(frame.sealed)
        message = relay_pb2.Frame(
            sequence=frame.sequence, elements=frame.elements, final=frame.final, sealed=frame.sealed
        )
        try:
            async with asyncio.timeout(self.write_s):
                await self.stream.write(message)
        except TimeoutError as error:
            raise TimedOutError("the relay took no frame in time") from error
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError) as error:
            # A write into an ended stream fails before gRPC knows why it ended.
            raise UnreachableError("the connection was lost in the middle of the exchange") from error

    async def _watch(self) -> None:
        """Raise when the peer is silent for too long though it is its turn, or the whole takes too long."""
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + self.total_s
        while True:
            await asyncio.sleep(WATCH_EVERY_S)
            if self._busy or self._committing or self._computing.qsize():
                self._heard_at = loop.time()
            elif loop.time() - self._heard_at > self.idle_s:
                raise TimedOutError(f"the peer was silent for {self.idle_s:.0f} s")
            if loop.time() > ends_at:
                raise TimedOutError(f"the exchange has not ended within {self.total_s:.0f} s")


def _first(errors: BaseExceptionGroup[TrisectError]) -> TrisectError:
    """Choose among errors that came together: a broken protocol tells more than the loss that follows it."""
    found: list[TrisectError] = []

    def collect(group: BaseExceptionGroup[TrisectError]) -> None:
        for error in group.exceptions:
            collect(error) if isinstance(error, BaseExceptionGroup) else found.append(error)

    collect(errors)
    return min(found, key=lambda error: isinstance(error, UnreachableError))


async def _raise_status(stream: Stream) -> None:
    """Raise what ended a stream, if that was an error."""
    code = await stream.code()
    if code is not grpc.StatusCode.OK:
        raise grpc.aio.AioRpcError(
            code, await stream.initial_metadata(), await stream.trailing_metadata(), await stream.details()
        )
