"""Planted values, right and wrong work with them, and then a search of all that daemons keep, serve and say.

The search is the demonstration's own (`trisect/cli/demo/scan.py`). `support/planted.py` does it for every other
consortium of these tests too, when that stops.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import shutil
import sqlite3
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import grpc.aio
import pytest
from support import planted
from support.cluster import Cluster
from support.daemons import Node, until
from support.nursery import run

from trisect.cli.demo.scan import Place, find
from trisect.rpc.status import from_rpc
from trisect.wire.v1 import collections_pb2, matching_pb2

pytestmark = pytest.mark.walk
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("TRISECT_")} | {
    "COLUMNS": "200",
    "NO_COLOR": "1",
    "TERM": "dumb",
}
# Kind, a spelling as lists have it, and its canonical form, written by hand.
VALUES = (
    ("phone", "+1 (425) 555-0187", "+14255550187"),
    ("domain", "Planted-Scam.Example-Shop.com.", "planted-scam.example-shop.com"),
    (
        "url",
        "HTTPS://Planted-Pay.example-shop.com:443/Pay?id=1#x",
        "https://planted-pay.example-shop.com/Pay?id=1",
    ),
    ("iban", "DE89 3704 0044 0532 0130 00", "DE89370400440532013000"),
    (
        "wallet",
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "eip155:0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed",
    ),
    ("email", "Planted.Person@Example-Mail.com", "Planted.Person@example-mail.com"),
)
NAME = "Wolfgang Plantagenet-Smythe"
BAD = {
    "masked": ("phone", "+1 425 555 01xx", ""),
    "checksum": ("iban", "DE88 3704 0044 0532 0130 77", ""),
    "unknown_kind": ("+1 425 555 0166", "phone", ""),
    "bad_category": ("phone", "+1 425 555 0155", NAME),
    "ref_is_identifier": ("phone", "+1 425 555 0144", ""),
    "invalid": ("email", "planted person at example-mail.com", ""),
}
"""Reason of the refusal -> kind, value and category of a row; each row holds something that must not show."""
TYPED = (*(raw for _, raw, _ in VALUES), NAME)
"""What people type in the wrong place."""
TYPE = "VALUE"
BIG = range(5_000)


def csv_list(path: Path, prefix: str) -> Path:
    """Write a list with the planted values, enough others, and bad rows; notes are in a column nobody maps."""
    lines = ["kind,value,ref,category,remark"]
    lines += [f'{kind},"{raw}",{prefix}-{kind},,"{NAME} called from {raw}"' for kind, raw, _ in VALUES]
    lines += [f"domain,filler-{number}.example-shop.com,{prefix}-{number},," for number in range(20)]
    for reason, (kind, value, category) in BAD.items():
        ref = value if reason == "ref_is_identifier" else f"{prefix}-{reason}"
        lines.append(f'{kind},"{value}",{ref},{category},{NAME}')
    path.write_text("\n".join(lines) + "\n")
    return path


@dataclass
class Desk:
    """Runs commands, and keeps every word that they say."""

    cluster: Cluster
    folder: Path
    said: list[Place] = field(default_factory=list)

    def trisect(self, home: str, *words: str, stdin: str = "") -> int:
        ended = run(
            "trisect",
            *words,
            "--home",
            self.cluster.folder / home,
            stdin=stdin,
            environment=ENVIRONMENT,
            folder=self.folder,
        )
        heading = f"`trisect {' '.join(words)}`, exit code {ended.returncode}"
        self.said.append((heading, f"{ended.stdout}\n{ended.stderr}".encode()))
        return ended.returncode

    async def refused(self, node: Node, awaitable) -> None:
        """Await a call that must fail, and keep what the node says."""
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await awaitable
        error = from_rpc(caught.value, node.name)
        self.said.append(
            (f"a call to {node.name}", f"{caught.value!r} {error.message} {error.hint}".encode())
        )


@pytest.fixture(scope="module")
def desk(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """All the work, done once."""
    watch = planted.watch(cluster)
    watch.plant(*TYPED, canonical=[canonical for _, _, canonical in VALUES])
    watch.plant(*(value for _, value, _ in BAD.values() if value != "phone"), BAD["unknown_kind"][0])
    found = Desk(cluster, tmp_path_factory.mktemp("desk"))
    import_lists(found)
    match_by_command(found)
    type_in_the_wrong_place(found)
    asyncio.run(by_client(found))
    return found


def import_lists(desk: Desk) -> None:
    for party, collection in (("telco", "privacy-mine"), ("bank", "privacy-theirs")):
        path = csv_list(desk.folder / f"{party}.csv", party)
        assert desk.trisect(party, "import", str(path), "--collection", collection, "--region", "US") == 0
        rejects = path.with_name(path.name + ".rejects.csv")
        rows = [line.split(",") for line in rejects.read_text().splitlines()[1:]]
        assert {row[2].partition(":")[0] for row in rows} == set(BAD), rows
        assert [row[0] for row in rows] == [str(len(VALUES) + 22 + place) for place in range(len(BAD))]
        desk.said.append((rejects.name, rejects.read_bytes()))
    shared = ("--with", "telco", "--purpose", "scam-prevention", "--mode", "match")
    assert desk.trisect("bank", "collection", "share", "privacy-theirs", *shared) == 0


def match_by_command(desk: Desk) -> None:
    words = ("match", "--collection", "privacy-mine", "--peer", "bank", "--purpose", "scam-prevention")
    assert desk.trisect("telco", *words, "--with", "privacy-theirs") == 0
    assert desk.trisect("telco", *words, "--with", "privacy-theirs", "--explain") == 0
    assert desk.trisect("telco", "hits", "--format", "json") == 0
    for kind, _, _ in VALUES:
        assert f'"telco-{kind}"'.encode() in desk.said[-1][1], f"{kind} was not matched"
    assert desk.trisect("telco", *words, "--with", "no-such-list") == 6
    assert desk.trisect("telco", "exchange", "list") == 0


async def by_client(desk: Desk) -> None:
    await match_big(desk)
    await ask_the_node_itself(desk)


async def match_big(desk: Desk) -> None:
    """An exchange that is cancelled in the middle has failed at the other end."""
    telco, bank = desk.cluster["telco"], desk.cluster["bank"]
    values = [f"host-{number}.example.com" for number in BIG]
    for node in (telco, bank):
        await node.import_values("privacy-big", values)
    await bank.share("privacy-big", "telco")
    exchange_id = await telco.start_match("privacy-big", "bank", "privacy-big")
    await telco.matching("CancelExchange", matching_pb2.CancelExchangeRequest(exchange_id=exchange_id))

    async def has_failed() -> bool:
        return (await bank.exchange(exchange_id)).state == "failed"

    await until(has_failed, "the answerer to see the end")


def type_in_the_wrong_place(desk: Desk) -> None:
    """In every place where one can be typed stands a value that does not belong there."""
    path = str(desk.folder / "telco.csv")
    mine, bank = ("--collection", "privacy-mine"), ("--peer", "bank")
    theirs, why = ("--with", "privacy-theirs"), ("--purpose", "scam-prevention")
    places: list[tuple[str, ...]] = [
        (TYPE,),
        (f"--{TYPE}",),
        ("entry", TYPE),
        ("import", path, *mine, TYPE),
        ("import", path, "--collection", TYPE),
        ("import", path, "--kind", TYPE, *mine),
        ("import", path, "--region", TYPE, *mine),
        ("import", path, "--reader", TYPE, *mine),
        ("import", path, "--map", f"value={TYPE}", *mine),
        ("import", path, "--map", TYPE, *mine),
        ("import", path, "--retention-days", TYPE, *mine),
        ("match", "--collection", TYPE, *bank, *theirs, *why),
        ("match", *mine, "--peer", TYPE, *theirs, *why),
        ("match", *mine, *bank, "--with", TYPE, *why),
        ("match", *mine, *bank, *theirs, "--purpose", TYPE),
        ("match", *mine, *bank, *theirs, *why, "--engine", TYPE),
        ("match", *mine, *bank, *theirs, *why, TYPE),
        ("collection", "share", "privacy-mine", "--with", TYPE, *why, "--mode", "match"),
        ("collection", "share", "privacy-mine", "--with", "bank", *why, "--mode", TYPE),
        ("collection", "show", TYPE),
        ("exchange", "show", TYPE),
        ("hits", "--exchange", TYPE),
        ("schedule", "remove", TYPE),
        ("party", "show", TYPE),
        ("entry", "show", TYPE, "--kind", "payment_card"),
        ("entry", "show", TYPE, "--collection", TYPE),
        ("entry", "show", "--kind", TYPE),
        ("entry", "show", *mine, "--ref", TYPE),
        ("entry", "add", *mine, "--category", TYPE),
        ("entry", "add", *mine, "--kind", TYPE),
    ]
    for number, place in enumerate(places):
        words = [word.replace(TYPE, TYPED[number % len(TYPED)]) for word in place]
        assert desk.trisect("telco", *words, stdin="planted-other.example-shop.com") != 0, words
    for value in TYPED[:3]:
        assert desk.trisect("coordinator", "invite", "--party", value, "--role", "provider") != 0
        assert desk.trisect("telco", "entry", "show", "--kind", "payment_card", stdin=value) != 0


async def ask_the_node_itself(desk: Desk) -> None:
    """A client that checks nothing gets no value repeated either."""
    telco = desk.cluster["telco"]
    change = collections_pb2.ChangeEntryRequest
    for value in TYPED:
        await desk.refused(telco, telco.start_match("privacy-mine", "bank", "privacy-theirs", purpose=value))
        await desk.refused(telco, telco.share("privacy-mine", value))
        await desk.refused(telco, telco.import_values(value, ["filler.example-shop.com"]))
        wrong = change(act=change.ACT_ADD, collection="privacy-mine", kind="app", value=value)
        await desk.refused(telco, telco.lists("ChangeEntry", wrong))


@pytest.fixture(scope="module")
def served(desk: Desk) -> list[Place]:
    return list(chain.from_iterable(planted.pages(daemon) for daemon in desk.cluster.daemons))


def test_nothing_planted_is_kept_or_served(desk: Desk, served: list[Place]):
    """Homes with databases, their write-ahead logs, logs, stdout and stderr, the recorded relay, and HTTP."""
    kept = {name for daemon in desk.cluster.daemons for name, _ in planted.home_places(daemon)}
    looked_at = {"telco/node.db", "telco/node.db-wal", "telco/node.db, cell by cell", "telco/logs/node.log"}
    looked_at |= {"coordinator/coordinator.db", "coordinator/coordinator.db-wal", "coordinator/relay.bin"}
    looked_at |= {"coordinator/logs/coordinator.log", "coordinator/stderr.log", "bank/stderr.log"}
    assert looked_at <= kept
    assert len(served) == len(planted.PAGES) * len(desk.cluster.daemons)
    assert planted.watch(desk.cluster).leaks(desk.cluster, served) == []


def test_no_command_and_no_error_repeats_a_value(desk: Desk):
    watch = planted.watch(desk.cluster)
    secrets = {
        "value": [value.encode() for value in {*TYPED, *watch.values} if not value.startswith("host-")],
        "canonical form": [canonical.removeprefix("+").encode() for _, _, canonical in VALUES],
        "token": [token for node in desk.cluster.nodes.values() for token in planted.tokens_of(node)],
    }
    assert len(desk.said) > 60
    assert find(desk.said, secrets)[0] == ()


def test_the_search_would_have_found_them(desk: Desk):
    """One secret of each sort is put into each sort of place, and each is found where it was put."""
    cluster = desk.cluster
    (raw, canonical), token = (VALUES[0][1], VALUES[3][2]), planted.tokens_of(cluster["telco"])[0]
    leaks = {
        cluster["telco"].home / "logs" / "leak.log": raw.encode(),
        cluster["bank"].home / "leak.json": b'{"iban":"' + canonical.encode() + b'"}',
        cluster["proxy"].home / "leak.txt": base64.b64encode(b"." + planted.peppers(cluster)[0]),
        cluster["bank"].home / "logs" / "leak.log.1": token.hex().encode(),
        cluster.coordinator.home / "leak.bin": b"\0" + token + b"\0",
    }
    database = cluster["proxy"].home / "leak.db"
    try:
        for path, data in leaks.items():
            path.write_bytes(data)
        with contextlib.closing(sqlite3.connect(database)) as connection:
            connection.execute("CREATE TABLE leak (value INTEGER)")
            connection.execute("INSERT INTO leak VALUES (?)", (int(VALUES[0][2]),))
            connection.commit()
        served = [("a page", b'trisect_leak{value="' + NAME.encode() + b'"} 1')]
        found = planted.watch(cluster).leaks(cluster, served)
    finally:
        for path in [*leaks, database]:
            path.unlink(missing_ok=True)
    assert {(one.sort, one.file) for one in found} == {
        ("value", "telco/logs/leak.log"),
        ("canonical form", "bank/leak.json"),
        ("pepper", "proxy/leak.txt"),
        ("token", "bank/logs/leak.log.1"),
        ("token", "coordinator/leak.bin"),
        ("canonical form", "proxy/leak.db, cell by cell"),
        ("value", "a page"),
    }


@pytest.fixture
def copied(desk: Desk, tmp_path: Path) -> Cluster:
    """What the consortium keeps, without its daemons."""
    ignored = shutil.ignore_patterns("*.sock", "node.db-shm")
    shutil.copytree(desk.cluster.folder, tmp_path / "copy", ignore=ignored)
    copy = Cluster(tmp_path / "copy", type(desk.cluster.coordinator)("", tmp_path / "copy" / "coordinator"))
    copy.nodes = {name: Node("", tmp_path / "copy" / name) for name in desk.cluster.nodes}
    return copy


def test_a_cluster_that_leaks_fails_when_it_stops(copied: Cluster):
    """The watch over all walk tests takes values from what they import, and fails the test that leaks one."""

    async def begin_import() -> None:
        with contextlib.suppress(OSError):  # no daemon takes it, but the watch has seen it
            await copied["telco"].import_values("any", ["watched-host.example-shop.com"])

    asyncio.run(begin_import())
    copied.stop()
    (copied["telco"].home / "logs" / "node.log.1").write_text("watched-host.example-shop.com")
    with pytest.raises(AssertionError, match=r"telco/logs/node\.log\.1"):
        copied.stop()
