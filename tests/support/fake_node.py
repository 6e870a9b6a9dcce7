"""A node and a coordinator that are real gRPC servers on a Unix socket, with dictionaries for stores.

They serve what the command calls, keep what they were sent, and fail as they are told. Rows are not judged:
a value that starts with `bad` is rejected, one that was seen before is a duplicate.
"""

# ruff: noqa: N802, ARG002  (names and arguments are the contract's)
from __future__ import annotations

import asyncio
import json
import os
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from support.fake_consents import Consents
from support.fake_coordinator import FINGERPRINT, Coordinator
from support.fake_credentials import Credentials
from support.fake_governance import Governance
from support.fake_services import NOW, register
from support.membership import Consortium, identity
from support.rulebooks import TERMS, offer, permit
from support.small_record import small_record

from trisect.errors import NotFoundError, TrisectError, UnreachableError
from trisect.rpc import status, tls
from trisect.rpc.gate import Gate
from trisect.trust import documents
from trisect.wire.convert import batch_from_wire
from trisect.wire.v1 import (
    collections_pb2,
    collections_pb2_grpc,
    consents_pb2_grpc,
    coordinator_admin_pb2_grpc,
    credentials_pb2_grpc,
    governance_pb2_grpc,
    matching_pb2,
    matching_pb2_grpc,
    node_admin_pb2,
    node_admin_pb2_grpc,
    schedules_pb2,
)

SUCCESSOR = "iiii-jjjj-kkkk-llll-mmmm-nnnn-oooo-pppp"
EXCHANGE = "0123456789abcdef0123456789abcdef"


@dataclass
class Imported:
    """What one fingerprint has brought so far."""

    batches: int = 0
    rows: int = 0
    accepted: int = 0
    duplicates: int = 0
    rejects: list[collections_pb2.Reject] = field(default_factory=list)


@dataclass
class FakeNode:
    """All services of a node, and what they saw.

    Attributes:
        failures: method name -> the error that its next calls raise.
        lost_after: an import's stream breaks after so many batches, as when the node is killed; once.
        ending: what `WatchExchange` shows, in order.
        endless: whether `WatchExchange` goes on showing the last for ever.
        gate: when set, each import batch waits for it.
        arrived: method name -> set once it has been called.
        announcements: what its status announces.
    """

    failures: dict[str, TrisectError] = field(default_factory=dict)
    lost_after: int | None = None
    ending: list[matching_pb2.Exchange] = field(default_factory=list)
    endless: bool = False
    gate: asyncio.Event | None = None
    announcements: list[str] = field(default_factory=list)
    calls: list[tuple[str, object]] = field(default_factory=list)
    imports: dict[tuple[str, bytes], Imported] = field(default_factory=dict)
    lists: dict[str, dict[str, str]] = field(default_factory=dict)
    collections: dict[str, collections_pb2.Collection] = field(default_factory=dict)
    parties: dict[str, node_admin_pb2.PartyInfo] = field(default_factory=dict)
    entries: list[collections_pb2.EntryInfo] = field(default_factory=list)
    hits: list[matching_pb2.Hit] = field(default_factory=list)
    schedules: dict[str, schedules_pb2.Schedule] = field(default_factory=dict)
    recorded: bool = True
    epoch: int = 0
    record_entries: tuple[bytes, ...] = field(default_factory=lambda: small_record().found)
    record_counts: bool = True
    consortium: Consortium = field(default_factory=Consortium.founded)
    arrived: defaultdict[str, asyncio.Event] = field(default_factory=lambda: defaultdict(asyncio.Event))

    def saw(self, method: str) -> list:
        """Requests of one method, in order."""
        return [request for name, request in self.calls if name == method]

    def _note(self, method: str, request: object) -> None:
        self.calls.append((method, request))
        self.arrived[method].set()
        if method in self.failures:
            raise self.failures[method]


def party(name: str, state: str = "active", key_check: str = "fingerprint") -> node_admin_pb2.PartyInfo:
    return node_admin_pb2.PartyInfo(
        name=name, role="provider", state=state, fingerprint=FINGERPRINT, key_check=key_check
    )


def exchange(state: str = "complete", **changes) -> matching_pb2.Exchange:
    found = matching_pb2.Exchange(
        exchange_id=EXCHANGE,
        end="asker",
        peer="bank",
        collection="scam-numbers",
        peer_collection="mules",
        purpose="scam-prevention",
        mode="match",
        engine="ecdh",
        state=state,
        asked=1000,
        asked_padded=1024,
        answered_padded=2048,
        matched=42,
        bytes_sent=35_000,
        bytes_received=71_000,
        seconds=1.25,
        started_at=NOW,
        key_check="fingerprint",
    )
    if (error := changes.pop("error", None)) is not None:
        found.error.CopyFrom(error)
    if (hold := changes.pop("hold", None)) is not None:
        found.hold.CopyFrom(hold)
    for name, value in changes.items():
        setattr(found, name, value)
    return found


