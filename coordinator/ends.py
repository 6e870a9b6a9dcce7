"""The two ends of one exchange in the relay."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import TypeVar

from trisect.errors import DeniedError, TrisectError, UnreachableError
from trisect.wire.v1 import relay_pb2 as pb

T = TypeVar("T")
FRAME_QUEUE = 8


@dataclass(slots=True)
class End:
    """One end of an exchange: the frames that are to reach it."""

    party: str
    frames: asyncio.Queue[pb.Frame | None] = field(default_factory=lambda: asyncio.Queue(FRAME_QUEUE))
    joined: asyncio.Event = field(default_factory=asyncio.Event)
    lost: asyncio.Event = field(default_factory=asyncio.Event)
    cause: TrisectError | None = None
    sent_frames: int = 0
    sent_bytes: int = 0
    sent_elements: int = 0

    async def unless_lost(self, work: Awaitable[T]) -> T:
        """Wait for something, but no longer than this end is there; raises what it was lost of."""
        doing = asyncio.ensure_future(work)
        losing = asyncio.ensure_future(self.lost.wait())
        try:
            await asyncio.wait({doing, losing}, return_when=asyncio.FIRST_COMPLETED)
            if not doing.done():
                raise self.cause or UnreachableError(
                    f"the connection to {self.party} was lost in the middle of the exchange"
                )
            return doing.result()
        finally:
            doing.cancel()
            losing.cancel()


@dataclass(slots=True)
class Exchange:
    """One accepted exchange between its two ends."""

    id: str
    asker: End
    answerer: End
    moved_at: float
    """When a frame passed last, in the loop's time."""
    judged: bool = False
    permitted: int = 0
    """How many elements an end may declare in all; 0 before the permit is signed."""

    def sides(self, party: str) -> tuple[End, End]:
        """Give this party's end and the other."""
        if party == self.asker.party:
            return self.asker, self.answerer
        if party == self.answerer.party:
            return self.answerer, self.asker
        raise DeniedError(
            "this exchange is between other parties",
            hint="join an exchange that this party asked or answered",
        )
