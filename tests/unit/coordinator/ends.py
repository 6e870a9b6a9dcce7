"""A switchboard, and fake nodes at the ends of its exchanges."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from coordinator.config import Relay
from coordinator.links import Link
from coordinator.switchboard import Switchboard
from trisect.wire.v1 import relay_pb2 as pb

EXCHANGE = bytes(range(16))
ID = EXCHANGE.hex()
SOON = 10.0
SIZES = 6_400
OFFER = pb.PEER_METHOD_OFFER


@dataclass
class Recorded:
    """A recorder that keeps all in a list."""

    data: list[bytes] = field(default_factory=list)

    def record(self, data: bytes) -> None:
        self.data.append(data)


def board(
    *,
    pair_s: float = SOON,
    call_s: float = SOON,
    write_s: float = SOON,
    idle_s: float = SOON,
    most: int = 10,
    recorder: Recorded | None = None,
) -> Switchboard:
    return Switchboard(Relay(pair_s, call_s, write_s, idle_s, most), recorder)


def request(to: str = "bank", method: pb.PeerMethod = OFFER, exchange: bytes = EXCHANGE) -> pb.CallRequest:
    return pb.CallRequest(to=to, method=method, exchange_id=exchange, body=b"offer")


def permit(switchboard: Switchboard, call: pb.IncomingCall, answerer: str) -> None:
    """Have the permit for an offer that waits."""
    switchboard.judged(call.exchange_id.hex(), getattr(call, "from"), answerer)
    switchboard.permit(call.exchange_id.hex(), SIZES)


async def answering(
    switchboard: Switchboard,
    link: Link,
    *,
    accepted: bool = True,
    body: bytes = b"reply",
    permitted: bool = True,
) -> pb.IncomingCall:
    """Be a node that answers its next call, and has a permit for what it accepts."""
    message = await asyncio.wait_for(link.down.get(), SOON)
    assert message is not None
    if accepted and permitted and message.call.method == OFFER:
        permit(switchboard, message.call, link.party)
    answer = pb.CallAnswer(call_id=message.call.call_id, body=body, accepted=accepted)
    switchboard.answer(link, answer)
    return message.call


async def offered(
    switchboard: Switchboard, *, accepted: bool = True, asker: str = "telco", permitted: bool = True
) -> pb.IncomingCall:
    """Have `telco` offer an exchange that `bank` accepts or refuses."""
    link = switchboard.attach("bank")
    call, reply = await asyncio.gather(
        answering(switchboard, link, accepted=accepted, permitted=permitted),
        switchboard.call(asker, request()),
    )
    assert reply == b"reply"
    return call


def frame(number: int, *, final: bool = False) -> pb.Frame:
    return pb.Frame(sequence=number, elements=number, final=final, sealed=b"sealed %d" % number)


class End:
    """One end of an exchange: sends what a test puts, and gathers what comes."""

    def __init__(self, switchboard: Switchboard, party: str, exchange_id: str = ID) -> None:
        self.out: asyncio.Queue[pb.Frame | Exception | None] = asyncio.Queue()
        self.taken = 0
        self.replies = switchboard.exchange(party, exchange_id, self._frames())

    async def _frames(self) -> AsyncIterator[pb.Frame]:
        while (found := await self.out.get()) is not None:
            if isinstance(found, Exception):
                raise found
            self.taken += 1
            yield found

    def send(self, *frames: pb.Frame | Exception | None) -> None:
        for found in frames:
            self.out.put_nowait(found)

    async def all(self) -> list[int]:
        return [found.sequence async for found in self.replies]

    def start(self) -> asyncio.Task[list[int]]:
        return asyncio.create_task(self.all())

    async def next(self) -> pb.Frame:
        return await asyncio.wait_for(anext(self.replies), SOON)


async def until(condition: Callable[[], object]) -> None:
    """Let the loop turn until something holds; fails where it never does."""
    async with asyncio.timeout(SOON):
        while not condition():
            await asyncio.sleep(0)
