"""Both ends of an ECDH match as state machines: events in, actions out.

    answerer                                    asker
                      <-------------------      BEGIN
    setup blocks 0..s-1, merged and sorted      request blocks 0..r-1
    SETUP 0..s-1      ------------------->
                      <-------------------      REQUEST 0..r-1
    RESPONSE 0..r-1   ------------------->      intersect, a group of blocks at a time

The last message of each direction goes into its final frame. The answerer computes
nothing before BEGIN, then both ends compute at the same time. A driver runs `Compute` actions in order on its worker, sends `Send`
actions in order, and feeds back what comes. The session checks order and counts of everything; what is
inside an element is the worker's check (`trisect.psi.points`). Not here: keys, frames, processes.
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass, field
from typing import TypeAlias

from trisect.errors import VerificationError
from trisect.psi import messages
from trisect.psi.messages import Message, Tag
from trisect.psi.points import BLOCK_POINTS, POINT_BYTES, block_size, blocks


class Operation(enum.IntEnum):
    """What a worker can be told to do; numbers are the worker's wire format."""

    REQUEST = 1
    ADD_SETUP = 2
    INTERSECT = 3
    SETUP = 4
    SORTED_SETUP = 5
    RESPOND = 6


@dataclass(frozen=True, slots=True)
class Compute:
    """Work for the engine: items `first` to `first + count`, and elements where the operation takes them."""

    operation: Operation
    first: int
    count: int
    elements: bytes = b""


@dataclass(frozen=True, slots=True)
class Send:
    """A message for the peer, holding that many elements; `last` closes this end's direction."""

    plaintext: bytes
    elements: int
    last: bool = False


@dataclass(frozen=True, slots=True)
class Finished:
    """Nothing more is to be done here; `matched` are indices among the asker's items."""

    matched: tuple[int, ...] = ()


Action: TypeAlias = Compute | Send | Finished

# A call to intersect reads the whole setup again: half a second a million. Larger groups read less often,
# but leave the worker idle until the first is full. The optimum grows with the root of both sizes.
_GROUP_DIVISOR = 12


@dataclass(slots=True)
class AskerSession:
    """The asker's side of one exchange.

    Args:
        own: items asked, probes included.
        peer: items that the answerer has declared, probes included.
    """

    own: int
    peer: int
    _setup_blocks: int = 0
    _responses: list[bytes] = field(default_factory=list)
    _response_blocks: int = 0
    _group_first: int = 0
    _intersected: int = 0
    _matched: list[int] = field(default_factory=list)

    def start(self) -> list[Action]:
        """Begin: say so, and blind every block."""
        return [
            Send(Message(Tag.BEGIN, 0, b"").encode(), 0),
            *(
                Compute(Operation.REQUEST, block * BLOCK_POINTS, block_size(self.own, block))
                for block in range(blocks(self.own))
            ),
        ]

    def received(self, plaintext: bytes) -> list[Action]:
        """Take a message of the answerer.

        Raises:
            VerificationError: out of turn, or of another size than declared.
        """
        message = messages.decode(plaintext)
        if message.tag is Tag.SETUP:
            _check_block(message, self._setup_blocks, self.peer)
            self._setup_blocks += 1
            count = len(message.elements) // POINT_BYTES
            return [Compute(Operation.ADD_SETUP, message.block * BLOCK_POINTS, count, message.elements)]
        if message.tag is not Tag.RESPONSE or self._setup_blocks != blocks(self.peer):
            raise VerificationError("the answerer sent a message out of turn")
        _check_block(message, self._response_blocks, self.own)
        self._response_blocks += 1
        self._responses.append(message.elements)
        return self._group()

    def computed(self, work: Compute, elements: bytes, matched: list[int]) -> list[Action]:
        """Take a result of the worker: elements for a request, matched indices for an intersection."""
        if work.operation is Operation.REQUEST:
            message = Message(Tag.REQUEST, work.first // BLOCK_POINTS, elements)
            return [Send(message.encode(), work.count, last=work.first + work.count == self.own)]
        if work.operation is Operation.INTERSECT:
            self._matched.extend(matched)
            self._intersected += work.count
            if self._intersected == self.own:
                return [Finished(tuple(self._matched))]
        return []

    def _group(self) -> list[Action]:
        total = blocks(self.own)
        size = max(1, math.isqrt(total * blocks(self.peer)) // _GROUP_DIVISOR)
        if len(self._responses) < size and self._response_blocks < total:
            return []
        elements = b"".join(self._responses)
        self._responses.clear()
        count = len(elements) // POINT_BYTES
        work = Compute(Operation.INTERSECT, self._group_first, count, elements)
        self._group_first += count
        return [work]


@dataclass(slots=True)
class AnswererSession:
    """The answerer's side of one exchange.

    Args:
        own: items offered, probes included.
        peer: items that the asker has declared, probes included; not one more is evaluated.
    """

    own: int
    peer: int
    _begun: bool = False
    _request_blocks: int = 0
    _responded: int = 0

    def start(self) -> list[Action]:
        """Wait for the asker to begin."""
        return []

    def _begin(self, message: Message) -> list[Action]:
        """Encrypt every block, then sort the whole."""
        if self._begun or message.block or message.elements:
            raise VerificationError("the asker began twice, or not at the beginning")
        self._begun = True
        return [
            *(
                Compute(Operation.SETUP, block * BLOCK_POINTS, block_size(self.own, block))
                for block in range(blocks(self.own))
            ),
            *(
                Compute(Operation.SORTED_SETUP, block * BLOCK_POINTS, block_size(self.own, block))
                for block in range(blocks(self.own))
            ),
        ]

    def received(self, plaintext: bytes) -> list[Action]:
        """Take a message of the asker.

        Raises:
            VerificationError: out of turn, or of another size than declared.
        """
        message = messages.decode(plaintext)
        if message.tag is Tag.BEGIN:
            return self._begin(message)
        if message.tag is not Tag.REQUEST or not self._begun:
            raise VerificationError("the asker sent a message out of turn")
        _check_block(message, self._request_blocks, self.peer)
        self._request_blocks += 1
        count = len(message.elements) // POINT_BYTES
        return [Compute(Operation.RESPOND, message.block * BLOCK_POINTS, count, message.elements)]

    def computed(self, work: Compute, elements: bytes, matched: list[int]) -> list[Action]:
        """Take a result of the worker: elements for the setup or for a response."""
        del matched  # an answerer learns none
        block = work.first // BLOCK_POINTS
        if work.operation is Operation.SORTED_SETUP:
            return [Send(Message(Tag.SETUP, block, elements).encode(), work.count)]
        if work.operation is not Operation.RESPOND:
            return []
        self._responded += work.count
        last = self._responded == self.peer
        send = Send(Message(Tag.RESPONSE, block, elements).encode(), work.count, last=last)
        return [send, Finished()] if last else [send]


Session: TypeAlias = AskerSession | AnswererSession


def _check_block(message: Message, due: int, declared: int) -> None:
    if message.block != due or due >= blocks(declared):
        raise VerificationError("a block came out of turn, or beyond the declared size")
    if len(message.elements) != block_size(declared, due) * POINT_BYTES:
        raise VerificationError("a block has another size than declared")
