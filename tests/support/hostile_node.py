"""A node whose PSI messages are malformed on command, properly sealed and sent by an enrolled party.

Run as `python hostile_node.py run --home H`. `H/hostile.json` names what to do to a message, once:

    {"mutate": ACTION, "tag": "REQUEST", "block": 0}

It has the patience that `H/tuned.json` gives it (`tuned_daemon`).
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from dataclasses import replace
from pathlib import Path

from nodes.cli import main
from nodes.exchanges import running, terms
from trisect.psi import messages
from trisect.psi.halves import Send
from trisect.psi.messages import Message, Tag
from trisect.psi.points import POINT_BYTES

PLAN = "hostile.json"
OTHER_RECEIPT = "a receipt that contradicts"
SHORT_COMMITMENT = "a commitment that is a byte short"
OFF_CURVE = b"\x02" + b"\xff" * 32
ACTIONS = (
    "off the curve",
    "identity",
    "uncompressed prefix",
    "one byte short",
    "one point short",
    "one point more",
    "no points",
    "unsorted",
    "one point twice",
    "rotated",
    "random points",
    "noise",
    "empty message",
    "unknown tag",
    "other block number",
    "tag of the other side",
    "twice",
)


def mutate(action: str, message: Message) -> list[bytes]:
    """Give the plaintexts to send in place of a message."""
    points = [message.elements[at : at + POINT_BYTES] for at in range(0, len(message.elements), POINT_BYTES)]
    whole = message.encode()

    def with_points(changed: list[bytes]) -> list[bytes]:
        return [message._replace(elements=b"".join(changed)).encode()]

    match action:
        case "off the curve":
            return with_points([OFF_CURVE, *points[1:]])
        case "identity":
            return with_points([bytes(POINT_BYTES), *points[1:]])
        case "uncompressed prefix":
            return with_points([b"\x04" + points[0][1:], *points[1:]])
        case "one byte short":
            return [whole[:-1]]
        case "one point short":
            return with_points(points[:-1])
        case "one point more":
            return with_points([*points, points[-1]])
        case "no points":
            return with_points([])
        case "unsorted":
            return with_points(points[::-1])
        case "one point twice":
            return with_points([points[0], points[0], *points[2:]])
        case "rotated":
            return with_points([*points[1:], points[0]])
        case "random points":
            return with_points([b"\x02" + os.urandom(32) for _ in points])
        case "noise":
            return [os.urandom(len(whole))]
        case "empty message":
            return [b""]
        case "unknown tag":
            return [b"\xee" + whole[1:]]
        case "other block number":
            return [message._replace(block=message.block + 1).encode()]
        case "tag of the other side":
            other = Tag.SETUP if message.tag is Tag.REQUEST else Tag.REQUEST
            return [message._replace(tag=other).encode()]
        case "twice":
            return [whole, whole]
    raise AssertionError(action)


class HostileRunning(running.Running):
    """The real one, which tampers with a message before it is sealed."""

    home = Path()

    async def run(self):
        honest = self.commitment

        async def shortened() -> bytes:
            plan = self.home / PLAN
            if plan.exists() and json.loads(plan.read_text())["mutate"] == SHORT_COMMITMENT:
                plan.unlink()
                return (await honest())[:-1]
            return await honest()

        self.commitment = shortened
        return await super().run()

    async def _dispatch(self, actions) -> None:
        out = []
        for action in actions:
            out.extend(self._tampered(action) if isinstance(action, Send) else [action])
        await super()._dispatch(out)

    def _tampered(self, send: Send) -> list[Send]:
        with contextlib.suppress(FileNotFoundError):
            plan = json.loads((self.home / PLAN).read_text())
            if plan["mutate"] in {SHORT_COMMITMENT, OTHER_RECEIPT}:
                return [send]
            message = messages.decode(send.plaintext)
            if message.tag.name == plan["tag"] and message.block == plan["block"]:
                (self.home / PLAN).unlink()
                sent = [replace(send, plaintext=text, last=False) for text in mutate(plan["mutate"], message)]
                sent[-1] = replace(sent[-1], last=send.last)
                return sent
        return [send]


class HostileTerms(terms.Terms):
    """The real ones, which count one element fewer than there were."""

    def receipt(self, *arguments):
        honest = super().receipt(*arguments)
        plan = HostileRunning.home / PLAN
        if plan.exists() and json.loads(plan.read_text())["mutate"] == OTHER_RECEIPT:
            plan.unlink()
            return replace(honest, elements_evaluated=honest.elements_evaluated - 1)
        return honest


if __name__ == "__main__":
    import tuned_daemon  # beside this file, whose folder is the path of a script

    from nodes.exchanges import answering, asking

    HostileRunning.home = Path(sys.argv[sys.argv.index("--home") + 1])
    tuned_daemon.tune(HostileRunning.home)
    asking.Running = HostileRunning
    answering.Running = HostileRunning
    asking.Terms = HostileTerms
    answering.Terms = HostileTerms
    main()
