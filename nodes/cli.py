"""`trisect-node`: join a consortium and run a node."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from nodes import enrol
from nodes.config import Config
from trisect import config, daemon
from trisect.cli.daemons import FormatOption, HomeOption, Output, command, program, tell
from trisect.clock import system_clock, system_randomness
from trisect.errors import BadInputError
from trisect.home import Home
from trisect.trust.invitations import MAX_CHARACTERS, Invitation

app = program("The node of a party to Trisect.")


@app.command()
def join(
    home: HomeOption,
    invitation: Annotated[
        str, typer.Option(help="File with the invitation, or - for stdin; else TRISECT_INVITATION.")
    ] = "",
    listen: Annotated[str, typer.Option(help="HOST:PORT of the node's own HTTP endpoint.")] = "",
    database: Annotated[str, typer.Option(help="URL of the database; SQLite in the home by default.")] = "",
    output: FormatOption = Output.TEXT,
) -> None:
    """Make keys here and trade an invitation for a certificate."""
    place = Home(home)
    found = Invitation.from_text(_read_invitation(invitation))
    settings = {"database": database}
    joined = asyncio.run(
        enrol.join(place, found, settings, listen, clock=system_clock, randomness=system_randomness)
    )
    tell(
        output,
        {
            "fingerprint": joined.fingerprint,
            "founder_fingerprint": joined.founder,
            "state": "admitted" if joined.admitted else "pending",
            "party": joined.party,
            "role": joined.role,
            "consortium": joined.consortium,
        },
        *_told(joined),
    )


def _told(joined: enrol.Joined) -> Iterator[str]:
    """Say what has happened and what a person does next."""
    who, founds = f"{joined.party} ({joined.role})", joined.founder == joined.fingerprint
    if joined.admitted:
        yield f"{who} has a new certificate of {joined.consortium}, which has admitted it before."
    elif founds:
        yield f"{who} has joined {joined.consortium}, and founds it when it runs."
    else:
        yield f"{who} has joined {joined.consortium} and waits for admission."
    yield f"fingerprint: {joined.fingerprint}"
    if not founds:
        yield f"founder: {joined.founder}"
    if not founds and not joined.admitted:
        yield "By telephone, read your fingerprint to the government and hear the founder's from it."
    yield "Then start `trisect-node run`."


@app.command("check-config")
def check_config(home: HomeOption, output: FormatOption = Output.TEXT) -> None:
    """Read the configuration and say whether it is right."""
    found = read_config(Home(home))
    tell(output, {"consortium": found.consortium, "party": found.party}, "the configuration is right")


@app.command()
def run(
    home: HomeOption,
    database: Annotated[str | None, typer.Option(help="Database URL in place of the configured one.")] = None,
    output: FormatOption = Output.TEXT,
) -> None:
    """Run the node until it is told to stop."""
    from nodes.app import Node  # noqa: PLC0415  (heavy, and `join` does without)

    place = Home(home)
    read = partial(read_config, place, database=database)
    found = read()
    daemon.run(place, "node", lambda tasks: Node(place, found, read).serve(tasks), level=found.log_level)
    tell(output, {"stopped": True}, "the node has stopped")


def read_config(home: Home, **flags: str | None) -> Config:
    """Read and check the configuration of a home."""
    found = config.load(
        Config, home.config, environment=os.environ, flags=flags, foreign=("listen", "a coordinator")
    )
    found.check()
    return found


def _read_invitation(source: str) -> str:
    if source == "-":
        return sys.stdin.read(MAX_CHARACTERS + 1)
    if source:
        try:
            return Path(source).read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError) as error:
            raise BadInputError(
                f"cannot read the invitation {source}",
                hint="name a file that you may read, or send it on stdin with `--invitation -`",
            ) from error
    found = os.environ.get("TRISECT_INVITATION", "")
    if not found:
        raise BadInputError(
            "no invitation was given", hint="pass --invitation FILE, --invitation - or TRISECT_INVITATION"
        )
    return found


def main() -> None:
    """Entry point of `trisect-node`."""
    sys.exit(command(app, "trisect-node"))


if __name__ == "__main__":
    main()
