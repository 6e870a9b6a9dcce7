"""What an administrator is told unasked: that the rulebook will end, and at a proxy's node a government's own breach."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Sequence

from nodes.members import Members
from trisect.clock import Clock, to_text
from trisect.rules import breaches
from trisect.rules.regime import Regime
from trisect.trust.statements import Role

_log = logging.getLogger(__name__)
LOOK_EVERY_S = 60.0


class Announcing:
    """Announces what its administrator has to know.

    Args:
        members: tells which rulebooks there are, and which breaches.
        clock: tells the time.
    """

    def __init__(self, members: Members, clock: Clock) -> None:
        self._members = members
        self._clock = clock
        self._said: frozenset[str] = frozenset()

    def now(self) -> list[str]:
        """Say what is announced now."""
        return [*self._end_of_the_rulebook(), *self._breaches_of_governments()]

    def _breaches_of_governments(self) -> Iterator[str]:
        """Tell a proxy of open breaches of those who supervise everybody else, and cannot close their own."""
        if self._members.role is not Role.PROXY:
            return
        membership = self._members.membership
        for party in membership.parties.values():
            if party.role is Role.GOVERNMENT:
                for breach in breaches.of_party(membership, party.name):
                    if breach.closing is None:
                        yield (
                            f"the government {party.name} has an open breach, {breach.name} ({breach.opening.ground}): "
                            f"{breach.opening.text}"
                        )

    def _end_of_the_rulebook(self) -> Sequence[str]:
        found = Regime(self._members.membership).rulebooks.announced(self._clock())
        if found is None:
            return []
        rulebook, days = found
        ends = to_text(rulebook.provisions.valid_until)
        within = f"{days} days" if days > 1 else "a day"
        version = rulebook.provisions.version
        return [
            f"rulebook {version} ends at {ends}, within {within}, and none follows: nothing is exchanged then"
        ]

    def announce(self) -> None:
        """Say in the log what has not been said there as it is now."""
        found = frozenset(self.now())
        for text in sorted(found - self._said):
            _log.warning("the administrator has to know", extra={"reason": text})
        self._said = found

    async def run(self) -> None:
        """Announce until cancelled."""
        while True:
            self.announce()
            await asyncio.sleep(LOOK_EVERY_S)
