"""The pepper and its epochs."""

from __future__ import annotations

from trisect.cli import link, screen
from trisect.cli.call import Call
from trisect.wire.v1 import node_admin_pb2 as pb


async def status(call: Call) -> None:
    """Show the epoch, and how far a roll is."""
    async with link.node(call) as node:
        found = await node.admin.GetPepperStatus(pb.GetPepperStatusRequest(), timeout=link.CALL_S)
    data = {"epoch": found.epoch, "rolling": found.rolling, "rows_to_roll": found.rows_to_roll}

    def text() -> None:
        screen.facts({"pepper epoch": found.epoch, "rows still to roll": found.rows_to_roll})

    call.report.result(data, text)


def note_expelled(call: Call, party: str) -> None:
    """Say what an expulsion leaves as it is, and what ends that (docs/adr/0014)."""
    call.report.note(
        f"{party} still knows the pepper and can test guesses against any token under it, until `trisect pepper "
        "rotate` at the node of the eldest active government begins a new epoch; tokens stolen before stay testable"
    )


def rotate(call: Call) -> None:
    """Begin a new epoch."""
    call.confirm("a new pepper epoch begins at every party, and a party that is behind cannot match")
    call.run(_rotate(call))


async def _rotate(call: Call) -> None:
    async with link.node(call) as node:
        found = await node.admin.RotatePepper(pb.RotatePepperRequest(), timeout=link.LONG_CALL_S)
    call.report.result(
        {"epoch": found.epoch, "parties_granted": found.parties_granted},
        lambda: screen.say(
            f"pepper epoch {found.epoch} has begun; {screen.count(found.parties_granted, 'party', 'parties')} got it"
        ),
    )
