"""A node's one outbound connection: the link to the coordinator, kept up, and renewed certificates.

Everything that a node says to the coordinator or, through it, to a peer goes out here. The link comes back by
itself after a loss. Not here: what calls and statements mean.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import grpc.aio
from prometheus_client import Gauge

from nodes.keys import NodeKeys
from nodes.times import Times
from trisect import __version__
from trisect.clock import Clock
from trisect.errors import TrisectError
from trisect.rpc import tls
from trisect.rpc.status import RemoteBugError, detail, translated
from trisect.trust import certificates
from trisect.trust.certificates import Principal, TlsIdentity
from trisect.wire.v1 import (
    directory_pb2_grpc,
    enrolment_pb2,
    enrolment_pb2_grpc,
    record_pb2_grpc,
    relay_pb2,
    relay_pb2_grpc,
)

_log = logging.getLogger(__name__)
UP = Gauge("trisect_link_up", "Whether the link to the coordinator is up.")
RENEW_AFTER = 2 / 3
RENEW_CHECK_S = 5.0
_FIRST_WAIT_S = 0.2
_LONGEST_WAIT_S = 3.0
_CLOSE_GRACE_S = 86_400.0

OnCall = Callable[[relay_pb2.IncomingCall], Awaitable[tuple[bytes, bool]]]
"""Handles a peer's call; gives the reply's body and whether it accepts an offer."""


class Link:
    """The connection of one party's node.

    Args:
        address: the coordinator's HOST:PORT.
        whom: this party's principal.
        keys: the node's keys; `change_keys` replaces and saves them.
        home: where the keystore is.
        clock: tells the time.
        call_timeout_s: how long a peer may take to answer; may be changed.

    Attributes:
        seen_head: gives the newest head of the record that the node has verified, which the coordinator is told.
    """

    def __init__(
        self,
        address: str,
        whom: Principal,
        keys: NodeKeys,
        home: Path,
        *,
        clock: Clock,
        call_timeout_s: float,
    ) -> None:
        self._address = address
        self._whom = whom
        self._home = home
        self._clock = clock
        self.call_timeout_s = call_timeout_s
        self.keys = keys
        self.times = Times(clock)
        self._channel = self._open()
        self._retired: set[asyncio.Task[None]] = set()
        self._answers: set[asyncio.Task[None]] = set()
        self._saves: set[asyncio.Task[None]] = set()
        self._saving = asyncio.Lock()
        self._renewed = asyncio.Event()
        self.connected = False
        self.detail = "not connected yet"
        self.statements_changed = asyncio.Event()
        self.head_signed = asyncio.Event()
        self.came_up = asyncio.Event()
        self.seen_head: Callable[[], str] = str

    @property
    def directory(self) -> directory_pb2_grpc.DirectoryStub:
        """The coordinator's directory."""
        return directory_pb2_grpc.DirectoryStub(self._channel)

    @property
    def record(self) -> record_pb2_grpc.RecordStub:
        """The coordinator's public record."""
        return record_pb2_grpc.RecordStub(self._channel)

    @property
    def _relay(self) -> relay_pb2_grpc.RelayStub:
        return relay_pb2_grpc.RelayStub(self._channel)

    async def run(self, on_call: OnCall) -> None:
        """Keep the link up until cancelled."""
        wait_s = _FIRST_WAIT_S
        while True:
            cause, known = "", self.detail
            try:
                async with self.translated():
                    await self._stay_attached(on_call)
                self.detail = "the coordinator closed the link"
            except TrisectError as error:
                self.detail = f"{error.message}; {error.hint}" if error.hint else error.message
                cause = _transport(error)
            if self.connected:
                wait_s = _FIRST_WAIT_S
            if self.connected or self.detail != known:
                _log.warning(
                    "the link to the coordinator is down", extra={"reason": self.detail, "cause": cause}
                )
            self._set_connected(up=False)
            await asyncio.sleep(wait_s * random.uniform(0.5, 1.0))  # noqa: S311  (spreads load, no secret)
            wait_s = min(wait_s * 2, _LONGEST_WAIT_S)

    async def call(
        self, to: str, method: relay_pb2.PeerMethod.ValueType, exchange_id: bytes, body: bytes
    ) -> bytes:
        """Call another party's node and wait for its reply.

        Raises:
            UnreachableError: the coordinator or the peer's node is not there.
        """
        request = relay_pb2.CallRequest(to=to, method=method, exchange_id=exchange_id, body=body)
        async with self.translated():
            reply = await self._relay.Call(request, timeout=self.call_timeout_s)
        return reply.body

    async def deliver(self, to: str, frame: bytes) -> bytes:
        """Send another party's node a frame of consents; gives its answer, which is as large.

        Raises:
            UnreachableError: the coordinator or the party's node is not there.
        """
        async with self.translated():
            reply = await self._relay.Deliver(
                relay_pb2.DeliverRequest(to=to, frame=frame), timeout=self.call_timeout_s
            )
        return reply.frame

    async def notify(self, to: str, frame: bytes) -> bytes:
        """Send another party's node a frame of stale hits; gives its answer, which is as large.

        Raises:
            UnreachableError: the coordinator or the party's node is not there.
        """
        async with self.translated():
            reply = await self._relay.Notify(
                relay_pb2.NotifyRequest(to=to, frame=frame), timeout=self.call_timeout_s
            )
        return reply.frame

    async def issue_permit(self, offer: bytes, permit: bytes) -> bytes:
        """Have the coordinator judge and sign a permit; gives it with both signatures.

        Raises:
            DeniedError: the coordinator judges otherwise, or the asker's budget does not suffice.
            UnreachableError: it is away.
        """
        request = relay_pb2.IssuePermitRequest(offer=offer, permit=permit)
        async with self.translated():
            reply = await self._relay.IssuePermit(request, timeout=self.call_timeout_s)
        return reply.permit

    async def enter_receipt(self, receipt: bytes) -> None:
        """Have the coordinator commit in the public record to this party's receipt of an exchange.

        Raises:
            NotFoundError: the record has no permit of that exchange.
            DeniedError: it comes too late.
            ConflictError: another receipt of this end stands there.
            UnreachableError: the coordinator is away, or takes nothing new in now.
        """
        async with self.translated():
            await self._relay.EnterReceipt(
                relay_pb2.EnterReceiptRequest(receipt=receipt), timeout=self.call_timeout_s
            )

    def exchange(self, exchange_id: bytes) -> grpc.aio.StreamStreamCall[relay_pb2.Frame, relay_pb2.Frame]:
        """Open this end of an accepted exchange."""
        return self._relay.Exchange(metadata=(("trisect-exchange", exchange_id.hex()),))

    async def renew_in_time(self) -> None:
        """Renew the certificate when two thirds of its life are over, until cancelled."""
        while True:
            start, end = certificates.validity(self.keys.tls.certificate)
            if self._clock() >= start + (end - start) * RENEW_AFTER:
                try:
                    await self._renew()
                except TrisectError as error:
                    _log.warning("the certificate could not be renewed", extra={"reason": error.message})
            await asyncio.sleep(RENEW_CHECK_S)

    async def change_keys(self, change: Callable[[NodeKeys], NodeKeys]) -> None:
        """Change the keys, which are saved before they count.

        One change follows another, and one that was begun is done even where nobody waits for it any more.

        Raises:
            ExhaustedError: they cannot be saved; the former ones stay.
        """
        task = asyncio.create_task(self._change_keys(change), name="save the keys")
        self._saves.add(task)
        task.add_done_callback(self._saves.discard)
        await asyncio.shield(task)

    @asynccontextmanager
    async def translated(self) -> AsyncIterator[None]:
        """Raise our errors for what a call to the coordinator raises, with the reason where it is known here.

        What it answers is told as its word: nobody has signed that, whomever it is about.
        """
        try:
            async with translated("the coordinator", quoted=True):
                yield
        except TrisectError as error:
            raise self.times.explained(error, self.keys.tls.certificate) from error.__cause__

    async def close(self) -> None:
        """Close every channel."""
        for task in (*self._retired, *self._answers):
            task.cancel()
        await self._channel.close(None)

    async def _change_keys(self, change: Callable[[NodeKeys], NodeKeys]) -> None:
        async with self._saving:
            changed = change(self.keys)
            await asyncio.to_thread(changed.save, self._home)
            self.keys = changed

    def _open(self) -> grpc.aio.Channel:
        return tls.coordinator_channel(self._address, self.keys.authority, self.keys.tls)

    async def _stay_attached(self, on_call: OnCall) -> None:
        """Be attached until the link is lost, by a new stream as often as the certificate was renewed.

        The coordinator ends a stream with the certificate that it came with. It sends calls down the newest one,
        and ends a former one when the calls that went down there are answered.
        """
        streams: list[asyncio.Task[None]] = []
        try:
            while True:
                self._renewed.clear()
                newest = asyncio.create_task(self._attach(on_call), name="attach to the coordinator")
                newest.add_done_callback(_note_error)
                streams = [*(stream for stream in streams if not stream.done()), newest]
                await _first_of(newest, self._renewed)
                if newest.done():
                    newest.result()
                    return
        finally:
            for stream in streams:
                stream.cancel()
            await asyncio.gather(*streams, return_exceptions=True)

    async def _attach(self, on_call: OnCall) -> None:
        up: asyncio.Queue[relay_pb2.LinkUp] = asyncio.Queue()
        hello = relay_pb2.Hello(version=__version__, head=self.seen_head())
        up.put_nowait(relay_pb2.LinkUp(hello=hello))
        stream = self._relay.Attach(_drain(up))
        try:
            async for message in stream:
                match message.WhichOneof("kind"):
                    case "welcome":
                        self._set_connected(up=True)
                        self.statements_changed.set()
                        self.head_signed.set()
                    case "head_signed":
                        self.head_signed.set()
                    case "statements_changed":
                        self.statements_changed.set()
                    case "call":
                        task = asyncio.create_task(
                            _answer(on_call, message.call, up),
                            name=f"answer a call of {getattr(message.call, 'from')}",
                        )
                        self._answers.add(task)
                        task.add_done_callback(self._answers.discard)
                    case _:
                        _log.warning("the coordinator sent a message that this version does not know")
        finally:
            stream.cancel()

    def _set_connected(self, *, up: bool) -> None:
        self.connected = up
        UP.set(up)
        if up:
            self.detail = "connected"
            self.came_up.set()
            _log.info("the link to the coordinator is up")

    async def _renew(self) -> None:
        key = certificates.new_tls_key()
        request = certificates.signing_request(key)
        stub = enrolment_pb2_grpc.EnrolmentStub(self._channel)
        async with self.translated():
            reply = await stub.Renew(
                enrolment_pb2.RenewRequest(
                    signing_request=request, proof=self.keys.identity.private.sign(request)
                ),
                timeout=self.call_timeout_s,
            )
        certificates.check_issued(reply.certificate, self.keys.authority, key, self._whom)
        await self.change_keys(lambda keys: keys.with_tls(TlsIdentity(key, reply.certificate)))
        former, self._channel = self._channel, self._open()
        self._renewed.set()
        # Calls that run stay on the former channel until they end; the link moves to the new one.
        task = asyncio.create_task(_retire(former), name="retire a channel")
        self._retired.add(task)
        task.add_done_callback(self._retired.discard)
        _log.info("the certificate was renewed")


