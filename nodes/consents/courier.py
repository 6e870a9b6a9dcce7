"""A proxy tells every party, tick by tick, what persons have allowed and taken back.

All parties get frames of one size in the same number at the same time, whether there is something to tell them or not.
One that is away is told when it is back: what it has taken in stands in its answer, and nothing is forgotten here
before.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from nodes.link import Link
from nodes.members import Members
from trisect.errors import TrisectError
from trisect.rules.consent_frames import MOST_AHEAD, Frame, Reply
from trisect.store.granting import GrantedConsents
from trisect.trust.keys import PartyName
from trisect.trust.party import Party
from trisect.trust.statements import Standing

_log = logging.getLogger(__name__)
READ_AT_ONCE = 512
"""Events that are read for one frame; it carries about a hundred."""
ROUNDS_A_TICK = 400
"""Frames that each party gets in a tick at most, where somebody has much to be told."""


@dataclass(slots=True)
class _Told:
    """How far one party is.

    Attributes:
        cursor: what it has taken in, as it has answered; None before its first answer.
        sent: up to where it was sent everything since; what was lost on the way is sent again at the next tick.
        ahead: up to where it was sent withdrawals, which do not wait for what was granted before them.
    """

    cursor: int | None = None
    sent: int = 0
    ahead: int = 0


class Courier:
    """Sends one proxy's frames.

    Args:
        members: tells who the parties are.
        link: the way to them.
        granted: has what is to be told.
        tick_s: gives the seconds from one frame to the next.
    """

    def __init__(
        self, members: Members, link: Link, granted: GrantedConsents, tick_s: Callable[[], float]
    ) -> None:
        self._members = members
        self._link = link
        self._granted = granted
        self._tick_s = tick_s
        self._told: dict[PartyName, _Told] = {}
        self._away: set[PartyName] = set()
        self.told = asyncio.Condition()

    async def run(self) -> None:
        """Tell everybody at every tick, until cancelled."""
        while True:
            due = time.monotonic() + self._tick_s()
            if self._link.connected and self._members.admitted:
                await self._tick()
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def _tick(self) -> None:
        for told in self._told.values():
            told.sent = told.ahead = told.cursor or 0
        for again in range(ROUNDS_A_TICK):
            parties = [
                party
                for party in self._members.membership.parties.values()
                if party.name != self._members.name
                and party.standing is not Standing.EXPELLED
                # One that does not answer holds the others up once a tick, and no longer.
                and not (again and party.name in self._away)
            ]
            more = await asyncio.gather(*(self._tell(party) for party in parties))
            async with self.told:
                self.told.notify_all()
            if not any(more):
                return

    async def _tell(self, party: Party) -> bool:
        """Send one party its frame, and take its answer; gives whether it has more to be told at once."""
        told = self._told.setdefault(party.name, _Told())
        try:
            frame, last = await asyncio.to_thread(self._frame, party, told)
            async with asyncio.timeout(self._tick_s()):
                answer = await self._link.deliver(party.name, frame)
                reply = await asyncio.to_thread(self._open, answer, party)
        except (TrisectError, TimeoutError) as error:
            if party.name not in self._away:
                reason = error.message if isinstance(error, TrisectError) else "it did not answer in time"
                _log.info(
                    "a party is told of consents when it is back",
                    extra={"peer": party.name, "reason": reason},
                )
            self._away.add(party.name)
            return False
        self._away.discard(party.name)
        if reply.effects:
            await asyncio.to_thread(self._granted.acknowledge, party.name, reply.effects)
        told.sent = reply.cursor if told.cursor is None else last
        told.cursor = reply.cursor
        return told.sent < await asyncio.to_thread(lambda: self._granted.newest)

    def _frame(self, party: Party, told: _Told) -> tuple[bytes, int]:
        """Write a party's next frame; gives it sealed, and the number that it reaches."""
        own, key = self._members.name, self._link.keys.identity
        consortium = self._members.membership.consortium
        if told.cursor is None:  # an empty one, to learn how far the party is
            newest = self._granted.newest
            return Frame(consortium, own, party.name, newest, newest, 0).seal(key, party.keys.sealing), newest
        events, last = self._granted.events(party.name, own, after=told.sent, limit=READ_AT_ONCE)
        ahead = self._granted.withdrawals(party.name, own, after=max(last, told.ahead), limit=MOST_AHEAD)
        told.ahead = ahead[-1].sequence if ahead else told.ahead
        empty = Frame(consortium, own, party.name, told.sent, told.sent, told.cursor, withdrawn=tuple(ahead))
        frame = empty.filled(events, max(last, told.sent), key)
        return frame.seal(key, party.keys.sealing), frame.upto

    def _open(self, answer: bytes, party: Party) -> Reply:
        return Reply.open(
            answer,
            self._link.keys.sealing,
            self._members.membership.consortium,
            self._members.name,
            party.name,
            party.keys.identity,
        )

    def cursor(self, party: PartyName) -> int:
        """Tell up to which number a party has taken everything in, as far as is known here."""
        return self._told.get(party, _Told()).cursor or 0

    async def until_told(self, sequence: int, parties: frozenset[PartyName], within_s: float) -> None:
        """Wait until parties have taken in a number, or for so many seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s), self.told:
                await self.told.wait_for(lambda: all(self.cursor(party) >= sequence for party in parties))
