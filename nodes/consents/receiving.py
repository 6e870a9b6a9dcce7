"""What a node does with the frames in which proxies tell it of consents.

The answer tells what has been taken in up to then; the frame is taken in afterwards. So it comes as soon whether the
frame holds anything or not, and nobody between can tell whom it concerns.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from contextlib import suppress
from dataclasses import replace

from nodes.consents.replay import Replay
from nodes.link import Link
from nodes.members import Members
from nodes.peppers import Peppers
from trisect.clock import Clock
from trisect.errors import DeniedError, TrisectError
from trisect.rules.consent_frames import Frame, Reply
from trisect.store.consents import Consents
from trisect.trust.statements import Role, Standing
from trisect.wire.v1 import relay_pb2

_log = logging.getLogger(__name__)
MOST_WAITING = 512
"""Frames that have come and are not taken in yet."""


class Receiving:
    """Takes in consents and their withdrawals at one node.

    Args:
        members: tells who is a proxy, and its key.
        link: has this node's keys.
        consents: keeps what was told.
        peppers: held still while entries are suppressed.
        replay: is told how far the node is.
        clock: tells when something took effect.
    """

    def __init__(
        self,
        members: Members,
        link: Link,
        consents: Consents,
        peppers: Peppers,
        replay: Replay,
        clock: Clock,
    ) -> None:
        self._members = members
        self._link = link
        self._consents = consents
        self._peppers = peppers
        self._replay = replay
        self._clock = clock
        self._waiting: asyncio.Queue[Frame] = asyncio.Queue(MOST_WAITING)
        self._ahead: deque[Frame] = deque(maxlen=MOST_WAITING)
        """Of those, what takes effect before its turn; where there are more, the proxy tells the oldest again."""

    async def on_frame(self, call: relay_pb2.IncomingCall) -> bytes:
        """Answer a proxy's frame with what was taken in before it.

        Raises:
            DeniedError: the caller is no proxy, or expelled.
            VerificationError: it is not the proxy's frame to this party.
        """
        membership = self._members.membership
        proxy = membership.party(getattr(call, "from"))
        if proxy.role is not Role.PROXY or proxy.standing is Standing.EXPELLED:
            raise DeniedError(
                "only a proxy that is not expelled tells of consents", hint="a government admits proxies"
            )
        keys, own = self._link.keys, self._members.name
        consortium = membership.consortium
        frame = await asyncio.to_thread(
            Frame.open, call.body, keys.sealing, consortium, proxy.name, own, proxy.keys.identity
        )
        effects = await asyncio.to_thread(self._consents.effects, proxy.name, after=frame.acknowledged)
        cursor = self._replay.cursor(proxy.name)
        told = tuple(effect for effect in effects if effect.sequence <= cursor)
        if frame.withdrawn:
            self._ahead.append(frame)
        with suppress(asyncio.QueueFull):  # what does not fit comes again at the proxy's next tick
            self._waiting.put_nowait(frame)
        reply = Reply(consortium, proxy.name, own, cursor, told)
        return await asyncio.to_thread(reply.seal, keys.identity, proxy.keys.sealing)

    async def run(self) -> None:
        """Take in what has come, until cancelled."""
        while True:
            frame = await self._waiting.get()
            while self._ahead:
                await self._try(replace(self._ahead.popleft(), events=(), upto=0))
            await self._try(frame)

    async def _try(self, frame: Frame) -> None:
        try:
            await self.take(frame)
        except TrisectError as error:  # the proxy tells it again at its next tick
            _log.warning(
                "consents could not be taken in", extra={"peer": frame.proxy, "reason": error.message}
            )

    async def take(self, frame: Frame) -> None:
        """Take in a verified frame; it is durable when this returns."""
        async with self._peppers.held():
            now = self._clock()
            new = await asyncio.to_thread(
                self._consents.take,
                frame.proxy,
                frame.events,
                frame.withdrawn,
                after=frame.after,
                upto=frame.upto,
                now=now,
            )
        if new:
            self._replay.heard(frame.proxy, frame.upto)
            _log.info(
                "consents were taken in",
                extra={"peer": frame.proxy, "upto": frame.upto, "events": len(frame.events)},
            )
