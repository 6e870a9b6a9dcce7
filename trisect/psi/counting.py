"""Both ends of a count as state machines: how many items are common, told by the answerer.

    answerer (client half)                      asker (server half)
                      <-------------------      BEGIN
    request blocks 0..r-1                       setup blocks 0..s-1, merged and sorted
                      <-------------------      SETUP 0..s-1
    REQUEST 0..r-1    ------------------->
                      <-------------------      RESPONSE 0..r-1, all evaluations, sorted as a whole
    intersect, tally
    RESULT            ------------------->

The halves are swapped against a match (`trisect.psi.sessions`), so that rounding and noise are drawn where the count is
known, and the asker cannot leave them out. Evaluations are sorted over all blocks: their order, or a count for each
block, would tell which items are common. A count that was told before is told again without any computing: the asker's
BEGIN and the answerer's RESULT are then all there is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from trisect.errors import VerificationError
from trisect.psi import messages
from trisect.psi.halves import (
    Action,
    ClientHalf,
    Compute,
    Finished,
    Half,
    Operation,
    Send,
    ServerHalf,
    Tally,
    out_of_turn,
)
from trisect.psi.messages import BEGIN, Message, Tag
from trisect.psi.sessions import check_begins


@dataclass(slots=True)
class CountingAsker:
    """The asker's side of one count.

    Args:
        own: items offered to the count, probes included.
        peer: items that the answerer has declared, probes included; not one more is evaluated.
    """

    HALF: ClassVar[Half] = Half.SERVER

    own: int
    peer: int
    _half: ServerHalf = field(init=False)
    _responded: int = 0

    def __post_init__(self) -> None:
        self._half = ServerHalf(self.own, self.peer)

    def start(self) -> list[Action]:
        """Begin: say so, and encrypt every block."""
        return [Send(BEGIN, 0), *self._half.setup()]

    def received(self, plaintext: bytes) -> list[Action]:
        """Take a message of the answerer."""
        message = messages.decode(plaintext)
        if message.tag is Tag.RESULT and self._responded == self.peer:
            return [Finished(count=message.result)]
        work = self._half.take(message, Operation.EVALUATE)
        return [*work, *self._half.evaluations()] if self._half.has_all else work

    def computed(self, work: Compute, elements: bytes, matched: list[int]) -> list[Action]:
        """Take a result of the worker: elements for the setup or for a response."""
        del matched
        if work.operation is Operation.SORTED_SETUP:
            return [Send(Message(Tag.SETUP, work.block, elements).encode(), work.count)]
        if work.operation is not Operation.SORTED_EVALUATIONS:
            return []
        self._responded += work.count
        message = Message(Tag.RESPONSE, work.block, elements)
        return [Send(message.encode(), work.count, last=self._responded == self.peer)]


@dataclass(slots=True)
class CountingAnswerer:
    """The answerer's side of one count.

    Args:
        own: items that it has evaluated, probes included.
        peer: items that the asker has declared, probes included.
        probes: how many of the items are surely common.
    """

    HALF: ClassVar[Half] = Half.CLIENT

    own: int
    peer: int
    probes: int
    _half: ClientHalf = field(init=False)
    _begun: bool = False
    _found: int = 0

    def __post_init__(self) -> None:
        self._half = ClientHalf(self.own, self.peer)

    def start(self) -> list[Action]:
        """Wait for the asker to begin."""
        return []

    def received(self, plaintext: bytes) -> list[Action]:
        """Take a message of the asker."""
        message = messages.decode(plaintext)
        if not self._begun:
            check_begins(message)
            self._begun = True
            return self._half.requests()
        return self._half.take(message)

    def computed(self, work: Compute, elements: bytes, matched: list[int]) -> list[Action]:
        """Take a result of the worker: elements for a request, matched indices for an intersection.

        Raises:
            VerificationError: fewer items are common than surely are.
        """
        if work.operation is Operation.REQUEST:
            return [Send(Message(Tag.REQUEST, work.block, elements).encode(), work.count)]
        if work.operation is Operation.INTERSECT:
            self._found += len(matched)
            if self._half.intersected(work):
                if self._found < self.probes:
                    raise VerificationError("the engine did not find every probe that is surely present")
                return [Tally(self._found - self.probes)]
        return []

    def told(self, count: int) -> list[Action]:
        """Tell the asker what may be told of the tally, which ends the count."""
        return _tell(count)


class _Repeating:
    """One end of a count that was told before; its worker has nothing to do."""

    HALF: ClassVar[Half] = Half.CLIENT

    def computed(self, work: Compute, elements: bytes, matched: list[int]) -> list[Action]:
        """Raise: nothing is computed."""
        raise NotImplementedError(work, elements, matched)


class RepeatingAsker(_Repeating):
    """The asker's side of a count that was told before."""

    def start(self) -> list[Action]:
        """Begin, and say nothing else."""
        return [Send(BEGIN, 0, last=True)]

    def received(self, plaintext: bytes) -> list[Action]:
        """Take the answerer's only message."""
        message = messages.decode(plaintext)
        if message.tag is not Tag.RESULT:
            raise out_of_turn()
        return [Finished(count=message.result)]


class RepeatingAnswerer(_Repeating):
    """The answerer's side of a count that was told before."""

    def __init__(self, count: int) -> None:
        self._count = count

    def start(self) -> list[Action]:
        """Wait for the asker to begin."""
        return []

    def received(self, plaintext: bytes) -> list[Action]:
        """Take the asker's only message, and tell the count again."""
        check_begins(messages.decode(plaintext))
        return _tell(self._count)


def _tell(count: int) -> list[Action]:
    return [Send(messages.result(count), 0, last=True), Finished()]
