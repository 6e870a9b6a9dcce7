"""The two halves of an ECDH protocol as state machines, whichever end holds which.

The client half blinds its items, and intersects their evaluations with the server half's setup; the server half
encrypts its own items into the setup, and evaluates blinded ones. Names are the library's. In a match the asker holds
the client half, in a count the answerer does. Each checks order and counts of what it takes; what is inside an element
is the worker's check (`trisect.psi.points`). Not here: which messages they become, and turns
(`trisect.psi.sessions`, `trisect.psi.counting`).
"""

from __future__ import annotations

import enum
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from trisect.errors import VerificationError
from trisect.psi.messages import Message, Tag
from trisect.psi.points import BLOCK_POINTS, POINT_BYTES, block_size, blocks


class Half(enum.Enum):
    """Which half an end holds, so which engine its worker makes."""

    CLIENT = "client"
    SERVER = "server"


class Operation(enum.IntEnum):
    """What a worker can be told to do; numbers are the worker's wire format."""

    REQUEST = 1
    ADD_SETUP = 2
    INTERSECT = 3
    SETUP = 4
    SORTED_SETUP = 5
    RESPOND = 6
    EVALUATE = 7
    SORTED_EVALUATIONS = 8


@dataclass(frozen=True, slots=True)
class Compute:
    """Work for the engine: items `first` to `first + count`, and elements where the operation takes them."""

    operation: Operation
    first: int
    count: int
    elements: bytes = b""

    @property
    def block(self) -> int:
        """The number of the block that it begins."""
        return self.first // BLOCK_POINTS


@dataclass(frozen=True, slots=True)
class Send:
    """A message for the peer, holding that many elements; `last` closes this end's direction."""

    plaintext: bytes
    elements: int
    last: bool = False


@dataclass(frozen=True, slots=True)
class Tally:
    """So many of an answerer's items are common: what may be told of it is fed back to `told`."""

    found: int


@dataclass(frozen=True, slots=True)
class Finished:
    """Nothing more is to be done here.

    Attributes:
        matched: indices among the asker's items, after a match.
        count: what the answerer has told, after a count.
    """

    matched: tuple[int, ...] = ()
    count: int | None = None


Action: TypeAlias = Compute | Send | Tally | Finished

# A call to intersect reads the whole setup again: half a second a million. Larger groups read less often,
# but leave the worker idle until the first is full. The optimum grows with the root of both sizes.
_GROUP_DIVISOR = 12


@dataclass(slots=True)
class ClientHalf:
    """The half that learns.

    Args:
        own: items that it has evaluated, probes included.
        peer: items that the other has declared, probes included.
    """

    own: int
    peer: int
    _setup_blocks: int = 0
    _responses: list[bytes] = field(default_factory=list)
    _response_blocks: int = 0
    _group_first: int = 0
    _intersected: int = 0

    def requests(self) -> list[Action]:
        """Blind every block."""
        return list(_each(Operation.REQUEST, self.own))

    def take(self, message: Message) -> list[Action]:
        """Take a block of the setup, or of the evaluations once the setup is whole; raises VerificationError."""
        if message.tag is Tag.SETUP:
            check_block(message, self._setup_blocks, self.peer)
            self._setup_blocks += 1
            return [_work(Operation.ADD_SETUP, message)]
        if message.tag is not Tag.RESPONSE or self._setup_blocks != blocks(self.peer):
            raise out_of_turn()
        check_block(message, self._response_blocks, self.own)
        self._response_blocks += 1
        self._responses.append(message.elements)
        return self._group()

    def intersected(self, work: Compute) -> bool:
        """Take note of an intersection; tells whether it was the last."""
        self._intersected += work.count
        return self._intersected == self.own

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
class ServerHalf:
    """The half that is asked.

    Args:
        own: items that it offers, probes included.
        peer: items that the other has declared, probes included; not one more is evaluated.
    """

    own: int
    peer: int
    _request_blocks: int = 0

    def setup(self) -> list[Action]:
        """Encrypt every block, then sort the whole."""
        return [*_each(Operation.SETUP, self.own), *_each(Operation.SORTED_SETUP, self.own)]

    def take(self, message: Message, operation: Operation) -> list[Action]:
        """Take a block of blinded items, to be evaluated by an operation; raises VerificationError."""
        if message.tag is not Tag.REQUEST:
            raise out_of_turn()
        check_block(message, self._request_blocks, self.peer)
        self._request_blocks += 1
        return [_work(operation, message)]

    @property
    def has_all(self) -> bool:
        """Whether every block of blinded items is here."""
        return self._request_blocks == blocks(self.peer)

    def evaluations(self) -> list[Action]:
        """Sort all evaluations, so that their order tells nothing, and give them in blocks."""
        return list(_each(Operation.SORTED_EVALUATIONS, self.peer))


def out_of_turn() -> VerificationError:
    """Make the error of a message that is not due."""
    return VerificationError("the peer sent a message out of turn")


def check_block(message: Message, due: int, declared: int) -> None:
    """Check number and size of a block; raises VerificationError."""
    if message.block != due or due >= blocks(declared):
        raise VerificationError("a block came out of turn, or beyond the declared size")
    if len(message.elements) != block_size(declared, due) * POINT_BYTES:
        raise VerificationError("a block has another size than declared")


def _work(operation: Operation, message: Message) -> Compute:
    count = len(message.elements) // POINT_BYTES
    return Compute(operation, message.block * BLOCK_POINTS, count, message.elements)


def _each(operation: Operation, size: int) -> Iterator[Compute]:
    for block in range(blocks(size)):
        yield Compute(operation, block * BLOCK_POINTS, block_size(size, block))
