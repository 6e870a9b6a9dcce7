"""A real consortium for tests: daemons as operating-system processes, driven over their own sockets.

Processes are found by their state files, and waited for by what they answer; nothing here guesses at time.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import urllib.error
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import grpc.aio
from support.batches import cut

from coordinator import authority
from nodes import enrol
from trisect.clock import system_clock, system_randomness
from trisect.config import to_toml
from trisect.daemon import Home, ask
from trisect.errors import TrisectError
from trisect.indicators.readers.batch import Batch
from trisect.rpc import tls
from trisect.rpc.ending import Ending
from trisect.rpc.status import from_rpc
from trisect.store.keystore import write_private
from trisect.trust.invitations import Invitation
from trisect.wire.convert import batch_to_wire
from trisect.wire.v1 import (
    collections_pb2,
    collections_pb2_grpc,
    coordinator_admin_pb2,
    coordinator_admin_pb2_grpc,
    matching_pb2,
    matching_pb2_grpc,
    node_admin_pb2,
    node_admin_pb2_grpc,
)

BIN = Path(sys.executable).parent
SUPPORT = Path(__file__).parent
START_S = 30.0
POLL_S = 0.05
NUMBERS = {"telco": range(60), "bank": range(30, 90)}
"""The hosts of `Cluster.list_hosts`."""
COMMON = {f"r-{number}" for number in range(30, 60)}
"""The telco's refs of the hosts that both have."""
ROLES = {"government": "government", "telco": "provider", "bank": "provider", "proxy": "proxy"}


