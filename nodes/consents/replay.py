"""Whether a node knows of all consents that were taken back, as far as the public record tells.

Each proxy commits in the record to the number that its consents have reached. A node that starts serves nothing before
it has been told everything up to there, since its database may be an old backup's; and one that is kept from hearing a
proxy stops, rather than go on with consents that are no more.
"""

from __future__ import annotations

import asyncio

from nodes.link import Link
from nodes.members import Members
from trisect.clock import Clock
from trisect.errors import StaleError
from trisect.rules.regime import Regime
from trisect.store.consents import Consents
from trisect.trust.keys import PartyName
from trisect.trust.statements import Role, Standing

GRACE_S = 60.0
"""How long a running node may lag behind the record: a number stands there before its frame has come everywhere."""


class Replay:
    """Compares what a node has been told of consents with what proxies have committed to.

    Args:
        members: tells which proxies there are, and what they have committed to.
        link: tells whether the record can be followed at all.
        consents: what was taken in.
        clock: tells the time.
    """

    def __init__(self, members: Members, link: Link, consents: Consents, clock: Clock) -> None:
        self._members = members
        self._link = link
        self._consents = consents
        self._clock = clock
        self._cursors: dict[str, int] = {}
        self._level_at: dict[PartyName, float] = {}
        """When the node was last seen to know all of a proxy, in seconds since 1970."""

    async def start(self) -> None:
        """Load what was taken in before."""
        self._cursors = await asyncio.to_thread(self._consents.cursors)

    def heard(self, proxy: PartyName, cursor: int) -> None:
        """Take note of what was taken in of a proxy's word."""
        self._cursors[proxy] = cursor

    def cursor(self, proxy: PartyName) -> int:
        """Tell up to which of its numbers a proxy's word was taken in."""
        return self._cursors.get(proxy, 0)

    def usable(self) -> frozenset[PartyName]:
        """Name the proxies whose consents may be used.

        The word of one that is suspended is not waited for; until it is known up to what the proxy has committed to, its
        consents count for nothing.
        """
        regime = Regime(self._members.membership)
        return frozenset(
            party.name
            for party in self._members.membership.parties.values()
            if party.role is Role.PROXY
            and (
                party.standing is Standing.ACTIVE
                or (
                    party.standing is Standing.SUSPENDED
                    and self.cursor(party.name) >= regime.consents_told(party.name)
                )
            )
        )

    @property
    def trouble(self) -> str:
        """What this node does not know, for /ready; empty where it knows all."""
        if self._members.own is None:
            return ""
        if not self._members.synced.is_set():
            if not self._link.connected:  # nothing is asked or answered, and the link tells why
                return ""
            return "this node has not compared its statements with the coordinator's since it started"
        now = self._clock().timestamp()
        regime = Regime(self._members.membership)
        for party in self._members.membership.parties.values():
            if party.role is not Role.PROXY or party.standing is not Standing.ACTIVE:
                continue
            told, known = regime.consents_told(party.name), self.cursor(party.name)
            if known >= told:
                self._level_at[party.name] = now
            elif now - self._level_at.get(party.name, -GRACE_S) >= GRACE_S:
                return f"this node knows of the consents of {party.name} up to number {known}, the record up to {told}"
        return ""

    def require_done(self) -> None:
        """Raise StaleError where this node might use what somebody has forbidden."""
        if trouble := self.trouble:
            raise StaleError(
                trouble,
                hint="each proxy's node tells it within seconds; where that does not come, ask the proxy to start it",
                rule="consents-replayed",
            )
