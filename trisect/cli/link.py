"""The way to a daemon: its socket as the home's state file tells it, one channel, a deadline on every call.

Loads gRPC; only what runs a command imports it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import grpc.aio

from trisect.cli.call import Call
from trisect.cli.failures import UsageError
from trisect.errors import ConflictError, TimedOutError, UnreachableError
from trisect.home import Home
from trisect.rpc.admin_socket import socket_channel
from trisect.rpc.status import translated
from trisect.wire.v1.collections_pb2_grpc import CollectionsStub
from trisect.wire.v1.consents_pb2_grpc import ConsentsStub
from trisect.wire.v1.coordinator_admin_pb2_grpc import CoordinatorAdminStub
from trisect.wire.v1.credentials_pb2_grpc import CredentialsStub
from trisect.wire.v1.governance_pb2_grpc import GovernanceStub
from trisect.wire.v1.matching_pb2_grpc import MatchingStub
from trisect.wire.v1.node_admin_pb2_grpc import NodeAdminStub
from trisect.wire.v1.proofs_pb2_grpc import ProofsStub
from trisect.wire.v1.record_admin_pb2_grpc import RecordAdminStub
from trisect.wire.v1.schedules_pb2_grpc import SchedulesStub

COORDINATOR = "coordinator"
CALL_S = 60.0
LONG_CALL_S = 600.0
"""For acts whose time grows with a collection."""
STREAM_S = 60.0
"""A stream that brings nothing for so long has stalled."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Node:
    """A node's services for its administrator."""

    admin: NodeAdminStub
    governance: GovernanceStub
    consents: ConsentsStub
    credentials: CredentialsStub
    collections: CollectionsStub
    matching: MatchingStub
    schedules: SchedulesStub
    record: RecordAdminStub
    proofs: ProofsStub


def running(home: Path) -> dict[str, Any]:
    """Tell what runs from a home; raises UnreachableError where nothing does."""
    place = Home(home)
    try:
        return place.running()
    except ConflictError as error:
        if place.config.exists():
            hint = f"start it: `trisect-node run --home {home}`, or `trisect-coordinator run --home {home}`"
        else:
            hint = "is --home right? `trisect-node join` and `trisect-coordinator init` make homes"
        raise UnreachableError(error.message, hint=hint) from error


@asynccontextmanager
async def node(call: Call) -> AsyncIterator[Node]:
    """Open the node that runs from the home."""
    state = running(call.home())
    if state.get("name") == COORDINATOR:
        raise UsageError(
            "this is the coordinator's home, and the command needs a node's",
            hint="name a node's home with --home",
        )
    async with _opened(state, "the node") as channel:
        yield Node(
            NodeAdminStub(channel),
            GovernanceStub(channel),
            ConsentsStub(channel),
            CredentialsStub(channel),
            CollectionsStub(channel),
            MatchingStub(channel),
            SchedulesStub(channel),
            RecordAdminStub(channel),
            ProofsStub(channel),
        )


@asynccontextmanager
async def coordinator(call: Call) -> AsyncIterator[CoordinatorAdminStub]:
    """Open the coordinator that runs from the home."""
    state = running(call.home())
    if state.get("name") != COORDINATOR:
        raise UsageError(
            "this is a node's home, and the command needs the coordinator's",
            hint="name the coordinator's home with --home",
        )
    async with _opened(state, "the coordinator") as channel:
        yield CoordinatorAdminStub(channel)


@asynccontextmanager
async def _opened(state: dict[str, Any], whom: str) -> AsyncIterator[grpc.aio.Channel]:
    async with translated(whom), socket_channel(Path(str(state["socket"]))) as channel:
        yield channel


async def stream(
    replies: AsyncIterable[T], *, idle_s: float = STREAM_S, whom: str = "the node"
) -> AsyncIterator[T]:
    """Read a stream with a deadline on each message; raises TimedOutError."""
    iterator = aiter(replies)
    while True:
        try:
            async with asyncio.timeout(idle_s):
                message = await anext(iterator)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise TimedOutError(
                f"{whom} has said nothing for {idle_s:.0f} s", hint=f"see the log of {whom}"
            ) from None
        yield message
