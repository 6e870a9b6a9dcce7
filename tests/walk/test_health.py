"""gRPC's health service says what /ready says, and NOT_SERVING while a daemon drains; reflection names the services."""

from __future__ import annotations

import asyncio
import resource
import signal

import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from support.cluster import Cluster
from support.daemons import until

from coordinator import authority
from nodes.keys import NodeKeys
from trisect.rpc import tls
from trisect.wire.v1 import node_admin_pb2

pytestmark = pytest.mark.walk
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


async def reflected(channel: grpc.aio.Channel) -> set[str]:
    """Ask which services a port has."""
    stub = reflection_pb2_grpc.ServerReflectionStub(channel)
    call = stub.ServerReflectionInfo(
        iter([reflection_pb2.ServerReflectionRequest(list_services="")]), timeout=10
    )
    (answer,) = [found async for found in call]
    return {service.name for service in answer.list_services_response.service}


async def test_health_follows_readiness_and_ends_with_draining(pair: Cluster):
    coordinator, proxy = pair.coordinator, pair["proxy"]
    for daemon in (coordinator, proxy):  # a core file would hold tokens and keys
        assert resource.prlimit(daemon.process.pid, resource.RLIMIT_CORE) == (0, 0)
    keys = NodeKeys.load(proxy.home)
    root = authority.load(coordinator.home).certificate
    async with (
        proxy.channel() as node_channel,
        tls.coordinator_channel(coordinator.state["address"], root, keys.tls) as coordinator_channel,
    ):
        node = health_pb2_grpc.HealthStub(node_channel)
        relay = health_pb2_grpc.HealthStub(coordinator_channel)
        for channel, own, others in (
            (node_channel, {"Matching", "Collections", "NodeAdmin"}, {"Relay", "CoordinatorAdmin"}),
            (coordinator_channel, {"Relay", "Directory", "Enrolment"}, {"NodeAdmin", "CoordinatorAdmin"}),
        ):
            names = await reflected(channel)
            assert {f"trisect.wire.v1.{name}" for name in own} <= names
            assert not {f"trisect.wire.v1.{name}" for name in others} & names

        async def says(stub, wanted: int, service: str = "") -> bool:
            return (
                await stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=10)
            ).status == wanted

        for stub, service in ((node, "Matching"), (relay, "Relay")):
            for name in ("", f"trisect.wire.v1.{service}"):
                await until(lambda stub=stub, name=name: says(stub, SERVING, name), f"{name} to serve")
        change = node_admin_pb2.ChangeStandingRequest
        for standing, wanted in (("suspended", NOT_SERVING), ("active", SERVING)):
            await pair["government"].admin(
                "ChangeStanding", change(party="proxy", standing=standing, reason="a test")
            )
            await until(lambda wanted=wanted: says(node, wanted), f"health of the {standing} node")
        for daemon, stub in ((proxy, node), (coordinator, relay)):
            watch = stub.Watch(health_pb2.HealthCheckRequest(), timeout=60)
            assert (await watch.read()).status == SERVING
            daemon.process.send_signal(signal.SIGTERM)
            assert (await watch.read()).status == NOT_SERVING
            watch.cancel()
            assert await asyncio.to_thread(daemon.process.wait, 20) == 0
