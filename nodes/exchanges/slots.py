"""Places for exchanges: a node runs only so many at once, and no peer may take them all."""

from __future__ import annotations

from collections.abc import Hashable
from contextlib import ExitStack

from nodes.underway import Underway
from trisect.errors import ExhaustedError
from trisect.store.exchanges import Side


class Slots:
    """The places of one node.

    With several, one is kept for what this party asks itself, and one peer is answered in at most half of them.

    Args:
        most: exchanges at once; may be changed.
        underway: counts what has a place.
    """

    def __init__(self, most: int, underway: Underway | None = None) -> None:
        self.most = most
        self._underway = underway or Underway()
        self._taken: dict[Hashable, tuple[Side, str]] = {}

    def take(self, side: Side, peer: str) -> ExitStack:
        """Take a place, freed when the block ends; `pop_all` hands it on to whoever ends it later.

        Raises:
            ExhaustedError: too many exchanges run.
            UnreachableError: the node stops.
        """
        taken = self._taken.values()
        if len(taken) >= self.most:
            raise ExhaustedError(
                f"{len(taken)} exchanges run at this node, the most it is configured for",
                hint="wait until one has ended, or raise limits.max_exchanges",
            )
        if side is Side.ANSWERER:
            answered = sum(one is Side.ANSWERER for one, _ in taken)
            of_peer = sum(one == (side, peer) for one in taken)
            if answered >= max(1, self.most - 1) or of_peer >= max(1, self.most // 2):
                raise ExhaustedError(
                    "this node answers as many exchanges as it may at once",
                    hint="try again when one has ended",
                )
        slot = ExitStack()
        slot.enter_context(self._underway.one())
        place = object()
        self._taken[place] = (side, peer)
        slot.callback(self._taken.pop, place)
        return slot
