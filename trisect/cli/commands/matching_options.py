"""Options that every command about a match shares."""

from __future__ import annotations

import enum
from typing import Annotated

import typer

from trisect.cli.commands.completions import purposes


class Engine(enum.StrEnum):
    """The matching protocols that can be asked for."""

    AUTO = "auto"
    ECDH = "ecdh"
    OPRF = "oprf"
    OT = "ot"


Collection = Annotated[str, typer.Option(metavar="C", help="This node's own collection.")]
Peer = Annotated[str, typer.Option(metavar="P", help="The party to ask.")]
PeerCollection = Annotated[str, typer.Option("--with", metavar="PC", help="The party's collection.")]
Purpose = Annotated[
    str,
    typer.Option(metavar="U", help="Why; the peer must have shared it for that.", autocompletion=purposes),
]
EngineOption = Annotated[Engine, typer.Option(help="The matching protocol; auto chooses.")]
ExchangeId = Annotated[str, typer.Argument(metavar="ID", help="The exchange's id, or its beginning.")]