class _Admin(node_admin_pb2_grpc.NodeAdminServicer):
    def __init__(self, node: FakeNode) -> None:
        self.node = node

    async def GetStatus(self, request, context):
        self.node._note("GetStatus", request)
        return node_admin_pb2.GetStatusReply(
            party="telco",
            role="provider",
            admitted=True,
            standing="active",
            fingerprint=FINGERPRINT,
            http="http://127.0.0.1:9",
            links=[node_admin_pb2.Link(to="coordinator", connected=True)],
            certificate_expires_at=NOW,
            version="0",
            consortium="test",
            announcements=self.node.announcements,
        )

    async def ListParties(self, request, context):
        self.node._note("ListParties", request)
        return node_admin_pb2.ListPartiesReply(parties=self.node.parties.values())

    async def Admit(self, request, context):
        self.node._note("Admit", request)
        check = "fingerprint" if request.fingerprint else "none"
        self.node.parties[request.party] = party(request.party, key_check=check)
        return node_admin_pb2.AdmitReply(party=self.node.parties[request.party])

    async def ChangeStanding(self, request, context):
        self.node._note("ChangeStanding", request)
        found = self.node.parties[request.party] = party(request.party, request.standing)
        found.suspended_until = request.until
        return node_admin_pb2.ChangeStandingReply(party=self.node.parties[request.party])

    async def SucceedKeys(self, request, context):
        self.node._note("SucceedKeys", request)
        return node_admin_pb2.SucceedKeysReply(party="telco", fingerprint=SUCCESSOR)

    async def GetPepperStatus(self, request, context):
        self.node._note("GetPepperStatus", request)
        return node_admin_pb2.GetPepperStatusReply(epoch=self.node.epoch)

    async def RotatePepper(self, request, context):
        self.node._note("RotatePepper", request)
        self.node.epoch += 1
        return node_admin_pb2.RotatePepperReply(epoch=self.node.epoch, parties_granted=4)


class _Collections(collections_pb2_grpc.CollectionsServicer):
    def __init__(self, node: FakeNode) -> None:
        self.node = node

    def _get(self, name: str) -> collections_pb2.Collection:
        if name not in self.node.collections:
            raise NotFoundError("there is no such collection")
        return self.node.collections[name]

    async def ListCollections(self, request, context):
        self.node._note("ListCollections", request)
        return collections_pb2.ListCollectionsReply(collections=self.node.collections.values())

    async def CountLabels(self, request, context):
        self.node._note("CountLabels", request)
        self._get(request.collection)
        counts = [("channel", "sms", 2), ("channel", "", 1), ("category", "loan", 3)]
        return collections_pb2.CountLabelsReply(
            counts=[
                collections_pb2.LabelCount(field=field, value=value, entries=count)
                for field, value, count in counts
            ]
        )

    async def ShareCollection(self, request, context):
        self.node._note("ShareCollection", request)
        found = self._get(request.collection)
        found.sharings.append(request.sharing)
        found.sharings[-1].onward, found.sharings[-1].issued = "none", NOW
        return collections_pb2.ShareCollectionReply(
            collection=found, parties_meant=int(getattr(request.sharing, "with") != "first-bonk")
        )

    async def UnshareCollection(self, request, context):
        self.node._note("UnshareCollection", request)
        found = self._get(request.collection)
        del found.sharings[:]
        return collections_pb2.UnshareCollectionReply(collection=found)

    async def DeleteCollection(self, request, context):
        self.node._note("DeleteCollection", request)
        found = self._get(request.collection)
        del self.node.collections[request.collection]
        return collections_pb2.DeleteCollectionReply(entries=found.entries)

    async def Import(self, request_iterator, context):
        first = await anext(request_iterator)
        self.node._note("Import", first.begin)
        begin = first.begin
        done = self.node.imports.setdefault((begin.collection, begin.fingerprint), Imported())
        if not begin.fingerprint:
            done = self.node.imports[begin.collection, b""] = Imported()
        yield self._reply(done, done.rejects)
        async for request in request_iterator:
            if request.HasField("finish"):
                break
            if self.node.gate is not None:
                await self.node.gate.wait()
            yield self._reply(done, self._take(begin.collection, done, request.batch))
            if self.node.lost_after is not None and done.batches >= self.node.lost_after:
                self.node.lost_after = None
                raise UnreachableError("killed")
        if "ImportFinish" in self.node.failures:
            raise self.node.failures["ImportFinish"]
        yield self._reply(done, [], finished=True, collection_version=1)

    def _take(self, collection: str, done: Imported, message) -> list[collections_pb2.Reject]:
        batch = batch_from_wire(message)
        rejects = list(message.unreadable)
        kept = self.node.lists.setdefault(collection, {})
        values = batch.columns.get("value", [])
        refs = batch.columns.get("ref", [""] * len(values))
        for where, value, ref in zip(batch.where, values, refs, strict=True):
            if value.startswith("bad"):
                rejects.append(collections_pb2.Reject(where=where, kind="domain", reason="malformed"))
            elif value in kept:
                done.duplicates += 1
            else:
                kept[value] = ref
                done.accepted += 1
        done.batches += 1
        done.rows += len(batch)
        done.rejects.extend(rejects)
        return rejects

    @staticmethod
    def _reply(done: Imported, rejects, **more) -> collections_pb2.ImportReply:
        return collections_pb2.ImportReply(
            batches_done=done.batches,
            rows=done.rows,
            accepted=done.accepted,
            duplicates=done.duplicates,
            rejected=len(done.rejects),
            rejects=rejects,
            **more,
        )

    async def ChangeEntry(self, request, context):
        self.node._note("ChangeEntry", request)
        return collections_pb2.ChangeEntryReply(entries=self.node.entries)


