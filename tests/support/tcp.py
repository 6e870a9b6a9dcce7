"""A TCP tunnel in between, which counts, cuts and closes cleanly: for lost connections and CONNECT proxies."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self


class Tunnel:
    """Passes connections on to one address, or to the one that each names by CONNECT.

    Args:
        target: HOST:PORT; empty makes it an HTTP CONNECT proxy.
        names: what a CONNECT proxy knows and this machine does not, to the HOST:PORT that it is.
        cut_when: asked whenever the target has said something: whether to keep that back and cut the connection.
            It is cut once; None never cuts.
    """

    def __init__(
        self,
        target: str = "",
        *,
        names: Mapping[str, str] | None = None,
        cut_when: Callable[[], bool] | None = None,
    ) -> None:
        self._target = target
        self._names = names or {}
        self._cut_when = cut_when
        self._tasks: set[asyncio.Task[None]] = set()
        self.connections = 0
        self.cuts = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        upstream: asyncio.StreamWriter | None = None
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            try:
                target = self._target or await _connect_target(reader, writer)
                host, port = self._names.get(target, target).rsplit(":", 1)
                answers, upstream = await asyncio.open_connection(host, int(port))
                ends = [
                    asyncio.create_task(self._pass(reader, upstream, may_cut=False)),
                    asyncio.create_task(self._pass(answers, writer, may_cut=True)),
                ]
                await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
                for end in ends:
                    end.cancel()
                await asyncio.gather(*ends, return_exceptions=True)
            finally:
                for end in (writer, upstream):
                    if end is not None:
                        end.close()
                        with contextlib.suppress(OSError):
                            await end.wait_closed()
        self._tasks.discard(task)

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, may_cut: bool
    ) -> None:
        while data := await reader.read(65536):
            if may_cut and self._cut_when is not None and not self.cuts and self._cut_when():
                self.cuts += 1
                return
            writer.write(data)
            await writer.drain()


async def _connect_target(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
    request = await reader.readuntil(b"\r\n\r\n")
    method, target, _ = request.split(b" ", 2)
    assert method == b"CONNECT"
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    return target.decode()
