"""The public record as a node's administrator sees it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime

from nodes.link import Link
from nodes.members import Members
from nodes.witness import Witness
from trisect.clock import to_text
from trisect.errors import NotFoundError, VerificationError
from trisect.record import entries
from trisect.record.checkpoint import Checkpoint, EntryProof, log_key
from trisect.record.notes import NoteKey
from trisect.rpc.authentication import Context
from trisect.wire.v1 import record_admin_pb2 as pb
from trisect.wire.v1 import record_admin_pb2_grpc, record_pb2

_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class RecordAdminService(record_admin_pb2_grpc.RecordAdminServicer):
    """Shows, proves and exports what the node's witness has verified."""

    members: Members
    witness: Witness
    link: Link

    async def GetRecord(self, _request: pb.GetRecordRequest, _context: Context) -> pb.GetRecordReply:  # noqa: N802
        """Show the newest verified head."""
        return self._shown()

    async def GetRecordProof(  # noqa: N802
        self, request: pb.GetRecordProofRequest, _context: Context
    ) -> pb.GetRecordProofReply:
        """Fetch the proof of an entry, and check it against the head that was seen."""
        await self.witness.follow()
        async with self.link.translated():
            reply = await self.link.record.GetProof(
                record_pb2.GetProofRequest(number=request.number), timeout=_TIMEOUT_S
            )
        proof = EntryProof.parse(reply.proof)
        head = proof.check(self._log_key())
        seen = self.witness.head
        if proof.index != request.number or (seen is not None and seen.size == head.size and seen != head):
            raise VerificationError("the coordinator has proved another entry, or in another record")
        return pb.GetRecordProofReply(proof=str(proof), kind=entries.kind(proof.extra), size=head.size)

    async def ListRecord(  # noqa: N802
        self, _request: pb.ListRecordRequest, _context: Context
    ) -> AsyncIterator[pb.RecordPage]:
        """Give every entry under the newest verified head."""
        await self.witness.follow()
        shown = self._shown()
        yield pb.RecordPage(head=shown)
        first = 0
        while first < shown.size:
            async with self.link.translated():
                page = await self.link.record.ListEntries(
                    record_pb2.ListEntriesRequest(first=first), timeout=_TIMEOUT_S
                )
            found = page.entries[: shown.size - first]
            if not found:
                raise VerificationError(f"the coordinator gives {first} of the record's {shown.size} entries")
            first += len(found)
            yield pb.RecordPage(entries=found)

    def _shown(self) -> pb.GetRecordReply:
        note, cosigned = self.witness.note, self.witness.cosigned()
        if note is None or cosigned is None:
            raise NotFoundError(
                "this node has not seen the record yet",
                hint="it follows the record once its party is admitted and its link is up: `trisect status`",
            )
        head = Checkpoint.of(note)
        membership = self.members.membership
        return pb.GetRecordReply(
            note=str(note),
            size=head.size,
            root=head.root,
            cosignatures=[
                pb.Cosignature(
                    party=party,
                    role=membership.party(party).role.value,
                    at=to_text(datetime.fromtimestamp(time_s, UTC)),
                )
                for party, time_s in sorted(cosigned.times.items())
            ],
            roles=sorted(role.value for role in cosigned.roles),
            counts=cosigned.counts,
            trouble=self.witness.trouble,
            log_key=str(self._log_key()),
            consortium=membership.consortium,
            founder=membership.founder or "",
        )

    def _log_key(self) -> NoteKey:
        keys = self.members.membership.coordinator_keys
        if not keys:
            raise NotFoundError("no government has stated the coordinator's key yet")
        return log_key(self.members.membership.consortium, keys[-1])
