"""A coordinator that misbehaves on command: it mutates frames, or holds an exchange at a named event.

Run as `python hostile_coordinator.py run --home H`. Whenever something passes its relay it looks into
`H/hostile.json`; without that file it is an honest coordinator. A plan is used once.

    {"mutate": ACTION, "party": NAME, "frame": N}     what is done to the N-th frame of a party
    {"hold": EVENT, "socket": PATH}                   tell EVENT on a Unix socket, go on when it answers
    {"calls": {METHOD: ACTION}, "stay": BOOL}         what is done to calls of a method; each is noted in
                                                      `H/hostile.done`; a plan that stays is used until removed
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

from coordinator import services, switchboard
from coordinator.cli import main
from trisect.errors import DeniedError, UnreachableError
from trisect.trust import documents
from trisect.trust.statements import Succession
from trisect.wire.v1 import relay_pb2 as pb

PLAN = "hostile.json"
PUBLISHED = "succession is published"
DONE = "hostile.done"
HALF_OF_TWO_BLOCKS = 1
CALL_ACTIONS = (
    "lose the question",
    "lose the answer",
    "empty answer",
    "flip a bit of the question",
    "flip a bit of the answer",
    "answer to an earlier one",
    "earlier question",
    "forged denial",
)
EVENTS = (
    "offer passes",
    "accept passes",
    "asker begins",
    "setup passes",
    "requests end",
    "responses end",
    "receipt passes",
    "receipt is answered",
)
ACTIONS = (
    "drop",
    "duplicate",
    "rewind",
    "swap with next",
    "flip a bit",
    "truncate",
    "empty",
    "splice earlier exchange",
    "declare other elements",
    "renumber",
    "mark as final",
    "unmark final",
    "end early",
    "reflect",
)
_kept: dict[str, list[pb.Frame]] = {}
_asked: dict[tuple[str, str, int], bytes] = {}
_answered: dict[tuple[str, str, int], bytes] = {}


class HostileDirectory(services.DirectoryService):
    """The real one, which holds a succession before and after it is published."""

    async def Publish(self, request, context):  # noqa: N802
        if documents.peek(request.envelope)[0] != Succession.KIND:
            return await super().Publish(request, context)
        await self._switchboard._hold("succession comes")
        reply = await super().Publish(request, context)
        await self._switchboard._hold(PUBLISHED)
        return reply


class HostileSwitchboard(switchboard.Switchboard):
    """The real one, with its wire in foul hands."""

    home = Path()

    def notify(self, message: pb.LinkDown) -> None:
        """Tell nobody of a succession that is to be held: its party learns of it when it looks."""
        if self._plan("hold").get("hold") != PUBLISHED:
            super().notify(message)

    async def call(self, caller: str, request: pb.CallRequest) -> bytes:
        if request.method == pb.PEER_METHOD_OFFER:
            await self._hold("offer passes")
        if request.method == pb.PEER_METHOD_RECEIPT:
            await self._hold("receipt passes")
        body = await self._foul_call(caller, request)
        if request.method == pb.PEER_METHOD_OFFER:
            await self._hold("accept passes")
        if request.method == pb.PEER_METHOD_RECEIPT:
            await self._hold("receipt is answered")
        return body

    async def _foul_call(self, caller: str, request: pb.CallRequest) -> bytes:
        """Pass a call on, changed where the plan says so."""
        plan = self._plan("calls")
        method = pb.PeerMethod.Name(request.method).removeprefix("PEER_METHOD_")
        action = plan.get("calls", {}).get(method)
        known = (caller, request.to, request.method)
        if action is None:
            _asked[known] = request.body
            _answered[known] = await super().call(caller, request)
            return _answered[known]
        if not plan.get("stay"):
            (self.home / PLAN).unlink()
        with (self.home / DONE).open("a") as done:
            done.write(f"{method}: {action}\n")
        match action:
            case "lose the question":
                raise UnreachableError("lost")
            case "flip a bit of the question":
                request.body = _flipped(request.body)
            case "earlier question":
                request.body = _asked[known]
            case "forged denial":
                raise DeniedError("so the coordinator says")
        answer = await super().call(caller, request)
        match action:
            case "lose the answer":
                raise UnreachableError("lost")
            case "empty answer":
                return b""
            case "flip a bit of the answer":
                return _flipped(answer)
            case "answer to an earlier one":
                return _answered[known]
        return answer

    async def _pump(self, found, own, peer, incoming: AsyncIterator[pb.Frame]) -> None:
        await super()._pump(found, own, peer, self._through(own.party, peer.party, incoming))

    async def _through(
        self, party: str, peer: str, incoming: AsyncIterator[pb.Frame]
    ) -> AsyncIterator[pb.Frame]:
        seen: list[pb.Frame] = []
        asks = None
        async for frame in incoming:
            asks = frame.elements == 0 if asks is None else asks
            if asks and not seen:
                await self._hold("asker begins")
            if asks is False and not seen:
                await self._hold("setup passes")
            if len(seen) == HALF_OF_TWO_BLOCKS:
                await self._hold("requests half passed" if asks else "setup half passed")
            if not asks and len(seen) == 2 + HALF_OF_TWO_BLOCKS:
                await self._hold("responses half passed")
            if frame.final:
                await self._hold("requests end" if asks else "responses end")
            plan = self._plan("mutate")
            mine = bool(plan) and plan["party"] == party and plan["frame"] == len(seen)
            seen.append(frame)
            if not mine:
                yield frame
                continue
            (self.home / PLAN).unlink()
            if plan["mutate"] == "rewind":  # as if the stream began anew
                for earlier in seen:
                    yield earlier
                continue
            async for changed in _mutated(plan["mutate"], frame, incoming, party, peer):
                if changed is None:
                    return
                yield changed
        _kept[party] = seen

    def _plan(self, key: str) -> dict:
        with contextlib.suppress(FileNotFoundError):
            plan = json.loads((self.home / PLAN).read_text())
            return plan if key in plan else {}
        return {}

    async def _hold(self, event: str) -> None:
        plan = self._plan("hold")
        if plan.get("hold") != event:
            return
        (self.home / PLAN).unlink()
        reader, writer = await asyncio.open_unix_connection(plan["socket"])
        writer.write(f"{event}\n".encode())
        await reader.readline()
        writer.close()


def _flipped(body: bytes) -> bytes:
    """Change one character of the signed payload, so that the envelope still reads."""
    middle = len(body) // 2
    return body[:middle] + (b"A" if body[middle : middle + 1] != b"A" else b"B") + body[middle + 1 :]


async def _mutated(
    action: str, frame: pb.Frame, incoming: AsyncIterator[pb.Frame], party: str, peer: str
) -> AsyncIterator[pb.Frame | None]:
    changed = pb.Frame()
    changed.CopyFrom(frame)
    sealed = bytearray(frame.sealed)
    match action:
        case "drop":
            return
        case "duplicate":
            yield frame
        case "swap with next":
            following = await anext(incoming, None)
            if following is not None:
                yield following
        case "flip a bit":
            sealed[len(sealed) // 2] ^= 1
            changed.sealed = bytes(sealed)
        case "truncate":
            changed.sealed = bytes(sealed[:-1])
        case "empty":
            changed.sealed = b""
        case "splice earlier exchange":
            changed.CopyFrom(_kept[party][frame.sequence])
        case "declare other elements":
            changed.elements += 1
        case "renumber":
            changed.sequence += 1
        case "mark as final":
            changed.final = True
        case "unmark final":
            changed.final = False
        case "end early":
            yield None
            return
        case "reflect":
            changed.CopyFrom(_kept[peer][0])
        case _:
            raise AssertionError(action)
    yield changed


if __name__ == "__main__":
    import sys

    HostileSwitchboard.home = Path(sys.argv[sys.argv.index("--home") + 1])
    switchboard.Switchboard = HostileSwitchboard
    import coordinator.app

    coordinator.app.Switchboard = HostileSwitchboard
    coordinator.app.DirectoryService = HostileDirectory
    os.environ.setdefault("PYTHONWARNINGS", "default")
    main()
