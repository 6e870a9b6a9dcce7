"""The coordinator, put together."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
from grpc_reflection.v1alpha import reflection

from coordinator import authority
from coordinator.config import RELOADABLE, Config
from coordinator.permits import Permits
from coordinator.receipts import Receipts
from coordinator.record import PublicRecord
from coordinator.record_service import RecordService
from coordinator.registry import Registry
from coordinator.services import AdminService, DirectoryService, EnrolmentService, RelayService, authoriser
from coordinator.switchboard import Recorder, Switchboard
from trisect import daemon
from trisect.beat import Beat
from trisect.clock import system_clock, system_randomness
from trisect.daemon import Tasks
from trisect.errors import BadInputError, TrisectError
from trisect.home import Home
from trisect.rpc import tls
from trisect.rpc.authentication import Context
from trisect.rpc.authorisation import Access
from trisect.rpc.gate import Gate
from trisect.rpc.health import SERVICE_NAME, Health
from trisect.store.budgets import Budgets
from trisect.store.database import Database, sqlite_url
from trisect.store.record import Record
from trisect.store.tables import coordinator_budgets, coordinator_record
from trisect.trust.authority import Authority
from trisect.trust.certificates import Caller, Principal
from trisect.wire.v1 import (
    coordinator_admin_pb2_grpc,
    directory_pb2,
    directory_pb2_grpc,
    enrolment_pb2,
    enrolment_pb2_grpc,
    record_pb2,
    record_pb2_grpc,
    relay_pb2,
    relay_pb2_grpc,
)

_log = logging.getLogger(__name__)
DRAIN_S = 5.0
DATABASE_CHECK_S = 5.0
HEAD_EVERY_S = 1.0
SETTLE_S = 5.0
"""How long a coordinator that has started waits for its witnesses to come back and tell what they have seen."""
_SERVICES = (
    enrolment_pb2.DESCRIPTOR.services_by_name["Enrolment"].full_name,
    directory_pb2.DESCRIPTOR.services_by_name["Directory"].full_name,
    relay_pb2.DESCRIPTOR.services_by_name["Relay"].full_name,
    record_pb2.DESCRIPTOR.services_by_name["Record"].full_name,
)


class FileRecorder:
    """The demo's recorder: appends all that passes the relay to one file."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab")

    def record(self, data: bytes) -> None:
        """Keep these bytes."""
        self._file.write(data)
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class Coordinator:
    """One running coordinator.

    Args:
        home: its folder.
        config: what holds until the first reload.
        read: reads the configuration again.
    """

    def __init__(self, home: Home, config: Config, read: Callable[[], Config]) -> None:
        self._home = home
        self._config = config
        self._read = read
        self._database = Database(config.database or sqlite_url(home.path / "coordinator.db"))
        self._database.migrate("coordinator")
        self._authority = Authority(
            authority.load(home.path),
            Principal(config.consortium, Caller.COORDINATOR, "coordinator"),
            timedelta(days=config.certificate_days),
            system_clock,
        )
        key = authority.signing_key(home.path, system_randomness)
        self._signing_key = key.public
        self._registry = Registry(
            self._database,
            self._authority,
            key.public,
            clock=system_clock,
            randomness=system_randomness,
            party_life=timedelta(hours=config.party_certificate_hours),
        )
        self._record = PublicRecord(
            Record(self._database, coordinator_record), self._registry, key, config.consortium, system_clock
        )
        self._permits = Permits(
            self._registry, self._record, Budgets(self._database, coordinator_budgets), key, system_clock
        )
        self._recorder = FileRecorder(home.path / config.relay.record_to) if config.relay.record_to else None
        recorder: Recorder | None = self._recorder
        self._switchboard = Switchboard(config.relay, recorder)
        self._address = ""
        self._http = ""
        self._database_trouble = ""

    @asynccontextmanager
    async def serve(self, tasks: Tasks) -> AsyncIterator[dict[str, Any]]:
        """Serve until left; what has not been drained by then is ended."""
        gate = Gate(authoriser(self._registry, self._config.consortium, system_clock))
        server = tls.server([gate])
        health = self._register(server, gate)
        await health.tell(serving=False)
        credentials = tls.server_credentials(self._authority.own, self._authority.root.certificate)
        listen = self._home.remembered_port(self._config.listen)
        port = _bind(server, listen, credentials)
        self._home.remember_port(port)
        listening = f"{listen.rpartition(':')[0]}:{port}"
        self._address = self._config.advertise or listening
        desk = Gate(_administrators)
        admin = tls.server([desk])
        coordinator_admin_pb2_grpc.add_CoordinatorAdminServicer_to_server(
            AdminService(self._registry, self._switchboard, self._describe), admin
        )
        socket = self._home.socket()
        admin.add_insecure_port(f"unix:{socket}")
        await asyncio.gather(server.start(), admin.start())
        tasks.drain = lambda: self._drain(desk, health)
        tasks.reload = self._reload
        tasks.start(self._watch_database(), "watch the database")
        tasks.start(Beat().run(), "measure the event loop")
        tasks.keep(self._sign_heads, "sign heads of the record")
        tasks.start(health.follow(self._readiness), "tell gRPC's health")
        try:
            async with daemon.http(self._config.http.listen, self._readiness) as self._http:
                yield {
                    "address": self._address,
                    "listen": listening,
                    "socket": str(socket),
                    "http": self._http,
                }
        finally:
            stopping = asyncio.gather(server.stop(DRAIN_S), admin.stop(DRAIN_S))
            self._switchboard.close()
            await stopping
            await asyncio.to_thread(self._record.close)
            self._database.close()
            if self._recorder is not None:
                self._recorder.close()

    def _register(self, server: grpc.aio.Server, gate: Gate) -> Health:
        enrolment_pb2_grpc.add_EnrolmentServicer_to_server(EnrolmentService(self._registry), server)
        directory_pb2_grpc.add_DirectoryServicer_to_server(
            DirectoryService(self._registry, self._switchboard, gate, system_clock), server
        )
        relay_pb2_grpc.add_RelayServicer_to_server(
            RelayService(
                self._registry,
                self._switchboard,
                self._permits,
                Receipts(self._registry, self._record, system_clock),
                self._record,
                system_clock,
            ),
            server,
        )
        record_pb2_grpc.add_RecordServicer_to_server(
            RecordService(self._record, self._signing_key, self._switchboard), server
        )
        reflection.enable_server_reflection([*_SERVICES, SERVICE_NAME, reflection.SERVICE_NAME], server)
        return Health(server, _SERVICES)

    def _describe(self) -> dict[str, str]:
        return {
            "consortium": self._config.consortium,
            "address": self._address,
            "authority_fingerprint": self._authority.fingerprint,
            "http": self._http,
        }

    async def _drain(self, desk: Gate, health: Health) -> None:
        """Open nothing new, and wait for what passes the relay as long as is configured."""
        desk.stopping = True
        self._switchboard.stopping = True
        await health.drain()
        await self._switchboard.ended(self._config.drain_s)

    def _reload(self) -> None:
        self._config = daemon.reloaded(self._read, self._config, RELOADABLE)
        self._switchboard.limits = self._config.relay

    def _readiness(self) -> Iterable[tuple[str, str]]:
        if self._switchboard.stopping:
            yield "draining", "the coordinator stops when the exchanges in its relay have ended"
        if self._database_trouble:
            yield "database", self._database_trouble
        if waits := self._record.waits:
            yield "record", waits
        if self._registry.membership.founder is None:
            yield "consortium", "the founding government has not joined yet"

    async def _sign_heads(self) -> None:
        """Sign a head whenever there is something new, and tell every node, whose witness cosigns it."""
        signed = 0
        asyncio.get_running_loop().call_later(SETTLE_S, self._record.settle)
        while True:
            newest = await asyncio.to_thread(self._record.sign)
            if newest != signed:
                signed = newest
                self._switchboard.notify(relay_pb2.LinkDown(head_signed=relay_pb2.HeadSigned(size=newest)))
            await asyncio.sleep(HEAD_EVERY_S)

    async def _watch_database(self) -> None:
        while True:
            try:
                await asyncio.to_thread(self._database.check)
                self._database_trouble = ""
            except TrisectError as error:
                self._database_trouble = error.message
            await asyncio.sleep(DATABASE_CHECK_S)


async def _administrators(access: Access, _context: Context) -> Principal | None:
    if access not in {Access.ADMINISTRATOR, Access.ANYONE}:
        raise BadInputError(
            "this socket serves administrators only",
            hint="call the coordinator's TLS address for anything else",
        )
    return None


def _bind(server: grpc.aio.Server, listen: str, credentials: grpc.ServerCredentials) -> int:
    try:
        return server.add_secure_port(listen, credentials)
    except RuntimeError as error:
        raise BadInputError(
            f"cannot listen at {listen}", hint="another program has the port; choose another `listen`"
        ) from error
