"""A relay that waits at a named event of an exchange (`hostile_coordinator`) until a test has done its deed."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

from support.cluster import Cluster


@contextlib.asynccontextmanager
async def held(cluster: Cluster, event: str, tmp_path: Path) -> AsyncIterator[asyncio.Event]:
    """Have the relay hold at an event; gives what is set when it has come. It goes on when the block ends."""
    reached, go = asyncio.Event(), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert (await reader.readline()).decode().strip() == event
        reached.set()
        await go.wait()
        with contextlib.suppress(ConnectionError):
            writer.write(b"go\n")
            await writer.drain()
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    place = Path(os.path.relpath(tmp_path / "hold.sock"))
    place = place if len(str(place)) < 100 else Path("/tmp") / f"hold-{os.getpid()}-{id(go)}.sock"
    server = await asyncio.start_unix_server(serve, place)
    try:
        cluster.coordinator.misbehave(hold=event, socket=str(place.absolute()))
        yield reached
    finally:
        go.set()
        server.close()
        await server.wait_closed()
        place.unlink(missing_ok=True)
