"""The public record over gRPC: translate, call, translate back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from coordinator.record import PublicRecord
from coordinator.switchboard import Switchboard
from trisect.errors import ExhaustedError
from trisect.rpc.authentication import Context
from trisect.rpc.gate import caller
from trisect.trust.keys import IdentityPublic
from trisect.wire.v1 import record_pb2 as pb
from trisect.wire.v1 import record_pb2_grpc, relay_pb2

MOST_RESTORED_BYTES = 512 * 1024 * 1024


class RecordService(record_pb2_grpc.RecordServicer):
    """Heads, cosignatures, entries and proofs."""

    def __init__(self, record: PublicRecord, key: IdentityPublic, switchboard: Switchboard) -> None:
        self._record = record
        self._key = key
        self._switchboard = switchboard

    async def GetKey(self, _request: pb.GetKeyRequest, _context: Context) -> pb.GetKeyReply:  # noqa: N802
        """Tell the key by which heads are signed."""
        return pb.GetKeyReply(key=self._key.raw)

    async def GetHead(self, request: pb.GetHeadRequest, _context: Context) -> pb.GetHeadReply:  # noqa: N802
        """Give the newest head and how it follows from the caller's."""
        head = await asyncio.to_thread(self._record.head, request.after)
        return pb.GetHeadReply(note=head.note, consistency=head.consistency, counted=head.counted)

    async def Cosign(self, request: pb.CosignRequest, _context: Context) -> pb.CosignReply:  # noqa: N802
        """Take the caller's cosignature; a head that counts by it is told to every node."""
        if await asyncio.to_thread(self._record.cosign, caller().name, request.size, request.line):
            signed = relay_pb2.HeadSigned(size=request.size)
            self._switchboard.notify(relay_pb2.LinkDown(head_signed=signed))
        return pb.CosignReply()

    async def ListEntries(self, request: pb.ListEntriesRequest, _context: Context) -> pb.ListEntriesReply:  # noqa: N802
        """Give a page of entries."""
        return pb.ListEntriesReply(entries=await asyncio.to_thread(self._record.entries, request.first))

    async def Restore(  # noqa: N802
        self, request_iterator: AsyncIterator[pb.RestoreRequest], _context: Context
    ) -> pb.RestoreReply:
        """Take back what was lost."""
        note, first, found, total = "", 0, list[bytes](), 0
        async for request in request_iterator:
            if not note:
                note, first = request.note, request.first
            found += request.entries
            total += sum(map(len, request.entries))
            if total > MOST_RESTORED_BYTES:
                raise ExhaustedError(
                    "more entries are brought back than are taken at once",
                    hint="restore the newest backup of the coordinator's database",
                )
        return pb.RestoreReply(size=await asyncio.to_thread(self._record.restore, note, first, found))
