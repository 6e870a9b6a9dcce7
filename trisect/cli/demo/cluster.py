"""The demonstration's cluster: five operating-system processes below one folder, D/<name>/ their homes.

`up` starts what is not running and returns when all daemons are ready and every party is admitted; a second
`up` finds the same. If one daemon fails, all are stopped and its log is named.
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
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from trisect.cli.demo import rules
from trisect.clock import system_clock, system_randomness
from trisect.daemon import ask
from trisect.errors import BadInputError, ConflictError, TrisectError
from trisect.home import Home
from trisect.rpc.admin_socket import socket_channel
from trisect.rpc.status import translated
from trisect.trust.statements import Role
from trisect.wire.v1 import (
    coordinator_admin_pb2,
    coordinator_admin_pb2_grpc,
    node_admin_pb2,
    node_admin_pb2_grpc,
)

COORDINATOR = "coordinator"
START_S = 60.0
STOP_S = 20.0
TICK_S = 1.0
"""From one frame of consents to the next: nobody waits ten seconds in a demonstration."""
DRAIN_S = 5.0
POLL_S = 0.05
CALL_S = 20.0
MARK = "demo.json"


@dataclass(frozen=True, slots=True)
class Party:
    """One party of the demonstration, with what its imports have by default."""

    name: str
    role: str
    source: str
    region: str


PARTIES = (
    Party("government", "government", "Anti-fraud centre", "US"),
    Party("telco", "provider", "Abnormal-call monitoring", "US"),
    Party("bank", "provider", "Fraud department", "US"),
    Party("proxy", "proxy", "Complaints of consumers", "US"),
)


class DemoFailedError(TrisectError):
    """A daemon of the demonstration failed; its log is named."""

    code = "TRI-DEMO"


@dataclass(frozen=True, slots=True)
class Member:
    """One running daemon as `demo up` tells it."""

    name: str
    role: str
    home: str
    pid: int
    addresses: Mapping[str, str]


class Cluster:
    """The daemons below one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def home(self, name: str) -> Home:
        """Give a daemon's home."""
        return Home(self.folder / name)

    @property
    def names(self) -> list[str]:
        """All daemons, the coordinator first."""
        return [COORDINATOR, *(party.name for party in PARTIES)]

    async def up(self) -> list[Member]:
        """Start what is not running, and wait until all are ready.

        Raises:
            BadInputError: the folder holds something else.
            DemoFailedError: a daemon did not come up; all have been stopped.
        """
        self._claim()
        try:
            await self._start_coordinator()
            founder, *others = PARTIES
            await self._start_party(founder)
            await asyncio.gather(*(self._start_party(party) for party in others))
            await asyncio.gather(*(self._put_rules_in_place(party) for party in PARTIES))
            for name in self.names:
                await self._until(name, partial(self._ready, name), "become ready")
        except BaseException:
            await self.down()
            raise
        return [self._member(name) for name in self.names]

    async def running(self) -> bool:
        """Tell whether any daemon of the cluster runs."""
        return any(self._pid(name) for name in self.names)

    async def down(self) -> list[str]:
        """Stop every daemon and wait until all have exited; gives the names of those that ran."""
        running = {name: pid for name in self.names if (pid := self._pid(name))}
        for pid in running.values():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        deadline = asyncio.get_running_loop().time() + STOP_S
        while any(self._alive(pid) for pid in running.values()):
            if asyncio.get_running_loop().time() > deadline:
                for pid in running.values():
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
            await asyncio.sleep(POLL_S)
        return list(running)

    def _claim(self) -> None:
        mark = self.folder / MARK
        if self.folder.exists() and any(self.folder.iterdir()) and not mark.exists():
            raise BadInputError(
                f"{self.folder} is not empty and no demo cluster", hint="choose an empty folder"
            )
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        mark.write_text(json.dumps({"schema": 1}) + "\n")

    async def _start_coordinator(self) -> None:
        home = self.home(COORDINATOR)
        if not home.config.exists():
            consortium = f"demo-{system_randomness(4).hex()}"
            await self._run("trisect-coordinator", "init", "--home", home.path, "--consortium", consortium)
            _append(home, f'profile = "demo"\ndrain_s = {DRAIN_S}\n\n[relay]\nrecord_to = "relay.bin"\n')
        await self._start(COORDINATOR, "trisect-coordinator")

    async def _start_party(self, party: Party) -> None:
        home = self.home(party.name)
        if not home.config.exists():
            reply = await self._invite(party)
            await self._run(
                "trisect-node", "join", "--home", home.path, "--invitation", "-", stdin=reply.invitation
            )
            _append(
                home,
                f'profile = "demo"\ndrain_s = {DRAIN_S}\n\n[imports]\n'
                f'source = "{party.source}"\nregion = "{party.region}"\n'
                'legal_basis = "statutory-duty: ATOFL 16"\nretention_days = 365\n'
                f"\n[consents]\ntick_s = {TICK_S}\nepoch_s = {2 * TICK_S}\n",
            )
        await self._start(party.name, "trisect-node")
        status = await self._status(party.name)
        if not status.admitted and party.role != "government":
            await self._admit(party.name, status.fingerprint)
        await self._until(party.name, lambda: self._admitted(party.name), "be admitted")

    async def _put_rules_in_place(self, party: Party) -> None:
        async def known() -> bool:
            async with socket_channel(self.socket(party.name)) as channel:
                return await rules.known(channel, len(PARTIES))

        async with (
            socket_channel(self.socket(party.name)) as channel,
            translated(f"the node of {party.name}"),
        ):
            founder = party is PARTIES[0]
            await rules.put_in_place(channel, system_clock(), Role(party.role), founder=founder)
            await self._until(party.name, known, "learn the rulebook and all notices")

    async def _invite(self, party: Party) -> coordinator_admin_pb2.InviteReply:
        request = coordinator_admin_pb2.InviteRequest(party=party.name, role=party.role, ttl_s=3600)
        async with socket_channel(self.socket(COORDINATOR)) as channel, translated("the coordinator"):
            stub = coordinator_admin_pb2_grpc.CoordinatorAdminStub(channel)
            return await stub.Invite(request, timeout=CALL_S)

    async def _status(self, name: str) -> node_admin_pb2.GetStatusReply:
        async with socket_channel(self.socket(name)) as channel, translated(f"the node of {name}"):
            stub = node_admin_pb2_grpc.NodeAdminStub(channel)
            return await stub.GetStatus(node_admin_pb2.GetStatusRequest(), timeout=CALL_S)

    async def _admit(self, name: str, fingerprint: str) -> None:
        vetting = rules.vetting(system_clock())
        request = node_admin_pb2.AdmitRequest(
            party=name,
            fingerprint=fingerprint,
            reviewer=vetting.reviewer,
            evidence=vetting.evidence,
            vetted_until=vetting.expires,
        )
        government = PARTIES[0].name
        async with (
            socket_channel(self.socket(government)) as channel,
            translated("the government's node"),
        ):
            await node_admin_pb2_grpc.NodeAdminStub(channel).Admit(request, timeout=CALL_S)

    async def _admitted(self, name: str) -> bool:
        found = await self._status(name)
        return found.admitted and all(link.connected for link in found.links)

    async def _ready(self, name: str) -> bool:
        def answers() -> bool:
            url = f"{self.home(name).running()['http']}/ready"
            try:
                with ask(url, timeout_s=CALL_S) as reply:
                    return bool(reply.status == 200)  # noqa: PLR2004
            except (urllib.error.URLError, OSError):
                return False

        return await asyncio.to_thread(answers)

    def socket(self, name: str) -> Path:
        """Give the path of a running daemon's administration socket."""
        return Path(self.home(name).running()["socket"])

    async def _start(self, name: str, program: str) -> None:
        home = self.home(name)
        if self._pid(name):
            return
        home.state.unlink(missing_ok=True)
        home.logs.mkdir(mode=0o700, exist_ok=True)
        with (home.logs / "stderr.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(  # noqa: ASYNC220  (returns at once)
                [_program(program), "run", "--home", home.path],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        await self._until(name, lambda: _true(self._pid(name) != 0), "start")

    async def _until(self, name: str, condition: Callable[[], Awaitable[bool]], what: str) -> None:
        deadline = asyncio.get_running_loop().time() + START_S
        while not await condition():
            process = self._processes.get(name)
            if process is not None and process.poll() is not None:
                raise self._failed(name, f"ended with exit code {process.returncode}")
            if asyncio.get_running_loop().time() > deadline:
                raise self._failed(name, f"did not {what} in {START_S:.0f} s")
            await asyncio.sleep(POLL_S)

    def _failed(self, name: str, what: str) -> DemoFailedError:
        return DemoFailedError(f"the daemon {name} {what}", hint=f"its log: {self.home(name).logs}")

    async def _run(self, program: str, *arguments: object, stdin: str = "") -> None:
        process = await asyncio.create_subprocess_exec(
            _program(program),
            *map(str, arguments),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate(stdin.encode())
        if process.returncode:
            raise DemoFailedError(
                f"{program} {arguments[0]} failed: {output.decode(errors='replace').strip()}",
                hint="`trisect doctor` looks whether this machine is fit; the logs are in the daemon's home",
            )

    def _member(self, name: str) -> Member:
        state = self.home(name).running()
        roles = {party.name: party.role for party in PARTIES}
        addresses: dict[str, str] = {
            key: str(state[key]) for key in ("address", "http", "socket") if key in state
        }
        home = str(self.home(name).path)
        return Member(name, roles.get(name, COORDINATOR), home, int(state["pid"]), addresses)

    def _pid(self, name: str) -> int:
        """Tell the process of a daemon, or 0; a killed one's number may meanwhile be somebody else's."""
        home = self.home(name)
        try:
            pid = int(home.running()["pid"])
            words = psutil.Process(pid).cmdline()
        except (ConflictError, psutil.Error):
            return 0
        return pid if any(Path(word).resolve() == home.path.resolve() for word in words) else 0

    @staticmethod
    def _alive(pid: int) -> bool:
        try:
            return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False


async def _true(found: bool) -> bool:  # noqa: FBT001  (a condition that is known already)
    return found


def _append(home: Home, text: str) -> None:
    home.config.write_text(home.config.read_text() + text)


def _program(name: str) -> str:
    """Find one of our programs beside the interpreter that runs us."""
    beside = Path(sys.executable).parent / name
    return str(beside) if beside.exists() else name


def describe(members: list[Member]) -> list[dict[str, Any]]:
    """Write the cluster for `--format json`."""
    return [
        {"name": m.name, "role": m.role, "home": m.home, "pid": m.pid, "addresses": dict(m.addresses)}
        for m in members
    ]
