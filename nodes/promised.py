"""Permits that have to stand in the public record within a minute: the coordinator's signature promises it."""

from __future__ import annotations

import datetime as dt
from collections import deque
from collections.abc import Iterable

from trisect.clock import Clock
from trisect.record import entries
from trisect.rules.permit import Permit
from trisect.trust import documents

WITHIN = dt.timedelta(seconds=60)
_REMEMBERED = 10_000


class Promised:
    """Holds the permits of this node's exchanges against its copy of the record, while the node runs.

    Args:
        clock: tells the time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._due: dict[bytes, dt.datetime] = {}
        self._copied: deque[bytes] = deque(maxlen=_REMEMBERED)
        """Of permits that were copied, for one that is in the record before this node has its answer."""

    def expect(self, permit: bytes) -> None:
        """Wait for the entry of a permit that answerer and coordinator have signed."""
        found = documents.payload_hash(permit)
        if found not in self._copied:
            self._due[found] = self._clock() + WITHIN

    def copied(self, page: Iterable[bytes]) -> None:
        """Take note of entries that were copied."""
        for entry in page:
            if entries.kind(entry) == Permit.KIND:
                found = documents.payload_hash(entry)
                self._copied.append(found)
                self._due.pop(found, None)

    @property
    def trouble(self) -> str:
        """What is missing in a record that was copied to its newest head, for /ready; empty where nothing is."""
        overdue = sum(due <= self._clock() for due in self._due.values())
        if not overdue:
            return ""
        permits = "a permit" if overdue == 1 else f"{overdue} permits"
        return f"the coordinator has signed {permits} of this node's exchanges that the record does not have after a minute"
