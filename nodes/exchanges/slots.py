"""Places for exchanges: a node runs only so many at once, and no peer may take them all."""

from __future__ import annotations

from collections.abc import Hashable
from contextlib import ExitStack

from trisect.errors import ExhaustedError
from trisect.store.exchanges import Side


class Slots:
    """The places of one node.

    With several, one is kept for what this party asks itself, and one peer is answered in at most half of them.

    Args:
        most: exchanges at once.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken: dict[Hashable, tuple[Side, str]] = {}

    def take(self, side: Side, peer: str) -> ExitStack:
        """Take a place, freed when the block ends; `pop_all` hands it on to whoever ends it later.

        Raises:
            ExhaustedError: too many exchanges run.
        """
        taken = self._taken.values()
        if len(taken) >= self._most:
            raise ExhaustedError(
                f"{len(taken)} exchanges run at this node, the most it is configured for",
                hint="wait until one has ended, or raise limits.max_exchanges",
            )
        if side is Side.ANSWERER:
            answered = sum(one is Side.ANSWERER for one, _ in taken)
            of_peer = sum(one == (side, peer) for one in taken)
            if answered >= max(1, self._most - 1) or of_peer >= max(1, self._most // 2):
                raise ExhaustedError(
                    "this node answers as many exchanges as it may at once",
                    hint="try again when one has ended",
                )
        place = object()
        self._taken[place] = (side, peer)
        slot = ExitStack()
        slot.callback(self._taken.pop, place)
        return slot
