"""The public record over gRPC: translate, call, translate back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from coordinator.record import PublicRecord
from trisect.errors import ExhaustedError
from trisect.rpc.authentication import Context
from trisect.rpc.gate import caller
from trisect.trust.keys import IdentityPublic
from trisect.wire.v1 import record_pb2 as pb
from trisect.wire.v1 import record_pb2_grpc

MOST_RESTORED_BYTES = 512 * 1024 * 1024


class RecordService(record_pb2_grpc.RecordServicer):
    """Heads, cosignatures, entries and proofs."""

    def __init__(self, record: PublicRecord, key: IdentityPublic) -> None:
        self._record = record
        self._key = key

    async def GetKey(self, _request: pb.GetKeyRequest, _context: Context) -> pb.GetKeyReply:  # noqa: N802
        """Tell the key by which heads are signed."""
        return pb.GetKeyReply(key=self._key.raw)

    async def GetHead(self, request: pb.GetHeadRequest, _context: Context) -> pb.GetHeadReply:  # noqa: N802
        """Give the newest head and how it follows from the caller's."""
        head = await asyncio.to_thread(self._record.head, request.after)
        return pb.GetHeadReply(note=head.note, consistency=head.consistency)

    async def Cosign(self, request: pb.CosignRequest, _context: Context) -> pb.CosignReply:  # noqa: N802
        """Take the caller's cosignature."""
        await asyncio.to_thread(self._record.cosign, caller().name, request.size, request.line)
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
