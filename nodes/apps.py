"""The port on which a proxy's node serves the proxy's own apps."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from grpc_reflection.v1alpha import reflection

from nodes.clients import Clients
from nodes.services.persons import PersonsService
from trisect.errors import BadInputError
from trisect.home import Home
from trisect.rpc import tls
from trisect.rpc.gate import Gate
from trisect.rpc.health import SERVICE_NAME, Health
from trisect.wire.v1 import person_pb2_grpc

DRAIN_S = 5.0
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
        self.address = ""

    @asynccontextmanager
    async def serving(self, listen: str) -> AsyncIterator[str]:
        """Serve on HOST:PORT until left; gives the address, both empty where nobody is served.

        Raises:
            BadInputError: the address cannot be had.
        """
        if not listen:
            yield ""
            return
        server = tls.server([self._gate])
        person_pb2_grpc.add_PersonsServicer_to_server(self._persons, server)
        health = Health(server, [_SERVICE])
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
        self.address = f"{place.rpartition(':')[0]}:{port}"
        await server.start()
        await health.tell(serving=True)
        try:
            yield self.address
        finally:
            await server.stop(DRAIN_S)

    def drain(self) -> None:
        """Take on nothing new."""
        self._gate.stopping = True

    def cut(self, credential: str) -> None:
        """End the calls that run under a credential."""
        self._gate.cut(credential)
