"""Work that a stop of the node waits for: exchanges, imports, scheduled work.

Not here: ending what has not ended in time, which is the owner's.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from trisect.errors import UnreachableError
from trisect.waiting import set_within

_log = logging.getLogger(__name__)


class Underway:
    """Counts the work under way, and lets none begin once the node stops.

    Attributes:
        stopping: whether the node stops.
    """

    def __init__(self) -> None:
        self.stopping = False
        self._count = 0
        self._none = asyncio.Event()
        self._none.set()

    @contextmanager
    def one(self) -> Iterator[None]:
        """Count one piece of work until the block ends.

        Raises:
            UnreachableError: the node stops.
        """
        if self.stopping:
            raise UnreachableError("this node is being stopped", hint="try again when it is back")
        self._count += 1
        self._none.clear()
        try:
            yield
        finally:
            self._count -= 1
            if not self._count:
                self._none.set()

    async def ended(self, within_s: float) -> None:
        """Let nothing begin any more, and wait until all has ended, or for so many seconds."""
        self.stopping = True
        if not self._count:
            return
        _log.info(
            "the node waits for what is under way", extra={"pieces": self._count, "at_most_s": within_s}
        )
        if not await set_within(self._none, within_s):
            _log.warning("the node stops in the middle of work", extra={"pieces": self._count})
