"""`trisect-coordinator`: set up and run a coordinator."""

from __future__ import annotations

import os
import sys
from functools import partial
from typing import Annotated

import typer

from coordinator import authority
from coordinator.config import Config
from trisect import config, daemon
from trisect.cli.daemons import FormatOption, HomeOption, Output, command, program, tell
from trisect.clock import system_clock, system_randomness
from trisect.errors import ConflictError
from trisect.home import Home
from trisect.store.keystore import write_private

app = program("The coordinator of a Trisect consortium.")


@app.command()
def init(
    home: HomeOption,
    listen: Annotated[
        str, typer.Option(help="HOST:PORT for nodes; port 0 takes a free one and keeps it.")
    ] = "127.0.0.1:0",
    database: Annotated[str, typer.Option(help="URL of the database; SQLite in the home by default.")] = "",
    consortium: Annotated[str, typer.Option(help="Name of the consortium; made up by default.")] = "",
    advertise: Annotated[
        str, typer.Option(help="HOST:PORT under which nodes reach it, where that is not --listen.")
    ] = "",
    output: FormatOption = Output.TEXT,
) -> None:
    """Make a home: configuration and certificate authority."""
    place = Home(home)
    if place.config.exists():
        raise ConflictError(f"{place.path} is a home already", hint="choose an empty folder")
    name = consortium or f"consortium-{system_randomness(4).hex()}"
    Config(name, listen, advertise, database).check()
    place.path.mkdir(mode=0o700, parents=True, exist_ok=True)
    place.path.chmod(0o700)
    authority.create(place.path, name, system_clock, system_randomness)
    fields = {"consortium": name, "listen": listen, "advertise": advertise, "database": database}
    write_private(place.config, config.to_toml(fields).encode())
    tell(
        output,
        {"consortium": name, "home": str(place.path), "listen": listen},
        f"coordinator of {name} is set up in {place.path}; start it with `trisect-coordinator run`",
    )


@app.command("check-config")
def check_config(home: HomeOption, output: FormatOption = Output.TEXT) -> None:
    """Read the configuration and say whether it is right."""
    found = read_config(Home(home))
    tell(output, {"consortium": found.consortium}, "the configuration is right")


@app.command()
def run(
    home: HomeOption,
    listen: Annotated[str | None, typer.Option(help="HOST:PORT in place of the configured one.")] = None,
    database: Annotated[str | None, typer.Option(help="Database URL in place of the configured one.")] = None,
    output: FormatOption = Output.TEXT,
) -> None:
    """Run the coordinator until it is told to stop."""
    from coordinator.app import Coordinator  # noqa: PLC0415  (heavy, and `init` does without)

    place = Home(home)
    read = partial(read_config, place, listen=listen, database=database)
    found = read()
    daemon.run(
        place,
        "coordinator",
        lambda tasks: Coordinator(place, found, read).serve(tasks),
        level=found.log_level,
    )
    tell(output, {"stopped": True}, "the coordinator has stopped")


def read_config(home: Home, **flags: str | None) -> Config:
    """Read and check the configuration of a home."""
    found = config.load(
        Config, home.config, environment=os.environ, flags=flags, foreign=("party", "a party's node")
    )
    found.check()
    return found


def main() -> None:
    """Entry point of `trisect-coordinator`."""
    sys.exit(command(app, "trisect-coordinator"))


if __name__ == "__main__":
    main()
