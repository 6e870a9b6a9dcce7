"""Two ends of a match joined in memory, with the real engine or one step at a time."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from trisect.psi import ecdh
from trisect.psi.counting import CountingAnswerer, CountingAsker
from trisect.psi.ecdh import EcdhClient, EcdhServer
from trisect.psi.halves import Action, Compute, Finished, Operation, Send, Tally
from trisect.psi.items import Arrangement, client_items, present_probes, server_items
from trisect.psi.sessions import AnswererSession, AskerSession, Session

Perform = Callable[[Compute], tuple[bytes, list[int]]]


def drawn(seed: str) -> Callable[[int], bytes]:
    """Give a source of bytes that is the same each time."""
    count = 0

    def draw(size: int) -> bytes:
        nonlocal count
        count += 1
        return hashlib.shake_256(f"{seed} {count}".encode()).digest(size)

    return draw


def token(number: int) -> bytes:
    """Make a token of a number."""
    return hashlib.sha256(f"token {number}".encode()).digest()


def client(engine: EcdhClient) -> Perform:
    """Do the work of the client half in this process."""

    def perform(work: Compute) -> tuple[bytes, list[int]]:
        match work.operation:
            case Operation.REQUEST:
                return engine.request(work.first, work.count), []
            case Operation.ADD_SETUP:
                engine.add_setup(work.elements, work.count)
                return b"", []
            case Operation.INTERSECT:
                return b"", engine.intersect(work.first, work.elements, work.count)
            case other:
                raise AssertionError(other)

    return perform


def server(engine: EcdhServer) -> Perform:
    """Do the work of the server half in this process."""

    def perform(work: Compute) -> tuple[bytes, list[int]]:
        match work.operation:
            case Operation.SETUP:
                engine.setup(work.first, work.count)
                return b"", []
            case Operation.SORTED_SETUP:
                return engine.sorted_setup(work.first, work.count), []
            case Operation.RESPOND:
                return engine.respond(work.elements, work.count), []
            case Operation.EVALUATE:
                engine.evaluate(work.elements, work.count)
                return b"", []
            case Operation.SORTED_EVALUATIONS:
                return engine.sorted_evaluations(work.first, work.count), []
            case other:
                raise AssertionError(other)

    return perform


@dataclass
class End:
    """A session with its engine, and what it has said."""

    session: Session
    perform: Perform
    said: list[Send] = field(default_factory=list)
    finished: Finished | None = None
    tallied: int | None = None

    def act(self, actions: list[Action]) -> list[Send]:
        """Carry actions out, and give what is to be sent."""
        out: list[Send] = []
        waiting = deque(actions)
        while waiting:
            match waiting.popleft():
                case Compute() as work:
                    waiting.extend(self.session.computed(work, *self.perform(work)))
                case Send() as message:
                    assert not (self.said and self.said[-1].last), "nothing follows the last message"
                    self.said.append(message)
                    out.append(message)
                case Tally(found):
                    assert isinstance(self.session, CountingAnswerer)
                    self.tallied = found
                    waiting.extend(self.session.told(found))
                case Finished() as found:
                    assert self.finished is None
                    self.finished = found
        return out


def join(asker: End, answerer: End) -> Finished:
    """Pass messages until nothing is left to pass; gives what the asker learns."""
    up, down = deque(asker.act(asker.session.start())), deque(answerer.act(answerer.session.start()))
    while up or down:
        if up:
            down.extend(answerer.act(answerer.session.received(up.popleft().plaintext)))
        if down:
            up.extend(asker.act(asker.session.received(down.popleft().plaintext)))
    assert asker.finished is not None
    assert answerer.finished == Finished()
    assert asker.said[-1].last
    assert answerer.said[-1].last
    return asker.finished


def match(asked: list[bytes], offered: list[bytes]) -> tuple[list[int], Arrangement, End, End]:
    """Run a whole match over tokens, as two nodes would; gives the indices of the asker's tokens."""
    secret = b"s" * 32
    items, mine = client_items(b"".join(asked), secret, drawn("asker"))
    padded = len(items) - int((mine.origin < -1).sum())
    theirs = server_items(b"".join(offered), secret, padded, drawn("answerer"))
    asker = End(AskerSession(len(items), len(theirs)), client(EcdhClient(items.tobytes())))
    answerer = End(AnswererSession(len(theirs), len(items)), server(EcdhServer(theirs.tobytes())))
    return mine.matched(join(asker, answerer).matched), mine, asker, answerer


def count(asked: list[bytes], offered: list[bytes]) -> tuple[int | None, End, End]:
    """Run a whole count over tokens, without noise; gives what the asker is told."""
    secret = b"s" * 32
    theirs, arranged = client_items(b"".join(offered), secret, drawn("answerer"))
    padded = len(theirs) - int((arranged.origin < -1).sum())
    items = server_items(b"".join(asked), secret, padded, drawn("asker"))
    asker = End(CountingAsker(len(items), len(theirs)), server(EcdhServer(items.tobytes())))
    session = CountingAnswerer(len(theirs), len(items), present_probes(padded))
    answerer = End(session, client(EcdhClient(theirs.tobytes())))
    return join(asker, answerer).count, asker, answerer


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> int:
    """Make blocks of eight elements, one probe of each sort among them, wherever that was imported by name."""
    from trisect.psi import halves, items, points

    for module in (points, halves):
        monkeypatch.setattr(module, "BLOCK_POINTS", 8)
    monkeypatch.setattr(items, "PROBES", 1)
    monkeypatch.setattr(items, "_PER_BLOCK", 6)
    assert not hasattr(ecdh, "BLOCK_POINTS")
    return 8
