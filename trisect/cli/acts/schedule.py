"""Work that the node repeats by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from trisect.cli import link, screen
from trisect.cli.acts.import_options import Options
from trisect.cli.call import Call
from trisect.cli.failures import UsageError
from trisect.cli.units import seconds, span
from trisect.errors import BadInputError
from trisect.wire.v1 import matching_pb2
from trisect.wire.v1 import schedules_pb2 as pb

MAX_ID_CHARACTERS = 64


def add_match(call: Call, every: str, asked: matching_pb2.StartMatchRequest) -> None:
    """Repeat a match."""
    call.run(_add(call, pb.AddScheduleRequest(every_s=seconds(every, "--every"), match=asked)))


def add_import(call: Call, every: str, file: Path, options: Options) -> None:
    """Repeat an import of a file that the node itself reads."""
    every_s = seconds(every, "--every")
    path = file.absolute()
    if not path.is_file():
        raise BadInputError(
            f"there is no file {path}",
            hint="a schedule needs a file that is read again and again, so not stdin",
        )
    # Nobody watches a repeated import: it may never drop much of a list unasked, whatever --yes says now.
    begin = options.begin(allow_large_drop=False, fingerprint=b"")
    request = pb.AddScheduleRequest(every_s=every_s)
    work = pb.ScheduledImport(
        path=str(path), begin=begin, reader=options.reader or "", mapping=dict(options.mapping)
    )
    getattr(request, "import").CopyFrom(work)
    call.run(_add(call, request))


async def list_all(call: Call) -> None:
    """List all schedules."""
    async with link.node(call) as node:
        reply = await node.schedules.ListSchedules(pb.ListSchedulesRequest(), timeout=link.CALL_S)
    found = [_describe(one) for one in reply.schedules]
    call.report.result(
        {"schedules": found},
        lambda: screen.listing(
            {
                "ID": "id",
                "EVERY": lambda one: span(one["every_s"]),
                "WORK": _work,
                "NEXT": "next_at",
                "LAST": "last_result",
            },
            found,
            empty="The node repeats nothing by itself.",
            whole=("ID",),
        ),
    )


async def remove(call: Call, schedule_id: str) -> None:
    """Remove a schedule."""
    if not schedule_id.isalnum() or len(schedule_id) > MAX_ID_CHARACTERS:
        raise UsageError("this is not a schedule's id", hint="`trisect schedule list` shows ids")
    async with link.node(call) as node:
        await node.schedules.RemoveSchedule(pb.RemoveScheduleRequest(id=schedule_id), timeout=link.CALL_S)
    call.report.result({"id": schedule_id}, lambda: screen.say(f"schedule {schedule_id} is removed."))


async def _add(call: Call, request: pb.AddScheduleRequest) -> None:
    async with link.node(call) as node:
        reply = await node.schedules.AddSchedule(request, timeout=link.CALL_S)
    found = _describe(reply.schedule)
    call.report.result(
        found,
        lambda: screen.say(
            f"schedule {found['id']}: {_work(found)}, every {span(found['every_s'])}, next at {found['next_at']}"
        ),
    )


def _describe(found: pb.Schedule) -> dict[str, Any]:
    described: dict[str, Any] = {
        "id": found.id,
        "every_s": found.every_s,
        "next_at": found.next_at,
        "last_result": found.last_result or None,
        "match": None,
        "import": None,
    }
    if found.HasField("match"):
        described["match"] = {
            "collection": found.match.collection,
            "peer": found.match.peer,
            "peer_collection": found.match.peer_collection,
            "purpose": found.match.purpose,
            "engine": found.match.engine,
        }
    if found.HasField("import"):
        work = getattr(found, "import")
        described["import"] = {
            "path": work.path,
            "collection": work.begin.collection,
            "kind": work.begin.kind,
            "replace": work.begin.replace,
            "reader": work.reader or None,
            "mapping": dict(work.mapping),
        }
    return described


def _work(found: screen.Row) -> str:
    if found["match"]:
        asked = found["match"]
        return f"match {asked['collection']} with {asked['peer']}'s {asked['peer_collection']} ({asked['purpose']})"
    work = found["import"]
    if work is None:
        return ""
    return f"import {work['path']} into {work['collection']}{' (whole list)' if work['replace'] else ''}"
