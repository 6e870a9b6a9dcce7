"""Schedules of a node."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from nodes.schedules import Scheduler
from trisect.rpc.authentication import Context
from trisect.store.schedules import Schedule, Schedules
from trisect.wire.v1 import schedules_pb2 as pb
from trisect.wire.v1 import schedules_pb2_grpc


@dataclass(frozen=True, slots=True)
class SchedulesService(schedules_pb2_grpc.SchedulesServicer):
    """What an administrator does with schedules."""

    scheduler: Scheduler
    store: Schedules

    async def AddSchedule(self, request: pb.AddScheduleRequest, _context: Context) -> pb.AddScheduleReply:  # noqa: N802
        """Record work to repeat."""
        return pb.AddScheduleReply(schedule=_describe(await self.scheduler.add(request)))

    async def ListSchedules(  # noqa: N802
        self, _request: pb.ListSchedulesRequest, _context: Context
    ) -> pb.ListSchedulesReply:
        """List all schedules."""
        found = await asyncio.to_thread(self.store.list)
        return pb.ListSchedulesReply(schedules=[_describe(schedule) for schedule in found])

    async def RemoveSchedule(  # noqa: N802
        self, request: pb.RemoveScheduleRequest, _context: Context
    ) -> pb.RemoveScheduleReply:
        """Forget a schedule."""
        await self.scheduler.remove(request.id)
        return pb.RemoveScheduleReply()


def _describe(schedule: Schedule) -> pb.Schedule:
    work = pb.AddScheduleRequest.FromString(schedule.work)
    described = pb.Schedule(
        id=schedule.id, every_s=schedule.every_s, next_at=schedule.next_at, last_result=schedule.last_result
    )
    if work.WhichOneof("work") == "match":
        described.match.CopyFrom(work.match)
    else:
        getattr(described, "import").CopyFrom(getattr(work, "import"))
    return described
