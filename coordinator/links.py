"""The long-lived link of one node to the relay: what goes down it, and the answers that it brings.

Not here: which of a party's links is the present one (`coordinator.switchboard`).
"""

from __future__ import annotations

import asyncio

from trisect.errors import UnreachableError
from trisect.wire.v1 import relay_pb2 as pb

LINK_QUEUE = 256


class Link:
    """What is to be sent down to one node, and calls that wait for its answers."""

    def __init__(self, party: str) -> None:
        self.party = party
        self.down: asyncio.Queue[pb.LinkDown | None] = asyncio.Queue(LINK_QUEUE)
        self.waiting: dict[int, asyncio.Future[pb.CallAnswer]] = {}
        self._retiring = False

    def retire(self) -> None:
        """End once the calls that wait are answered: the node has another link by now."""
        self._retiring = True
        self._close_if_done()

    def settled(self, call_id: int) -> None:
        """Forget a call that was answered or given up."""
        self.waiting.pop(call_id, None)
        self._close_if_done()

    def _close_if_done(self) -> None:
        if self._retiring and not self.waiting:
            self.close()

    def send(self, message: pb.LinkDown) -> None:
        """Queue a message; a node that does not read loses its link."""
        try:
            self.down.put_nowait(message)
        except asyncio.QueueFull:
            self.close()

    def close(self) -> None:
        """End the link and fail what waits for it."""
        while not self.down.empty():
            self.down.get_nowait()
        self.down.put_nowait(None)
        for future in self.waiting.values():
            if not future.done():
                future.set_exception(offline(self.party))


def offline(party: str) -> UnreachableError:
    """Say that a party's node cannot be reached."""
    return UnreachableError(
        f"the node of {party} is offline", hint=f"ask {party} to start its node, and try again"
    )
