"""More services of the fake node: schedules, a small but real public record, proofs."""

# ruff: noqa: N802, ARG002  (names and arguments are the contract's)
from __future__ import annotations

from typing import TYPE_CHECKING

import grpc.aio
from support.membership import CONSORTIUM
from support.small_record import FOUNDER, LOG, small_record

from trisect.errors import NotFoundError
from trisect.record import entries
from trisect.wire.v1 import (
    proofs_pb2,
    proofs_pb2_grpc,
    record_admin_pb2,
    record_admin_pb2_grpc,
    schedules_pb2,
    schedules_pb2_grpc,
)

if TYPE_CHECKING:
    from support.fake_node import FakeNode

NOW = "2026-11-23T12:00:00Z"


class Schedules(schedules_pb2_grpc.SchedulesServicer):
    def __init__(self, node: FakeNode) -> None:
        self.node = node

    async def AddSchedule(self, request, context):
        self.node._note("AddSchedule", request)
        found = schedules_pb2.Schedule(
            id=f"s{len(self.node.schedules)}", every_s=request.every_s, next_at=NOW
        )
        work = request.WhichOneof("work")
        getattr(found, work).CopyFrom(getattr(request, work))
        self.node.schedules[found.id] = found
        return schedules_pb2.AddScheduleReply(schedule=found)

    async def ListSchedules(self, request, context):
        self.node._note("ListSchedules", request)
        return schedules_pb2.ListSchedulesReply(schedules=self.node.schedules.values())

    async def RemoveSchedule(self, request, context):
        self.node._note("RemoveSchedule", request)
        if self.node.schedules.pop(request.id, None) is None:
            raise NotFoundError("there is no such schedule")
        return schedules_pb2.RemoveScheduleReply()


class RecordAdmin(record_admin_pb2_grpc.RecordAdminServicer):
    def __init__(self, node: FakeNode) -> None:
        self.node = node

    async def GetRecord(self, request, context):
        self.node._note("GetRecord", request)
        return self._shown()

    async def GetRecordProof(self, request, context):
        self.node._note("GetRecordProof", request)
        proof = small_record().proof(request.number)
        return record_admin_pb2.GetRecordProofReply(
            proof=str(proof), kind=entries.kind(proof.extra), size=len(small_record().found)
        )

    async def ListRecord(self, request, context):
        self.node._note("ListRecord", request)
        yield record_admin_pb2.RecordPage(head=self._shown())
        for entry in self.node.record_entries:
            yield record_admin_pb2.RecordPage(entries=[entry])

    def _shown(self) -> record_admin_pb2.GetRecordReply:
        record = small_record()
        return record_admin_pb2.GetRecordReply(
            note=str(record.note),
            size=len(record.found),
            root=bytes(32),
            cosignatures=[
                record_admin_pb2.Cosignature(party=name, role="proxy", at=NOW) for name in record.cosigners
            ],
            roles=["government", "proxy"],
            counts=self.node.record_counts,
            log_key=str(LOG),
            consortium=CONSORTIUM,
            founder=FOUNDER,
        )


class Proofs(proofs_pb2_grpc.ProofsServicer):
    def __init__(self, node: FakeNode) -> None:
        self.node = node

    async def ProveEntry(self, request, context):
        self.node._note("ProveEntry", request)
        return proofs_pb2.ProveEntryReply(proof="a proof", end="answerer", recorded=self.node.recorded)

    async def CheckProof(self, request, context):
        self.node._note("CheckProof", request)
        return proofs_pb2.CheckProofReply(
            exchange_id="ab" * 16,
            owner="bank",
            end="answerer",
            peer="telco",
            purpose="scam-prevention",
            mode="match",
            collection="c2",
            version=5,
            decided=NOW,
            finished=NOW,
        )


def register(node: FakeNode, server: grpc.aio.Server) -> None:
    """Serve what is here."""
    schedules_pb2_grpc.add_SchedulesServicer_to_server(Schedules(node), server)
    record_admin_pb2_grpc.add_RecordAdminServicer_to_server(RecordAdmin(node), server)
    proofs_pb2_grpc.add_ProofsServicer_to_server(Proofs(node), server)
