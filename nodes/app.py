"""The node, put together."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc.aio
from grpc_reflection.v1alpha import reflection

from nodes.accusing import Accusing
from nodes.announcing import Announcing
from nodes.apps import Apps
from nodes.clients import Clients
from nodes.config import DEMO, RELOADABLE, Config
from nodes.consents.part import ConsentsPart
from nodes.drifting import Drifting
from nodes.exchanges.part import ExchangesPart
from nodes.governing import Governing
from nodes.history import History
from nodes.intake import Intake
from nodes.keys import NodeKeys
from nodes.link import Link
from nodes.members import Members
from nodes.offering import Offering
from nodes.peppers import Peppers
from nodes.proposals import Proposals
from nodes.readiness import Readiness
from nodes.schedules import Scheduler
from nodes.services.collections import CollectionsService
from nodes.services.credentials import CredentialsService
from nodes.services.governance import GovernanceService
from nodes.services.node_admin import NodeAdminService
from nodes.services.proofs import ProofsService
from nodes.services.record import RecordAdminService
from nodes.services.schedules import SchedulesService
from nodes.spending import Spending
from nodes.succession import Successions
from nodes.supervising import Supervising
from nodes.underway import Underway
from nodes.witness import Witness
from trisect import daemon
from trisect.beat import Beat
from trisect.clock import system_clock, system_randomness
from trisect.daemon import Tasks
from trisect.errors import BadInputError
from trisect.home import Home
from trisect.rpc import tls
from trisect.rpc.authentication import Context
from trisect.rpc.authorisation import Access
from trisect.rpc.gate import Gate
from trisect.rpc.health import SERVICE_NAME, Health
from trisect.store.collections import Collections
from trisect.store.credentials import Credentials
from trisect.store.database import Database, sqlite_url
from trisect.store.intake import Imports
from trisect.store.record import Record
from trisect.store.rolling import Rolling
from trisect.store.schedules import Schedules
from trisect.store.settings import Setting
from trisect.store.statements import Statements
from trisect.store.tables import node_record, node_statements
from trisect.trust.certificates import Caller, Principal
from trisect.trust.keys import Fingerprint
from trisect.trust.statements import Role, party_name
from trisect.wire.v1 import (
    collections_pb2_grpc,
    consents_pb2_grpc,
    credentials_pb2_grpc,
    governance_pb2_grpc,
    matching_pb2_grpc,
    node_admin_pb2_grpc,
    proofs_pb2_grpc,
    record_admin_pb2_grpc,
    relay_pb2,
    schedules_pb2_grpc,
)

_log = logging.getLogger(__name__)
DRAIN_S = 5.0


class Node:
    """One running node.

    Args:
        home: its folder.
        config: what holds until the first reload.
        read: reads the configuration again.
    """

    def __init__(self, home: Home, config: Config, read: Callable[[], Config]) -> None:
        self._home = home
        self._config = config
        self._read = read
        self._underway = Underway()
        self._database = Database(config.database or sqlite_url(home.path / "node.db"))
        self._database.migrate("node")
        keys = NodeKeys.load(home.path)
        self._beat = Beat()
        self._http = ""
        self._link = Link(
            config.coordinator,
            Principal(config.consortium, Caller.PARTY, config.party),
            keys,
            home.path,
            clock=system_clock,
            call_timeout_s=config.timeouts.call_s,
        )
        self._peppers = Peppers(Rolling(self._database), keys.storage, system_randomness)
        statements = Statements(self._database, node_statements)
        self._history = History(party_name(config.party), self._link, statements)
        self._members = Members(
            name=party_name(config.party),
            role=Role(config.role),
            consortium=config.consortium,
            # A government without a founder in its configuration founds: nobody else may in its place.
            founder=Fingerprint(config.founder) if config.founder else keys.identities[0].fingerprint,
            link=self._link,
            store=statements,
            peppers=self._peppers,
            clock=system_clock,
        )
        self._proposals = Proposals(self._members)
        self._announcing = Announcing(self._members, system_clock)
        self._accusing = Accusing(self._members, self._proposals)
        self._governing = Governing(self._members, self._link, self._proposals)
        self._witness = Witness(
            self._members,
            self._governing,
            self._link,
            Setting(self._database, "record head"),
            Setting(self._database, "record fork"),
            Record(self._database, node_record),
            system_clock,
        )
        self._link.seen_head = lambda: str(self._witness.note or "")
        self._consents = ConsentsPart(
            self._database,
            self._members,
            self._link,
            self._peppers,
            self._proposals,
            clock=system_clock,
            randomness=system_randomness,
            config=lambda: self._config,
        )
        self._credentials = Credentials(self._database)
        server = Principal(config.consortium, Caller.NODE, config.party)
        self._clients = Clients(home.path, server, self._credentials, system_clock, system_randomness)
        self._apps = Apps(home, self._clients, self._consents.persons)
        self._readiness = Readiness(
            underway=self._underway,
            link=self._link,
            members=self._members,
            peppers=self._peppers,
            history=self._history,
            witness=self._witness,
            replay=self._consents.replay,
            database=self._database,
            clock=system_clock,
        )
        self._collections = Collections(self._database)
        self._intake = Intake(
            self._collections,
            Imports(self._database),
            self._peppers,
            workers=config.limits.import_workers,
            underway=self._underway,
            clock=system_clock,
            randomness=system_randomness,
        )
        self._lists = CollectionsService(
            self._collections,
            self._intake,
            self._peppers,
            lambda: self._config.imports,
            self._members.require_notice,
            Offering(self._members, self._link).terms,
            self._members.count_meant,
            allow_reserved=config.profile == DEMO,
        )
        self._exchanges = ExchangesPart(
            self._database,
            self._collections,
            self._members,
            self._link,
            self._peppers,
            self._witness,
            self._consents.replay,
            self._accusing,
            self._proposals,
            self._underway,
            clock=system_clock,
            randomness=system_randomness,
            config=lambda: self._config,
        )
        kept = self._exchanges.book.store
        self._spending = Spending(self._members, self._exchanges.budgets, kept, system_clock)
        self._supervising = Supervising(
            self._members, self._witness.copy, lambda: self._witness.size, kept, system_clock
        )
        self._drifting = Drifting(
            self._members,
            self._collections,
            self._exchanges.lapsing,
            self._proposals,
            system_clock,
            Setting(self._database, "drift"),
        )
        self._schedules = Schedules(self._database)

    @asynccontextmanager
    async def serve(self, tasks: Tasks) -> AsyncIterator[dict[str, Any]]:
        """Serve until left; what has not been drained by then is ended."""
        await self._peppers.start()
        await self._members.start()
        await self._witness.start()
        await self._consents.replay.start()
        await self._exchanges.book.start()
        scheduler = Scheduler(
            self._schedules,
            self._exchanges.asking,
            self._exchanges.book,
            self._lists,
            self._underway,
            clock=system_clock,
            randomness=system_randomness,
        )
        gate = Gate(_administrators)
        admin = tls.server([gate])
        health = self._register(admin, scheduler)
        await health.tell(serving=False)
        socket = self._home.socket()
        admin.add_insecure_port(f"unix:{socket}")
        await admin.start()
        tasks.drain = lambda: self._drain(gate, health)
        tasks.reload = self._reload
        await self._exchanges.warm()
        tasks.start(self._beat.run(), "measure the event loop")
        tasks.start(self._link.run(self._on_call), "keep the link up")
        tasks.start(self._link.renew_in_time(), "renew the certificate")
        tasks.keep(self._members.run, "synchronise statements")
        tasks.keep(self._history.run, "compare statements with the coordinator's")
        tasks.keep(self._witness.run, "follow the record")
        self._consents.keep(tasks, self._config.role)
        self._exchanges.keep(tasks)
        tasks.keep(self._drifting.run, "compare words with deeds")
        tasks.keep(self._announcing.run, "announce what will end")
        tasks.keep(self._accusing.run, "open breaches")
        tasks.keep(scheduler.run, "run schedules")
        tasks.start(self._readiness.watch_database(), "watch the database")
        tasks.start(health.follow(self._readiness.troubles), "tell gRPC's health")
        try:
            async with (
                daemon.http(self._config.http.listen, self._readiness.troubles) as self._http,
                self._apps.serving(
                    self._config.apps.listen, self._config.apps.advertise, tasks, self._readiness.troubles
                ) as apps,
            ):
                yield {
                    "socket": str(socket),
                    "http": self._http,
                    "party": self._config.party,
                    **({"apps": apps} if apps else {}),
                }
        finally:
            await self._exchanges.stop()
            await admin.stop(DRAIN_S)
            await self._link.close()
            await self._exchanges.close()
            await self._intake.close()
            self._database.close()

    async def _on_call(self, call: relay_pb2.IncomingCall) -> tuple[bytes, bool]:
        """Answer a call of a peer; gives the reply, and whether it accepts an offer."""
        if call.method == relay_pb2.PEER_METHOD_CONSENTS:
            return await self._consents.receiving.on_frame(call), False
        return await self._exchanges.on_call(call)

    def _register(self, admin: grpc.aio.Server, scheduler: Scheduler) -> Health:
        successions = Successions(self._members, self._link, clock=system_clock, randomness=system_randomness)
        node_admin_pb2_grpc.add_NodeAdminServicer_to_server(
            NodeAdminService(
                self._members,
                self._governing,
                successions,
                self._peppers,
                self._link,
                self._beat,
                self._announcing,
                lambda: self._http,
            ),
            admin,
        )
        governance_pb2_grpc.add_GovernanceServicer_to_server(
            GovernanceService(
                self._members,
                self._proposals,
                self._spending,
                self._supervising,
                self._drifting,
                system_clock,
            ),
            admin,
        )
        collections_pb2_grpc.add_CollectionsServicer_to_server(self._lists, admin)
        matching_pb2_grpc.add_MatchingServicer_to_server(self._exchanges.service, admin)
        schedules_pb2_grpc.add_SchedulesServicer_to_server(
            SchedulesService(scheduler, self._schedules), admin
        )
        record_admin_pb2_grpc.add_RecordAdminServicer_to_server(
            RecordAdminService(self._members, self._witness), admin
        )
        proofs_pb2_grpc.add_ProofsServicer_to_server(
            ProofsService(self._exchanges.proving, self._peppers, self._lists.profile), admin
        )
        consents_pb2_grpc.add_ConsentsServicer_to_server(self._consents.service, admin)
        credentials_pb2_grpc.add_CredentialsServicer_to_server(
            CredentialsService(self._clients, self._credentials, self._apps), admin
        )
        services = (
            "NodeAdmin",
            "Governance",
            "Consents",
            "Credentials",
            "Collections",
            "Matching",
            "Schedules",
            "RecordAdmin",
            "Proofs",
        )
        names = [f"trisect.wire.v1.{name}" for name in services]
        reflection.enable_server_reflection([*names, SERVICE_NAME, reflection.SERVICE_NAME], admin)
        return Health(admin, names)

    async def _drain(self, gate: Gate, health: Health) -> None:
        """Take on nothing new, and wait for what runs as long as is configured."""
        gate.stopping = True
        await self._apps.drain()
        self._underway.stopping = True
        await health.drain()
        await self._underway.ended(self._config.drain_s)

    def _reload(self) -> None:
        """Let parts have what may change while they run; others read it where they need it."""
        self._config = config = daemon.reloaded(self._read, self._config, RELOADABLE)
        self._link.call_timeout_s = config.timeouts.call_s
        self._exchanges.limit(config.limits.max_exchanges)


async def _administrators(access: Access, _context: Context) -> Principal | None:
    if access not in {Access.ADMINISTRATOR, Access.ANYONE}:
        raise BadInputError(
            "this socket serves administrators only", hint="call the coordinator's address for anything else"
        )
    return None
