"""`trisect match`."""

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
    """Add the command."""
    command(app)(match)


def match(
    call: Call,
    *,
    collection: Collection,
    peer: Peer,
    peer_collection: PeerCollection,
    purpose: Purpose,
    engine: EngineOption = Engine.AUTO,
    explain: Annotated[
        bool, typer.Option("--explain", help="Say what it costs and who learns what; sends nothing.")
    ] = False,
    detach: Annotated[
        bool, typer.Option("--detach", help="Return once the peer has accepted, and let it run.")
    ] = False,
) -> None:
    """Learn which entries of a collection a peer has too; the peer does not learn which.

    Returns when both ends have recorded the result. `trisect hits` lists what was found.
    """
    from trisect.cli.acts import match as act  # noqa: PLC0415

    question = act.question(collection, peer, peer_collection, purpose, engine.value)
    if explain:
        call.run(act.explain(call, question))
    elif detach:
        call.run(act.detach(call, question))
    else:
        act.match(call, question)
