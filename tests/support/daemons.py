"""Daemons for tests, as operating-system processes, each with what its administrator does over its socket.

Processes are found by their state files, and waited for by what they answer; nothing here guesses at time.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import urllib.error
from collections.abc import AsyncIterator, Awaitable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import grpc.aio
import psutil
from support import nursery, tuned_daemon
from support.batches import cut
from support.nursery import BIN
from support.processes import children

from trisect.cli.demo import rules
from trisect.clock import system_clock
from trisect.daemon import ask
from trisect.errors import TrisectError
from trisect.indicators.readers.batch import Batch
from trisect.rpc.admin_socket import socket_channel
from trisect.rpc.ending import Ending
from trisect.rpc.status import from_rpc
from trisect.trust import canonical_json
from trisect.trust.statements import Role
from trisect.wire.convert import batch_to_wire
from trisect.wire.v1 import (
    collections_pb2,
    collections_pb2_grpc,
    coordinator_admin_pb2,
    coordinator_admin_pb2_grpc,
    governance_pb2,
    governance_pb2_grpc,
    matching_pb2,
    matching_pb2_grpc,
    node_admin_pb2,
    node_admin_pb2_grpc,
)

START_S = 30.0
POLL_S = 0.05


def hosts(numbers: Iterable[int]) -> list[str]:
    return [f"host-{number}.example.com" for number in numbers]


def is_gone(pid: int) -> bool:
    """Tell whether a process has ended, buried or not."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    return True


async def until_gone(pid: int) -> None:
    """Wait until a process has ended, buried or not."""

    async def gone() -> bool:
        return is_gone(pid)

    await until(gone, f"process {pid} to end")


async def failure(awaitable: Awaitable[object]) -> TrisectError:
    """Wait for a call that fails, and give our error."""
    try:
        await awaitable
    except grpc.aio.AioRpcError as error:
        return from_rpc(error, "the daemon")
    raise AssertionError("the call did not fail")


async def until(condition, what: str, timeout_s: float = START_S):
    """Wait until an async condition gives something true; gives it."""
    deadline = asyncio.get_running_loop().time() + timeout_s
    while True:
        found = await condition()
        if found:
            return found
        if asyncio.get_running_loop().time() > deadline:
            raise AssertionError(f"waited {timeout_s} s in vain for: {what}")
        await asyncio.sleep(POLL_S)


