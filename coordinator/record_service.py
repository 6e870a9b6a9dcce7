"""The public record over gRPC: translate, call, translate back."""

from __future__ import annotations

import asyncio

from coordinator.record import PublicRecord
from trisect.rpc.authentication import Context
from trisect.rpc.gate import caller
from trisect.trust.keys import IdentityPublic
from trisect.wire.v1 import record_pb2 as pb
from trisect.wire.v1 import record_pb2_grpc


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

    async def GetProof(self, request: pb.GetProofRequest, _context: Context) -> pb.GetProofReply:  # noqa: N802
        """Prove one entry."""
        return pb.GetProofReply(proof=str(await asyncio.to_thread(self._record.prove, request.number)))
