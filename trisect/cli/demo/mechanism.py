"""What the demonstration shows of the mechanism: rules and disclosures in force, a refusal, and the record checked offline."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import grpc.aio

from trisect.cli import screen
from trisect.cli.demo.cluster import COORDINATOR, PARTIES, Cluster
from trisect.cli.demo.step import Step
from trisect.daemon import ask
from trisect.errors import TrisectError, VerificationError
from trisect.record import export
from trisect.rpc.status import translated
from trisect.rules.rulebook import Rulebook
from trisect.trust.keys import normal_fingerprint
from trisect.wire.v1 import (
    governance_pb2,
    governance_pb2_grpc,
    matching_pb2,
    matching_pb2_grpc,
    record_admin_pb2,
    record_admin_pb2_grpc,
)

CALL_S = 30.0
POLL_S = 0.2
INCLUDED_S = 60.0
"""Within what time a permit stands under a signed head of the record."""
_FRAMES = re.compile(r"^trisect_relay_frames_total (\S+)$", re.MULTILINE)
Channel = Callable[[str], AbstractAsyncContextManager[grpc.aio.Channel]]


class Mechanism:
    """Looks at a cluster that is up, through its nodes' own services."""

    def __init__(self, cluster: Cluster, channel: Channel) -> None:
        self._cluster = cluster
        self._channel = channel

    async def rulebook(self) -> Step:
        """Look whether one rulebook is in force at every node."""
        found = {}
        for party in PARTIES:
            regime = await self._regime(party.name)
            found[party.name] = [one for one in regime.rulebooks if one.in_force]
        (first, *_) = found[PARTIES[0].name] or [governance_pb2.PublishedRulebook()]
        same = all([one.hash for one in ours] == [first.hash] for ours in found.values())
        rules = list(Rulebook.parse(first.toml, first.policies).policies.rules) if same else []
        red_lines = sum(rule.is_red_line for rule in rules)
        detail = (
            f"rulebook {first.version}, signed by {first.issuer}, is in force at {len(found)} of {len(PARTIES)} nodes: "
            f"{screen.count(len(rules) - red_lines, 'rule')} and {screen.count(red_lines, 'red line')}"
        )
        return Step("rulebook", same, detail)

    async def disclosure(self) -> Step:
        """Look whether every party has told what it does to personal information."""
        regime = await self._regime(PARTIES[-1].name)
        declared = sorted(one.party for one in regime.notices if one.in_force)
        ok = declared == sorted(party.name for party in PARTIES)
        return Step("disclosure", ok, f"notices in force, as a node has verified them: {', '.join(declared)}")

    async def refused(self, asker: str, collection: str, peer: str, theirs: str) -> Step:
        """Ask for a purpose that no rule allows, and look whether anything has passed the relay."""
        before = self.frames()
        request = matching_pb2.StartMatchRequest(
            collection=collection, peer=peer, peer_collection=theirs, purpose="supervision"
        )
        try:
            async with self._channel(asker) as channel, translated(f"the node of {asker}"):
                await matching_pb2_grpc.MatchingStub(channel).StartMatch(request, timeout=CALL_S)
        except TrisectError as error:
            passed = self.frames() - before
            detail = f"{asker} may not ask {peer} for supervision (rule {error.rule}): {error.message}; {screen.count(int(passed), 'frame')} passed"
            return Step("refused", bool(error.rule) and not passed, detail)
        return Step(
            "refused", ok=False, detail=f"{asker} was let ask {peer} for a purpose that no rule allows"
        )

    async def record_verified(self, exchanges: set[str]) -> Step:
        """Check a copy of the record without any daemon, find every exchange's permit in it, and break a copy."""
        deadline = asyncio.get_running_loop().time() + INCLUDED_S
        while True:
            head, lines, checked = await self._exported(PARTIES[0].name)
            permitted = {one.permit.exchange.hex() for one in checked.permits}
            if exchanges <= permitted or asyncio.get_running_loop().time() > deadline:
                break
            await asyncio.sleep(POLL_S)  # a permit is under a signed head within seconds, not at once
        trusted = normal_fingerprint(head.founder)
        broken = _refuses(lines, lambda copy: export.check(copy, trusted))
        detail = (
            f"{checked.size} entries checked from the founder's fingerprint alone, cosigned by "
            f"{', '.join(sorted(checked.cosigned.times)) or 'nobody'}; the permits of {len(exchanges & permitted)} of "
            f"{len(exchanges)} exchanges traced to their rules and notices; a copy with one bit changed "
            f"{'is refused' if broken else 'PASSES'}"
        )
        return Step("record_verified", broken and exchanges <= permitted, detail)

    async def record(self) -> tuple[str, export.Checked]:
        """Give the newest head as a node has verified it, and what follows from the record under it."""
        head, _, checked = await self._exported(PARTIES[0].name)
        return head.note, checked

    async def _exported(self, name: str) -> tuple[record_admin_pb2.GetRecordReply, list[str], export.Checked]:
        async with self._channel(name) as channel, translated(f"the node of {name}"):
            pages = record_admin_pb2_grpc.RecordAdminStub(channel).ListRecord(
                record_admin_pb2.ListRecordRequest(), timeout=CALL_S
            )
            found = [page async for page in pages]
        head, entries = found[0].head, [entry for page in found for entry in page.entries]
        lines = list(export.written(head.consortium, head.note, entries))
        return head, lines, export.check(lines, normal_fingerprint(head.founder))

    async def _regime(self, name: str) -> governance_pb2.GetRegimeReply:
        async with self._channel(name) as channel, translated(f"the node of {name}"):
            stub = governance_pb2_grpc.GovernanceStub(channel)
            return await stub.GetRegime(governance_pb2.GetRegimeRequest(), timeout=CALL_S)

    def frames(self) -> float:
        """Tell how many frames have passed the relay."""
        with ask(f"{self._cluster.home(COORDINATOR).running()['http']}/metrics", timeout_s=CALL_S) as reply:
            found = _FRAMES.search(reply.read().decode())
        return float(found[1]) if found else 0.0


def _refuses(lines: list[str], check: Callable[[list[str]], object]) -> bool:
    """Tell whether a copy is refused in which one bit of the last entry is another."""
    entry = bytearray(base64.b64decode(lines[-1]))
    entry[len(entry) // 2] ^= 1
    try:
        check([*lines[:-1], base64.b64encode(entry).decode() + "\n"])
    except VerificationError:
        return True
    return False
