"""`grpc.health.v1` as a daemon's readiness has it: SERVING when nothing is amiss, NOT_SERVING while it drains.

The reasons are in /ready (`trisect.daemon`); gRPC's answer has no room for them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence

import grpc.aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

FOLLOW_EVERY_S = 1.0
SERVICE_NAME: str = health.SERVICE_NAME
_SERVING = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


class Health:
    """The health service of one server.

    Args:
        server: where it is added.
        services: full names of the services whose health is asked for, besides the whole server's, which is "".
    """

    def __init__(self, server: grpc.aio.Server, services: Sequence[str]) -> None:
        self._names = ("", *services)
        self._servicer = health.aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._servicer, server)

    async def follow(self, readiness: Callable[[], Iterable[object]]) -> None:
        """Say what readiness says, until cancelled; whatever it gives is a reason not to serve."""
        while True:
            await self.tell(serving=not list(readiness()))
            await asyncio.sleep(FOLLOW_EVERY_S)

    async def tell(self, *, serving: bool) -> None:
        """Set the health of all services."""
        for name in self._names:
            await self._servicer.set(name, _SERVING if serving else _NOT_SERVING)

    async def drain(self) -> None:
        """Say NOT_SERVING from now on."""
        await self._servicer.enter_graceful_shutdown()