@dataclass
class Daemon:
    """One daemon's process and home."""

    program: str
    home: Path
    process: subprocess.Popen | nursery.Process | None = None
    environment: dict[str, str] = field(default_factory=dict)
    script: Path | None = None
    """A misbehaving stand-in to run in place of the program."""
    options: tuple[object, ...] = ()
    """What `run` is told besides its home."""

    def spawn(self) -> None:
        words = ("run", "--home", self.home, *self.options)
        environment = os.environ | self.environment
        with (self.home / "stderr.log").open("ab") as log:
            if self.script is None or not tuned_daemon.is_shifted(self.home):
                self.process = nursery.start(
                    self.program, *words, output=log, environment=environment, script=self.script
                )
                return
            self.process = subprocess.Popen(
                [BIN / "python", self.script, *words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
            )

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    @property
    def state(self) -> dict:
        return json.loads((self.home / "daemon.json").read_text())

    async def started(self) -> None:
        async def serving() -> bool:
            assert self.process is not None
            if self.process.poll() is not None:
                raise AssertionError(f"{self.program} ended: {self.log()[-3000:]}")
            with contextlib.suppress(OSError, ValueError):
                return self.state["pid"] == self.pid
            return False

        await until(serving, f"{self.home.name} to serve")

    def misbehave(self, **plan: object) -> None:
        """Tell a misbehaving stand-in what to do next."""
        scratch = self.home / "hostile.new"
        scratch.write_text(json.dumps(plan))
        scratch.replace(self.home / "hostile.json")

    def tune(self, constants: dict[str, float]) -> None:
        """Have it start with other constants of its modules from now on (`tuned_daemon`)."""
        self.script = Path(tuned_daemon.__file__)
        (self.home / tuned_daemon.PLAN).write_text(json.dumps(constants))

    def behave(self) -> None:
        """End a plan that stays."""
        (self.home / "hostile.json").unlink()

    @property
    def has_misbehaved(self) -> bool:
        return not (self.home / "hostile.json").exists()

    async def start(self) -> None:
        (self.home / "daemon.json").unlink(missing_ok=True)
        self.spawn()
        await self.started()

    def kill(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def terminate(self) -> int:
        assert self.process is not None
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(20)

    def log(self) -> str:
        files = [self.home / "stderr.log", *sorted((self.home / "logs").glob("*"))]
        return "".join(path.read_text() for path in files if path.exists())

    def channel(self) -> grpc.aio.Channel:
        return socket_channel(Path(self.state["socket"]))

    def ready(self) -> list[dict]:
        try:
            with ask(self.state["http"] + "/ready", timeout_s=5) as reply:
                return json.load(reply)["reasons"]
        except urllib.error.HTTPError as error:
            return json.load(error)["reasons"]

    def metrics(self) -> str:
        with ask(self.state["http"] + "/metrics", timeout_s=5) as reply:
            return reply.read().decode()


@dataclass
class Node(Daemon):
    """A party's node, with what an administrator does."""

    @property
    def name(self) -> str:
        return self.home.name

    def psi_workers(self) -> list[psutil.Process]:
        """Give the processes that compute exchanges."""
        nursery = self.psi_nursery()
        return nursery.children() if nursery else []

    def psi_nursery(self) -> psutil.Process | None:
        """Give the process that workers are forked from."""
        return next(iter(children(self.pid, "nodes.psi_worker")), None)

    async def status(self) -> node_admin_pb2.GetStatusReply:
        async with self.channel() as channel:
            return await node_admin_pb2_grpc.NodeAdminStub(channel).GetStatus(
                node_admin_pb2.GetStatusRequest(), timeout=10
            )

    async def admit(self, party: str, fingerprint: str = "", role: str = "") -> node_admin_pb2.PartyInfo:
        async with self.channel() as channel:
            vetting = rules.vetting(system_clock())
            request = node_admin_pb2.AdmitRequest(
                party=party,
                fingerprint=fingerprint,
                role=role,
                reviewer=vetting.reviewer,
                evidence=vetting.evidence,
                vetted_until=vetting.expires,
            )
            return (await node_admin_pb2_grpc.NodeAdminStub(channel).Admit(request, timeout=20)).party

    async def put_rules_in_place(self, role: Role, *, founder: bool = False) -> None:
        """Publish a notice, and the founder's rulebook."""
        async with self.channel() as channel:
            await rules.put_in_place(channel, system_clock(), role, founder=founder)

    async def admin(self, method: str, request):
        async with self.channel() as channel:
            return await getattr(node_admin_pb2_grpc.NodeAdminStub(channel), method)(request, timeout=30)

    async def file(self, kind: str, content: dict[str, canonical_json.Json], about: str = "") -> None:
        """File a document about a party, or about its own."""
        request = governance_pb2.FileDocumentRequest(
            kind=kind, party=about, content=canonical_json.encode(content)
        )
        async with self.channel() as channel:
            await governance_pb2_grpc.GovernanceStub(channel).FileDocument(request, timeout=30)

    async def lists(self, method: str, request):
        async with self.channel() as channel:
            return await getattr(collections_pb2_grpc.CollectionsStub(channel), method)(request, timeout=30)

    async def matching(self, method: str, request):
        async with self.channel() as channel:
            return await getattr(matching_pb2_grpc.MatchingStub(channel), method)(request, timeout=30)

    async def peppers(self) -> node_admin_pb2.GetPepperStatusReply:
        return await self.admin("GetPepperStatus", node_admin_pb2.GetPepperStatusRequest())

    async def until_rolled(self, epoch: int) -> None:
        """Wait until all that it keeps is of a pepper epoch."""

        async def rolled() -> bool:
            found = await self.peppers()
            return found.epoch == epoch and not found.rolling

        await until(rolled, f"{self.name} to have rolled to epoch {epoch}")

    async def is_admitted(self) -> bool:
        found = await self.status()
        return found.admitted and found.links[0].connected

    async def import_values(
        self, collection: str, values: Sequence[str], *, kind: str = "domain", **options
    ) -> collections_pb2.ImportReply:
        """Import values with refs r-0, r-1, ..."""
        last = None
        async for last in self.import_batches(collection, cut(values), kind=kind, **options):
            pass
        assert last is not None
        return last

    async def import_batches(
        self, collection: str, batches: Iterable[Batch], *, kind: str, **options
    ) -> AsyncIterator[collections_pb2.ImportReply]:
        begin = collections_pb2.ImportBegin(collection=collection, kind=kind, **options)

        async def requests() -> AsyncIterator[collections_pb2.ImportRequest]:
            yield collections_pb2.ImportRequest(begin=begin)
            for batch in batches:
                yield collections_pb2.ImportRequest(batch=batch_to_wire(batch))
            yield collections_pb2.ImportRequest(finish=collections_pb2.ImportFinish())

        async with self.channel() as channel:
            stub = collections_pb2_grpc.CollectionsStub(channel)
            call = stub.Import(requests(), timeout=300)
            ending = Ending(call)
            try:
                async for reply in call:
                    yield reply
            except grpc.aio.AioRpcError as error:
                raise await ending.of(error) from None

    async def share(self, collection: str, whom: str, purpose: str = "scam-prevention", mode: str = "match"):
        sharing = collections_pb2.Sharing(purpose=purpose, modes=[mode], **{"with": whom})
        await self.lists(
            "ShareCollection", collections_pb2.ShareCollectionRequest(collection=collection, sharing=sharing)
        )

    async def start_match(
        self, collection: str, peer: str, theirs: str, purpose: str = "scam-prevention"
    ) -> str:
        reply = await self.matching(
            "StartMatch",
            matching_pb2.StartMatchRequest(
                collection=collection, peer=peer, peer_collection=theirs, purpose=purpose
            ),
        )
        return reply.exchange_id

    async def outcome(self, exchange_id: str, timeout_s: float = 120) -> matching_pb2.Exchange:
        last = None
        async with self.channel() as channel:
            stub = matching_pb2_grpc.MatchingStub(channel)
            request = matching_pb2.WatchExchangeRequest(exchange_id=exchange_id)
            async for last in stub.WatchExchange(request, timeout=timeout_s):
                pass
        assert last is not None
        return last

    async def offer_hosts(self, numbers: Iterable[int]) -> None:
        """Import hosts as the collection `list` and share it with everybody."""
        await self.import_values("list", hosts(numbers))
        await self.share("list", "all")

    async def match(self, collection: str, peer: str, theirs: str, **options) -> matching_pb2.Exchange:
        return await self.outcome(await self.start_match(collection, peer, theirs, **options))

    async def hits(self, exchange_id: str = "") -> list[matching_pb2.Hit]:
        found: list[matching_pb2.Hit] = []
        async with self.channel() as channel:
            stub = matching_pb2_grpc.MatchingStub(channel)
            async for page in stub.ListHits(
                matching_pb2.ListHitsRequest(exchange_id=exchange_id), timeout=60
            ):
                found.extend(page.hits)
        return found

    async def exchange(self, exchange_id: str) -> matching_pb2.Exchange:
        reply = await self.matching(
            "ListExchanges", matching_pb2.ListExchangesRequest(exchange_id=exchange_id)
        )
        return reply.exchanges[0]


@dataclass
class Coordinator(Daemon):
    """The coordinator, with what its administrator does."""

    def relayed(self) -> tuple[float, float]:
        """Give how many sealed frames, and bytes of them, its relay has taken from anybody."""
        found = dict(line.split() for line in self.metrics().splitlines() if not line.startswith("#"))
        return float(found["trisect_relay_frames_total"]), float(found["trisect_relay_bytes_total"])

    async def invite(self, party: str, role: str, ttl_s: int = 3600) -> str:
        async with self.channel() as channel:
            reply = await coordinator_admin_pb2_grpc.CoordinatorAdminStub(channel).Invite(
                coordinator_admin_pb2.InviteRequest(party=party, role=role, ttl_s=ttl_s), timeout=10
            )
            return reply.invitation

    async def status(self) -> coordinator_admin_pb2.GetCoordinatorStatusReply:
        async with self.channel() as channel:
            return await coordinator_admin_pb2_grpc.CoordinatorAdminStub(channel).GetCoordinatorStatus(
                coordinator_admin_pb2.GetCoordinatorStatusRequest(), timeout=10
            )
