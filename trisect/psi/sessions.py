"""Both ends of an ECDH match as state machines: events in, actions out.

    answerer                                    asker
                      <-------------------      BEGIN
    setup blocks 0..s-1, merged and sorted      request blocks 0..r-1
    SETUP 0..s-1      ------------------->
                      <-------------------      REQUEST 0..r-1
    RESPONSE 0..r-1   ------------------->      intersect, a group of blocks at a time

The last message of each direction goes into its final frame. The answerer computes
nothing before BEGIN, then both ends compute at the same time. A driver runs `Compute` actions in order on its worker,
sends `Send` actions in order, and feeds back what comes. Not here: keys, frames, processes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from trisect.errors import VerificationError
from trisect.psi import messages
from trisect.psi.halves import Action, ClientHalf, Compute, Finished, Half, Operation, Send, ServerHalf
from trisect.psi.messages import BEGIN, Message, Tag


class Session(Protocol):
    """One end of an exchange."""

    HALF: ClassVar[Half]
    """Which half of the engine its worker makes."""

    def start(self) -> list[Action]:
        """Begin."""

    def received(self, plaintext: bytes) -> list[Action]:
        """Take a message of the peer; raises VerificationError where it is out of turn, or of another size than declared."""

    def computed(self, work: Compute, elements: bytes, matched: list[int]) -> list[Action]:
        """Take a result of the worker: elements, or matched indices for an intersection."""


@dataclass(slots=True)
class AskerSession:
    """The asker's side of one match.

    Args:
        own: items asked, probes included.
        peer: items that the answerer has declared, probes included.
    """

    HALF: ClassVar[Half] = Half.CLIENT

    own: int
    peer: int
    _half: ClientHalf = field(init=False)
    _matched: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._half = ClientHalf(self.own, self.peer)

    def start(self) -> list[Action]:
        """Begin: say so, and blind every block."""
        return [Send(BEGIN, 0), *self._half.requests()]

    def received(self, plaintext: bytes) -> list[Action]:
        """Take a message of the answerer."""
        return self._half.take(messages.decode(plaintext))

    def computed(self, work: Compute, elements: bytes, matched: list[int]) -> list[Action]:
        """Take a result of the worker: elements for a request, matched indices for an intersection."""
        if work.operation is Operation.REQUEST:
            message = Message(Tag.REQUEST, work.block, elements)
            return [Send(message.encode(), work.count, last=work.first + work.count == self.own)]
        if work.operation is Operation.INTERSECT:
            self._matched.extend(matched)
            if self._half.intersected(work):
                return [Finished(tuple(self._matched))]
        return []


@dataclass(slots=True)
class AnswererSession:
    """The answerer's side of one match.

    Args:
        own: items offered, probes included.
        peer: items that the asker has declared, probes included; not one more is evaluated.
    """

    HALF: ClassVar[Half] = Half.SERVER

    own: int
    peer: int
    _half: ServerHalf = field(init=False)
    _begun: bool = False
    _responded: int = 0

    def __post_init__(self) -> None:
        self._half = ServerHalf(self.own, self.peer)

    def start(self) -> list[Action]:
        """Wait for the asker to begin."""
        return []

    def received(self, plaintext: bytes) -> list[Action]:
        """Take a message of the asker."""
        message = messages.decode(plaintext)
        if not self._begun:
            check_begins(message)
            self._begun = True
            return self._half.setup()
        return self._half.take(message, Operation.RESPOND)

    def computed(self, work: Compute, elements: bytes, matched: list[int]) -> list[Action]:
        """Take a result of the worker: elements for the setup or for a response."""
        del matched  # an answerer learns none
        if work.operation is Operation.SORTED_SETUP:
            return [Send(Message(Tag.SETUP, work.block, elements).encode(), work.count)]
        if work.operation is not Operation.RESPOND:
            return []
        self._responded += work.count
        last = self._responded == self.peer
        send = Send(Message(Tag.RESPONSE, work.block, elements).encode(), work.count, last=last)
        return [send, Finished()] if last else [send]


def check_begins(message: Message) -> None:
    """Check that a message is the asker's first; raises VerificationError."""
    if message.encode() != BEGIN:
        raise VerificationError("the asker sent something before it began")
