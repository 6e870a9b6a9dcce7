"""What is well now and will not be soon: told ahead, while there is time to do something about it."""

from __future__ import annotations

import asyncio
import logging

from nodes.members import Members
from trisect.clock import Clock, to_text
from trisect.rules.regime import Regime

_log = logging.getLogger(__name__)
LOOK_EVERY_S = 600.0


class Announcing:
    """Announces at one node that the rulebook ends.

    Args:
        members: tells which rulebooks there are.
        clock: tells the time.
    """

    def __init__(self, members: Members, clock: Clock) -> None:
        self._members = members
        self._clock = clock
        self._said: tuple[bytes, int] | None = None

    def now(self) -> list[str]:
        """Say what is announced now."""
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
        """Say in the log what has not been said at this distance."""
        found = Regime(self._members.membership).rulebooks.announced(self._clock())
        at = (found[0].hash, found[1]) if found else None
        if at is not None and at != self._said:
            for text in self.now():
                _log.warning("something will end soon", extra={"reason": text})
        self._said = at

    async def run(self) -> None:
        """Announce until cancelled."""
        while True:
            self.announce()
            await asyncio.sleep(LOOK_EVERY_S)
