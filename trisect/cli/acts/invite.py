"""Invitations."""

from __future__ import annotations

from pathlib import Path

from trisect.cli import files, link, screen
from trisect.cli.call import Call
from trisect.cli.units import seconds
from trisect.rpc.words import printable
from trisect.wire.v1 import coordinator_admin_pb2


async def invite(call: Call, party: str, role: str, ttl: str, output: Path | None) -> None:
    """Make an invitation and show it, or write it to a file."""
    ttl_s = seconds(ttl, "--ttl")
    if output is not None:
        files.check_place(output)
    async with link.coordinator(call) as admin:
        made = await admin.Invite(
            coordinator_admin_pb2.InviteRequest(party=party, role=role, ttl_s=ttl_s), timeout=link.CALL_S
        )
    if output is not None:
        with files.written(output) as stream:
            stream.write(f"{made.invitation}\n")
    data = {
        "invitation": made.invitation if output is None else None,
        "output": None if output is None else str(output),
        "expires_at": made.expires_at,
        "party": party,
        "role": role,
    }

    def text() -> None:
        if output is None:
            print(printable(made.invitation))  # noqa: T201  (one unbroken line, whatever the terminal's width)
        else:
            screen.say(f"invitation for {party} ({role}) written to {output}")
        call.report.note(f"good until {made.expires_at}, once; whoever holds it can enrol as {party}")

    call.report.result(data, text)
