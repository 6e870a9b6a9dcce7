"""A real consortium for tests: a coordinator and its parties' nodes, set up in one folder and running.

Homes are made in the test's own process, without the commands `init` and `join`: those have tests of their own,
and a walk begins sooner.
"""

from __future__ import annotations

import asyncio
import base64
import json
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from support import hostile_coordinator
from support.daemons import Coordinator, Daemon, Node, until
from support.nursery import run

from coordinator import authority
from nodes import enrol
from trisect.cli.demo import rules as demo_rules
from trisect.clock import system_clock, system_randomness
from trisect.config import to_toml
from trisect.home import Home
from trisect.store.keystore import write_private
from trisect.trust.invitations import Invitation
from trisect.trust.statements import Role

NUMBERS = {"telco": range(60), "bank": range(30, 90), "proxy": range(30, 90)}
"""The hosts of `Cluster.list_hosts`."""
COMMON = {f"r-{number}" for number in range(30, 60)}
"""The telco's refs of the hosts that it has in common with others."""
ROLES = {"government": "government", "telco": "provider", "bank": "provider", "proxy": "proxy"}


def foul_relay(daemon: Daemon) -> None:
    """Have a coordinator that misbehaves, or holds an exchange, when it is told to (`hostile_coordinator`)."""
    if isinstance(daemon, Coordinator):
        daemon.script = Path(hostile_coordinator.__file__)


def trisect(daemon: Daemon, *arguments: object, stdin: str = "") -> tuple[int, dict[str, Any]]:
    """Run the command at a daemon; gives its exit code and its one object."""
    ended = run("trisect", "--home", daemon.home, "--format", "json", *arguments, stdin=stdin)
    return ended.returncode, json.loads(ended.stdout)


def altered(invitation: str, **fields: str) -> str:
    """Write an invitation with other fields, as somebody between might."""
    prefix, body = invitation.split(":", 1)
    changed = json.loads(base64.urlsafe_b64decode(body)) | fields
    return f"{prefix}:{base64.urlsafe_b64encode(json.dumps(changed).encode()).decode()}"


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
    """A coordinator and its parties' nodes below one folder."""

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
        rules: bool = True,
    ) -> Cluster:
        """Set up and start a coordinator and admitted parties; the government is the first.

        With `rules` they have the demonstration's rulebook and notices, so that they may exchange.
        """
        cluster = cls(
            folder, Coordinator("trisect-coordinator", folder / "coordinator"), {}, databases, prepare
        )
        founder, *others = parties
        try:
            await cluster._found(demo=demo)
            await cluster.add(founder, ROLES[founder])
            await asyncio.gather(*(cluster.add(party, ROLES[party]) for party in others))
            if rules:
                await cluster.put_rules_in_place()
        except BaseException:
            cluster.stop()
            raise
        return cluster

    async def _found(self, *, demo: bool) -> None:
        """Make the coordinator's home as `trisect-coordinator init` does, and start it."""
        home, consortium = self.coordinator.home, f"consortium-{system_randomness(4).hex()}"
        home.mkdir(mode=0o700, parents=True)
        authority.create(home, consortium, system_clock, system_randomness)
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
            config.write('drain_s = 0.5\n[imports]\nlegal_basis = "statutory-duty: ATOFL 16"\n')
        await self._start(node)
        government = next(iter(self.nodes.values()))
        if government is not node:
            await government.admit(party, joined.fingerprint)
        await until(node.is_admitted, f"{party} to be admitted")
        return node

    async def put_rules_in_place(self) -> None:
        """Publish the demonstration's rulebook and everybody's notice, and wait until all know them."""
        founder = next(iter(self.nodes.values()))

        async def place(node: Node) -> None:
            role = Role(ROLES.get(node.name, "provider"))
            await node.put_rules_in_place(role, founder=node is founder)
            async with node.channel() as channel:
                known = partial(demo_rules.known, channel, len(self.nodes))
                await until(known, f"{node.name} to know all notices")

        await asyncio.gather(*map(place, self.nodes.values()))

    async def list_hosts(self) -> None:
        """Give all but the government a shared collection `list` each, with `COMMON` in all."""
        for name in NUMBERS.keys() & self.nodes.keys():
            await self[name].offer_hosts(NUMBERS[name])

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
