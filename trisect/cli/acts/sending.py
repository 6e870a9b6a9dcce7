"""The stream of one import: batches go up while replies come down, so that neither end waits for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress

import grpc.aio

from trisect.cli.ahead import Ahead
from trisect.cli.link import LONG_CALL_S, stream
from trisect.errors import TimedOutError, TrisectError
from trisect.indicators.readers import Batch
from trisect.rpc.ending import Ending
from trisect.wire.convert import batch_to_wire
from trisect.wire.v1 import collections_pb2 as pb

MAX_BATCH_BYTES = 3 * 1024 * 1024
"""Below the 4 MiB that gRPC takes."""
WRITE_S = 300.0
AHEAD = 2

Stream = grpc.aio.StreamStreamCall[pb.ImportRequest, pb.ImportReply]


class CutShortError(TrisectError):
    """The node ended an import in the middle; what it has committed stays."""

    code = "TRI-IMPORT-CUT"
    crosses_wire = False

    def __init__(self) -> None:
        super().__init__(
            "the node ended the import in the middle", hint="repeat the import: it goes on where it stopped"
        )


def messages(batches: Iterator[Batch]) -> Iterator[pb.ImportRequest]:
    """Write batches for the wire; the same file always gives the same messages."""
    for batch in batches:
        for message in _fitting(batch):
            yield pb.ImportRequest(batch=message)


def _fitting(batch: Batch) -> Iterator[pb.RawBatch]:
    message = batch_to_wire(batch)
    if message.ByteSize() <= MAX_BATCH_BYTES or len(batch) == 1:
        yield message
        return
    for part in _halves(batch):
        yield from _fitting(part)


def _halves(batch: Batch) -> Iterator[Batch]:
    middle, cut = len(batch.where) // 2, len(batch.unreadable) // 2
    if len(batch.where) == 1:
        yield Batch(batch.columns, batch.where)
        yield Batch({}, [], batch.unreadable)
        return
    for rows, lost in ((slice(0, middle), slice(0, cut)), (slice(middle, None), slice(cut, None))):
        columns = {name: cells[rows] for name, cells in batch.columns.items()}
        yield Batch(columns, batch.where[rows], batch.unreadable[lost])


async def send(
    call: Stream,
    begin: pb.ImportBegin,
    requests: Iterator[pb.ImportRequest],
    *,
    before_finish: Callable[[], None],
    on_reply: Callable[[pb.ImportReply], None],
) -> pb.ImportReply:
    """Run one import; gives the node's last reply.

    Args:
        call: the open stream.
        begin: the first message.
        requests: the batches; made in a thread, so that replies are read meanwhile.
        before_finish: called when all is sent; may raise to leave the import unfinished.
        on_reply: called with each reply, the first and the last among them.

    Raises:
        TimedOutError: the node took or said nothing for long.
        CutShortError: it ended the stream without finishing.
    """
    ending = Ending(call)
    try:
        last = await _run(call, begin, requests, before_finish, on_reply)
    except grpc.aio.AioRpcError as error:
        raise await ending.of(error) from None
    if not last.finished:
        raise CutShortError
    return last


async def _run(
    call: Stream,
    begin: pb.ImportBegin,
    requests: Iterator[pb.ImportRequest],
    before_finish: Callable[[], None],
    on_reply: Callable[[pb.ImportReply], None],
) -> pb.ImportReply:
    await _write(call, pb.ImportRequest(begin=begin))
    replies = stream(call, idle_s=LONG_CALL_S)
    last = await anext(replies, None)
    if last is None:
        raise CutShortError
    on_reply(last)
    skip = last.batches_done
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(_send_rest(call, requests, skip, before_finish), name="send batches")
            async for last in replies:
                on_reply(last)
    except BaseExceptionGroup as several:
        raise several.exceptions[0] from several.exceptions[0].__cause__
    return last


async def _send_rest(
    call: Stream, requests: Iterator[pb.ImportRequest], skip: int, before_finish: Callable[[], None]
) -> None:
    """Send what the node has not got yet. Where the call has ended, its reader tells why."""
    with suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
        position = 0
        async for request in Ahead(requests, AHEAD):
            position += 1
            if position > skip:
                await _write(call, request)
        before_finish()
        await _write(call, pb.ImportRequest(finish=pb.ImportFinish()))
        await call.done_writing()


async def _write(call: Stream, request: pb.ImportRequest) -> None:
    try:
        async with asyncio.timeout(WRITE_S):
            await call.write(request)
    except TimeoutError:
        raise TimedOutError(
            f"the node has taken nothing for {WRITE_S:.0f} s",
            hint="repeat the import: it goes on where it stopped",
        ) from None
