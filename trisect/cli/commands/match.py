"""`trisect match` and `trisect count`."""

from __future__ import annotations

from typing import Annotated

import typer

from trisect.cli.call import Call
from trisect.cli.commands.matching_options import (
    Collection,
    Engine,
    EngineOption,
    Peer,
    PeerCollection,
    Purpose,
)
from trisect.cli.options import command


def declare(app: typer.Typer) -> None:
    """Add the commands."""
    command(app)(match)
    command(app)(count)


Explain = Annotated[
    bool, typer.Option("--explain", help="Say what it costs and who learns what; sends nothing.")
]
Detach = Annotated[bool, typer.Option("--detach", help="Return once the peer has accepted, and let it run.")]


def match(
    call: Call,
    *,
    collection: Collection,
    peer: Peer,
    peer_collection: PeerCollection,
    purpose: Purpose,
    engine: EngineOption = Engine.AUTO,
    explain: Explain = False,
    detach: Detach = False,
) -> None:
    """Learn which entries of a collection a peer has too; the peer does not learn which.

    Returns when both ends have recorded the result. `trisect hits` lists what was found.
    """
    from trisect.cli.acts import match as act  # noqa: PLC0415

    question = act.question(collection, peer, peer_collection, purpose, engine.value)
    act.ask(call, question, explain=explain, detach=detach)


def count(
    call: Call,
    *,
    collection: Collection,
    peer: Peer,
    peer_collection: PeerCollection,
    purpose: Purpose,
    engine: EngineOption = Engine.AUTO,
    explain: Explain = False,
    detach: Detach = False,
) -> None:
    """Learn how many entries of a collection a peer has too, about: with noise, and rounded by the rulebook.

    The peer learns the exact number. There is one answer a day (UTC) for a collection and a purpose.
    """
    from trisect.cli.acts import match as act  # noqa: PLC0415

    question = act.question(collection, peer, peer_collection, purpose, engine.value, mode="count")
    act.ask(call, question, explain=explain, detach=detach)
