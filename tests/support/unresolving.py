"""A process that may not look names up: it imports the sample lists and prepares a match, as a node does.

Run as `python unresolving.py FOLDER [NAME]`. From its first line on, whatever asks for a name's address, or connects
to an address of the internet, is noted and fails. It prints one JSON object: how much it did and what it noted. A NAME
is looked up at the end, to show that this is noted.
"""

from __future__ import annotations

import sys

NOTED: list[str] = []
LOOK_UPS = {f"socket.{name}" for name in ("getaddrinfo", "gethostbyname", "gethostbyaddr", "getnameinfo")}
REACHES_OUT = {"socket.connect", "socket.sendto", "socket.sendmsg"}


def note(event: str, arguments: tuple[object, ...]) -> None:
    """Refuse an event (PEP 578) that leaves the machine; Unix sockets have no tuple for an address."""
    if event in LOOK_UPS or (event in REACHES_OUT and isinstance(arguments[-1], tuple)):
        NOTED.append(event)
        raise OSError(f"{event} is forbidden in this test")


sys.addaudithook(note)

import asyncio  # noqa: E402
import json  # noqa: E402
import socket  # noqa: E402
from pathlib import Path  # noqa: E402

from nodes import converters  # noqa: E402
from nodes.config import Import  # noqa: E402
from nodes.intake import Intake  # noqa: E402
from nodes.peppers import Peppers  # noqa: E402
from nodes.services.collections import CollectionsService  # noqa: E402
from nodes.underway import Underway  # noqa: E402
from trisect.cli.demo import samples  # noqa: E402
from trisect.clock import system_clock, system_randomness  # noqa: E402
from trisect.indicators.tokens import Pepper  # noqa: E402
from trisect.psi.ecdh import EcdhClient  # noqa: E402
from trisect.psi.items import client_items  # noqa: E402
from trisect.rules.vocabulary import Purpose  # noqa: E402
from trisect.store.collections import Collections  # noqa: E402
from trisect.store.consents import Use  # noqa: E402
from trisect.store.database import Database, sqlite_url  # noqa: E402
from trisect.store.intake import Imports  # noqa: E402
from trisect.store.rolling import Rolling  # noqa: E402
from trisect.wire.convert import batch_to_wire  # noqa: E402
from trisect.wire.v1 import collections_pb2  # noqa: E402

converters.SMALL_ROWS = sys.maxsize  # everything is converted here, in no process without the hook


async def work(folder: Path) -> dict[str, int]:
    """Import every sample list, and blind the first block of each; gives rows taken and elements by collection."""
    database = Database(sqlite_url(folder / "node.db"))
    database.migrate("node")
    peppers = Peppers(Rolling(database), system_randomness(32), system_randomness)
    await peppers.start()
    await peppers.take((Pepper(system_randomness(32)),))
    collections = Collections(database)
    intake = Intake(
        collections,
        Imports(database),
        peppers,
        workers=1,
        underway=Underway(),
        clock=system_clock,
        randomness=system_randomness,
    )
    service = CollectionsService(
        collections, intake, peppers, Import, lambda: None, lambda *_: b"", lambda _: 1, allow_reserved=True
    )
    use = Use("bank", Purpose.SCAM_PREVENTION, system_clock(), 0, frozenset())
    done: dict[str, int] = {}
    for one in samples.load().imports:
        name = f"{one.party}-{one.collection}"
        begin = collections_pb2.ImportBegin(collection=name, kind=one.kind, region=one.region)

        async def batches(one: samples.Import = one):
            for batch in samples.read(one):
                yield batch_to_wire(batch)

        async for step in service.import_steps(begin, batches()):
            assert not step.rejects
        snapshot = collections.snapshot(name, use, epoch=0)
        items, _ = client_items(snapshot.tokens, system_randomness(32), system_randomness)
        done[name] = snapshot.size
        assert len(EcdhClient(items.tobytes()).request(0, 100)) > 0
    await intake.close()
    database.close()
    return done


if __name__ == "__main__":
    sizes = asyncio.run(work(Path(sys.argv[1])))
    for name in sys.argv[2:]:
        try:
            socket.getaddrinfo(name, 443)
        except OSError:
            continue
    sys.stdout.write(json.dumps({"sizes": sizes, "noted": NOTED}))
