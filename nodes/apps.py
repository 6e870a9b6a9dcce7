"""The port on which a proxy's node serves the proxy's own apps."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from grpc_reflection.v1alpha import reflection

from nodes.clients import Clients
from nodes.services.persons import PersonsService
from trisect.daemon import Readiness, Tasks
from trisect.errors import BadInputError, UnauthenticatedError, UnreachableError
from trisect.home import Home
from trisect.rpc import tls
from trisect.rpc.gate import Gate
from trisect.rpc.health import SERVICE_NAME, Health
from trisect.wire.v1 import person_pb2_grpc

DRAIN_S = 5.0
LARGEST = 64 * 1024
"""How many bytes an app's message has at most: a few words about one person."""
_SERVICE = "trisect.wire.v1.Persons"


class Apps:
    """Serves apps.

    Args:
        home: remembers the port, so that a restart is found again.
        clients: lets them in.
        persons: serves them.

    Attributes:
        address: HOST:PORT, empty where nobody is served.
    """

    def __init__(self, home: Home, clients: Clients, persons: PersonsService) -> None:
        self._home = home
        self._clients = clients
        self._persons = persons
        self._gate = Gate(clients.authorise)
        self._health: Health | None = None
        self.address = ""

    @asynccontextmanager
    async def serving(
        self, listen: str, advertise: str, tasks: Tasks, troubles: Readiness
    ) -> AsyncIterator[str]:
        """Serve until left; gives the address, empty where nobody is served.

        Args:
            listen: HOST:PORT, empty to serve nobody.
            advertise: the HOST:PORT under which apps reach it, where that is not the former.
            tasks: owns what follows the node's readiness.
            troubles: gives what keeps the node from serving.

        Raises:
            BadInputError: the address cannot be had.
        """
        if not listen:
            yield ""
            return
        server = tls.server([self._gate], largest=LARGEST)
        person_pb2_grpc.add_PersonsServicer_to_server(self._persons, server)
        self._health = Health(server, [_SERVICE])
        reflection.enable_server_reflection([_SERVICE, SERVICE_NAME, reflection.SERVICE_NAME], server)
        authority = self._clients.authority
        place = self._home.remembered_port(listen)
        credentials = tls.server_credentials(authority.own, authority.root.certificate)
        try:
            port = server.add_secure_port(place, credentials)
        except RuntimeError as error:
            raise BadInputError(
                f"cannot serve apps at {place}", hint="choose another [apps] listen, or end who listens there"
            ) from error
        self._home.remember_port(port)
        self.address = advertise or f"{place.rpartition(':')[0]}:{port}"
        await self._health.tell(serving=False)
        await server.start()
        tasks.start(self._health.follow(troubles), "tell apps of the node's health")
        try:
            yield self.address
        finally:
            await server.stop(DRAIN_S)

    async def drain(self) -> None:
        """Take on nothing new, and end calls that go on and on: their apps call again."""
        self._gate.stopping = True
        self._gate.cut_all(UnreachableError("the daemon is being stopped", hint="call again when it is back"))
        if self._health is not None:
            await self._health.drain()

    def cut(self, credential: str) -> None:
        """End the streams that run under a credential that was revoked."""
        self._gate.cut(
            credential,
            UnauthenticatedError(
                "the credential was revoked", hint="ask the node's administrator for a new one"
            ),
        )
