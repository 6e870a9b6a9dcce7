"""The public record as a node's administrator sees it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from nodes.members import Members
from nodes.witness import Witness
from trisect.clock import from_seconds, to_text
from trisect.errors import NotFoundError
from trisect.record import entries
from trisect.record.checkpoint import Checkpoint, EntryProof, log_key
from trisect.record.notes import Note, NoteKey
from trisect.rpc.authentication import Context
from trisect.wire.v1 import record_admin_pb2 as pb
from trisect.wire.v1 import record_admin_pb2_grpc

PAGE = 100


@dataclass(frozen=True, slots=True)
class RecordAdminService(record_admin_pb2_grpc.RecordAdminServicer):
    """Shows, proves and exports what the node's witness has verified."""

    members: Members
    witness: Witness

    async def GetRecord(self, _request: pb.GetRecordRequest, _context: Context) -> pb.GetRecordReply:  # noqa: N802
        """Show the newest verified head."""
        return self._shown()

    async def GetRecordProof(  # noqa: N802
        self, request: pb.GetRecordProofRequest, _context: Context
    ) -> pb.GetRecordProofReply:
        """Prove an entry in the newest verified head, out of the node's copy."""
        await self.witness.follow()
        note, head = self._seen()
        proof = await asyncio.to_thread(self._proof, request.number, note, head)
        return pb.GetRecordProofReply(proof=str(proof), kind=entries.kind(proof.extra), size=head.size)

    async def ListRecord(  # noqa: N802
        self, _request: pb.ListRecordRequest, _context: Context
    ) -> AsyncIterator[pb.RecordPage]:
        """Give every entry under the newest verified head, out of the node's copy."""
        await self.witness.follow()
        shown = self._shown()
        yield pb.RecordPage(head=shown)
        for first in range(0, shown.size, PAGE):
            count = min(PAGE, shown.size - first)
            found = await asyncio.to_thread(self.witness.copy.entries, first, limit=count)
            yield pb.RecordPage(entries=found)

    def _proof(self, number: int, note: Note, head: Checkpoint) -> EntryProof:
        hashes = self.witness.copy.inclusion(number, head.size)
        (entry,) = self.witness.copy.entries(number, limit=1)
        return EntryProof(number, tuple(hashes), note, entry)

    def _seen(self) -> tuple[Note, Checkpoint]:
        note = self.witness.note
        if note is None:
            raise NotFoundError(
                "this node has not seen the record yet",
                hint="it follows the record once its party is admitted and its link is up: `trisect status`",
            )
        return note, Checkpoint.of(note)

    def _shown(self) -> pb.GetRecordReply:
        note, head = self._seen()
        cosigned = self.witness.cosigned()
        assert cosigned is not None  # noqa: S101  (there is a head)
        membership = self.members.membership
        return pb.GetRecordReply(
            note=str(note),
            size=head.size,
            root=head.root,
            cosignatures=[
                pb.Cosignature(
                    party=party,
                    role=membership.party(party).role.value,
                    at=to_text(from_seconds(time_s)),
                )
                for party, time_s in sorted(cosigned.times.items())
            ],
            roles=sorted(role.value for role in cosigned.roles),
            counts=cosigned.counts,
            trouble=self.witness.trouble,
            contradiction=self.witness.contradiction,
            log_key=str(self._log_key()),
            consortium=membership.consortium,
            founder=membership.founder or "",
            counted_size=Checkpoint.of(self.witness.counted).size if self.witness.counted else 0,
            counted_at=to_text(self.witness.counted_at) if self.witness.counted_at else "",
        )

    def _log_key(self) -> NoteKey:
        keys = self.members.membership.coordinator_keys
        if not keys:
            raise NotFoundError(
                "no government has stated the coordinator's key yet",
                hint="the founding government's node states it when it starts; try again once it runs",
            )
        return log_key(self.members.membership.consortium, keys[-1])