class _Matching(matching_pb2_grpc.MatchingServicer):
    def __init__(self, node: FakeNode) -> None:
        self.node = node

    async def StartMatch(self, request, context):
        self.node._note("StartMatch", request)
        return matching_pb2.StartMatchReply(exchange_id=EXCHANGE)

    async def ExplainMatch(self, request, context):
        self.node._note("ExplainMatch", request)
        return matching_pb2.ExplainMatchReply(
            engine="ecdh",
            why="the default",
            asker_learns="which",
            answerer_learns="that",
            coordinator_learns="who",
            asked=1000,
            asked_padded=1024,
            bytes_estimate=100_000,
            seconds_estimate=0.2,
            assumes="DH",
            key_check="none",
        )

    async def WatchExchange(self, request, context):
        self.node._note("WatchExchange", request)
        for found in self.node.ending:
            yield found
        while self.node.endless:
            await asyncio.sleep(0.01)
            yield self.node.ending[-1]

    async def ListExchanges(self, request, context):
        self.node._note("ListExchanges", request)
        return matching_pb2.ListExchangesReply(exchanges=self.node.ending)

    async def CancelExchange(self, request, context):
        self.node._note("CancelExchange", request)
        return matching_pb2.CancelExchangeReply(exchange=exchange("cancelled"))

    async def HoldHits(self, request, context):
        self.node._note("HoldHits", request)
        hold = request.hold if request.HasField("hold") else None
        return matching_pb2.HoldHitsReply(exchange=exchange(keep_until=NOW, hold=hold))

    async def DropHits(self, request, context):
        self.node._note("DropHits", request)
        return matching_pb2.DropHitsReply(exchange=exchange(keep_until=NOW, hits_deleted_at=NOW, stale=3))

    async def GetPermit(self, request, context):
        self.node._note("GetPermit", request)
        found = permit(offer(exchange=bytes.fromhex(EXCHANGE)), rules="a-rule")
        envelope = documents.countersign(found.sign(identity("bank")), identity("coordinator"))
        return matching_pb2.GetPermitReply(envelope=envelope, terms=TERMS.sign(identity("bank")))

    async def ListHits(self, request, context):
        self.node._note("ListHits", request)
        for first in range(0, len(self.node.hits), 100):
            yield matching_pb2.HitPage(hits=self.node.hits[first : first + 100])


@asynccontextmanager
async def serving(node: FakeNode, home: Path, *, name: str = "node") -> AsyncIterator[Path]:
    """Serve from a home until left; gives the home."""

    async def anybody(_access, _context) -> None:
        return None

    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    server = tls.server([Gate(anybody)])
    if name == "coordinator":
        coordinator_admin_pb2_grpc.add_CoordinatorAdminServicer_to_server(Coordinator(node), server)
    else:
        node_admin_pb2_grpc.add_NodeAdminServicer_to_server(_Admin(node), server)
        governance_pb2_grpc.add_GovernanceServicer_to_server(Governance(node), server)
        consents_pb2_grpc.add_ConsentsServicer_to_server(Consents(node), server)
        credentials_pb2_grpc.add_CredentialsServicer_to_server(Credentials(node), server)
        collections_pb2_grpc.add_CollectionsServicer_to_server(_Collections(node), server)
        matching_pb2_grpc.add_MatchingServicer_to_server(_Matching(node), server)
        register(node, server)
    socket = home / "admin.sock"
    server.add_insecure_port(f"unix:{socket}")
    await server.start()
    (home / "daemon.json").write_text(json.dumps({"pid": os.getpid(), "name": name, "socket": str(socket)}))
    try:
        yield home
    finally:
        await server.stop(0)


def every_fault() -> list[TrisectError]:
    """One error of each class that the whole family has here."""
    return [kind("said by the node", hint="a hint", rule="a-rule") for kind in _classes()]


def _classes() -> list[type[TrisectError]]:
    import trisect.errors

    found = [
        kind
        for kind in vars(trisect.errors).values()
        if isinstance(kind, type) and issubclass(kind, TrisectError)
    ]
    return [*found, status.RemoteBugError]