def hosts(numbers: Iterable[int]) -> list[str]:
    return [f"host-{number}.example.com" for number in numbers]


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
    process: subprocess.Popen | None = None
    environment: dict[str, str] = field(default_factory=dict)
    script: Path | None = None
    """A misbehaving stand-in to run in place of the program."""

    def spawn(self) -> None:
        with (self.home / "stderr.log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *([BIN / "python", self.script] if self.script else [BIN / self.program]),
                    "run",
                    "--home",
                    self.home,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=os.environ | self.environment,
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
        self.script = SUPPORT / "tuned_daemon.py"
        (self.home / "tuned.json").write_text(json.dumps(constants))

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
        return tls.socket_channel(Path(self.state["socket"]))

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

    async def status(self) -> node_admin_pb2.GetStatusReply:
        async with self.channel() as channel:
            return await node_admin_pb2_grpc.NodeAdminStub(channel).GetStatus(
                node_admin_pb2.GetStatusRequest(), timeout=10
            )

    async def admit(self, party: str, fingerprint: str = "", role: str = "") -> node_admin_pb2.PartyInfo:
        async with self.channel() as channel:
            reply = await node_admin_pb2_grpc.NodeAdminStub(channel).Admit(
                node_admin_pb2.AdmitRequest(party=party, fingerprint=fingerprint, role=role), timeout=20
            )
            return reply.party

    async def admin(self, method: str, request):
        async with self.channel() as channel:
            return await getattr(node_admin_pb2_grpc.NodeAdminStub(channel), method)(request, timeout=30)

    async def lists(self, method: str, request):
        async with self.channel() as channel:
            return await getattr(collections_pb2_grpc.CollectionsStub(channel), method)(request, timeout=30)

    async def matching(self, method: str, request):
        async with self.channel() as channel:
            return await getattr(matching_pb2_grpc.MatchingStub(channel), method)(request, timeout=30)

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


def foul_relay(daemon: Daemon) -> None:
    """Have a coordinator that misbehaves, or holds an exchange, when it is told to (`hostile_coordinator`)."""
    if isinstance(daemon, Coordinator):
        daemon.script = SUPPORT / "hostile_coordinator.py"


def run(program: str, *arguments: object, environment: dict[str, str] | None = None, stdin: str = ""):
    """Run one of our programs to its end."""
    return subprocess.run(
        [BIN / program, *map(str, arguments)],
        capture_output=True,
        text=True,
        input=stdin,
        timeout=60,
        check=False,
        env=os.environ | (environment or {}),
    )


def join(home: Path, invitation: str, *arguments: object) -> dict:
    """Join; gives the data of the command's answer."""
    done = run(
        "trisect-node",
        "join",
        "--home",
        home,
        "--invitation",
        "-",
        "--format",
        "json",
        *arguments,
        stdin=invitation,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["data"]


@dataclass
class Cluster:
    """A coordinator and its parties' nodes below one folder.

    Homes are made in the test's own process, without the commands `init` and `join`: those have tests of their
    own, and a walk begins sooner.
    """

    folder: Path
    coordinator: Coordinator
    nodes: dict[str, Node] = field(default_factory=dict)
    databases: Callable[[str], str] | None = None
    """Gives the URL of a daemon's database; SQLite in the home where there is none."""
    prepare: Callable[[Daemon], None] | None = None
    """Called with every daemon that has its home, before it starts."""

    def __getitem__(self, name: str) -> Node:
        return self.nodes[name]

    @property
    def daemons(self) -> list[Daemon]:
        return [self.coordinator, *self.nodes.values()]

    @classmethod
    async def create(
        cls,
        folder: Path,
        parties: Sequence[str] = tuple(ROLES),
        *,
        demo: bool = True,
        databases: Callable[[str], str] | None = None,
        prepare: Callable[[Daemon], None] | None = None,
    ) -> Cluster:
        """Set up and start a coordinator and admitted parties; the government is the first."""
        cluster = cls(
            folder, Coordinator("trisect-coordinator", folder / "coordinator"), {}, databases, prepare
        )
        founder, *others = parties
        try:
            await cluster._found(demo=demo)
            await cluster.add(founder, ROLES[founder])
            await asyncio.gather(*(cluster.add(party, ROLES[party]) for party in others))
        except BaseException:
            cluster.stop()
            raise
        return cluster

    async def _found(self, *, demo: bool) -> None:
        """Make the coordinator's home as `trisect-coordinator init` does, and start it."""
        home, consortium = self.coordinator.home, f"consortium-{system_randomness(4).hex()}"
        home.mkdir(mode=0o700, parents=True)
        authority.create(home, consortium, system_clock)
        database = self.databases("coordinator") if self.databases else ""
        settings = to_toml({"consortium": consortium, "listen": "127.0.0.1:0", "database": database})
        settings += "drain_s = 0.5\n"
        if demo:
            settings += 'profile = "demo"\n[relay]\nrecord_to = "relay.bin"\n'
        write_private(home / "config.toml", settings.encode())
        await self._start(self.coordinator)

    async def _start(self, daemon: Daemon) -> None:
        if self.prepare:
            self.prepare(daemon)
        await daemon.start()

    async def add(self, party: str, role: str) -> Node:
        """Invite, join, start and admit one party."""
        node = self.nodes[party] = Node("trisect-node", self.folder / party)
        invitation = Invitation.from_text(await self.coordinator.invite(party, role))
        settings = {"profile": "demo", "database": self.databases(party) if self.databases else ""}
        joined = await enrol.join(
            Home(node.home), invitation, settings, "", clock=system_clock, randomness=system_randomness
        )
        with (node.home / "config.toml").open("a") as config:
            config.write("drain_s = 0.5\n")
        await self._start(node)
        government = next(iter(self.nodes.values()))
        if government is not node:
            await government.admit(party, joined.fingerprint)
        await until(node.is_admitted, f"{party} to be admitted")
        return node

    async def list_hosts(self) -> None:
        """Give telco and bank a shared collection `list` each, with `COMMON` in both."""
        for name, numbers in NUMBERS.items():
            await self[name].offer_hosts(numbers)

    def stop(self) -> None:
        for daemon in self.daemons:
            if daemon.process is not None and daemon.process.poll() is None:
                daemon.process.terminate()
        for daemon in self.daemons:
            if daemon.process is not None:
                try:
                    daemon.process.wait(20)
                except subprocess.TimeoutExpired:
                    daemon.kill()