def _transport(error: TrisectError) -> str:
    """Tell what gRPC says of a lost connection: addresses and protocol codes, nothing of ours."""
    cause = error.__cause__
    return (cause.details() or "") if isinstance(cause, grpc.aio.AioRpcError) else ""


async def _first_of(task: asyncio.Task[None], event: asyncio.Event) -> None:
    """Wait until a task has ended, however it did, or an event is set."""
    waiting = asyncio.ensure_future(event.wait())
    try:
        await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()


def _note_error(task: asyncio.Task[None]) -> None:
    """Take an error for known: nobody waits for a former stream."""
    if not task.cancelled():
        task.exception()


async def _retire(channel: grpc.aio.Channel) -> None:
    await channel.close(_CLOSE_GRACE_S)


async def _drain(queue: asyncio.Queue[relay_pb2.LinkUp]) -> AsyncIterator[relay_pb2.LinkUp]:
    while True:
        yield await queue.get()


async def _answer(on_call: OnCall, call: relay_pb2.IncomingCall, up: asyncio.Queue[relay_pb2.LinkUp]) -> None:
    answer = relay_pb2.CallAnswer(call_id=call.call_id)
    try:
        answer.body, answer.accepted = await on_call(call)
    except TrisectError as error:
        answer.error.CopyFrom(detail(error))
    except Exception:  # noqa: BLE001  the task has nobody else to tell; the peer gets an error without details
        _log.exception("a peer's call failed in a way nobody foresaw")
        answer.error.CopyFrom(detail(RemoteBugError("the peer's node failed; its log tells why")))
    with suppress(asyncio.QueueFull):
        up.put_nowait(relay_pb2.LinkUp(answer=answer))
