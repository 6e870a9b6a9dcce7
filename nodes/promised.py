"""What has to stand in the public record within a minute: permits that the coordinator has signed, receipts that it took."""

from __future__ import annotations

import datetime as dt
from collections import deque
from collections.abc import Iterable

from trisect.clock import Clock
from trisect.record import entries, tree
from trisect.trust import documents

WITHIN = dt.timedelta(seconds=60)
_REMEMBERED = 10_000


class Promised:
    """Holds what came of this node's exchanges against its copy of the record, while the node runs.

    Args:
        clock: tells the time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._due: dict[bytes, dt.datetime] = {}
        self._copied: deque[bytes] = deque(maxlen=_REMEMBERED)
        """Entries that were copied, for one that is in the record before this node has its answer."""

    def expect(self, envelope: bytes) -> None:
        """Wait for the entry of a permit that answerer and coordinator have signed, or of a receipt."""
        found = _key(entries.of_document(envelope))
        if found not in self._copied:
            self._due.setdefault(found, self._clock() + WITHIN)

    def copied(self, page: Iterable[bytes]) -> None:
        """Take note of entries that were copied."""
        for entry in page:
            if entries.exchange(entry):
                found = _key(entry)
                self._copied.append(found)
                self._due.pop(found, None)

    @property
    def trouble(self) -> str:
        """What is missing in a record that was copied to its newest head, for /ready; empty where nothing is."""
        overdue = sum(due <= self._clock() for due in self._due.values())
        if not overdue:
            return ""
        return (
            f"the record lacks {overdue} of the permits and receipts of this node's exchanges that the coordinator "
            "has had for a minute"
        )


def _key(entry: bytes) -> bytes:
    """Tell entries apart: a document by what was signed, which others may have written down in another way."""
    document = entries.document(entry)
    return tree.leaf_hash(entry) if document is None else documents.payload_hash(document)
