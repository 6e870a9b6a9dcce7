"""The public record over real processes: every node follows and cosigns it, and none follows one that was rewritten."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from support.cluster import Cluster, run
from support.daemons import Coordinator, Daemon, Node, until
from support.failing import is_ready

from coordinator import authority
from nodes.keys import NodeKeys
from trisect.record.checkpoint import Checkpoint, log_key, witness_key
from trisect.record.entries import document, kind
from trisect.record.notes import Note, NoteKey
from trisect.store.database import Database, sqlite_url
from trisect.store.record import NewEntry, Record
from trisect.store.tables import coordinator_record
from trisect.wire.v1 import node_admin_pb2

pytestmark = pytest.mark.walk
PARTIES = ("government", "telco", "proxy")


def curious(daemon: Daemon) -> None:
    """Have nodes that look at the record often."""
    if isinstance(daemon, Node):
        daemon.tune({"nodes.witness.LOOK_EVERY_S": 0.5})


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    found = asyncio.run(Cluster.create(tmp_path_factory.mktemp("record"), PARTIES, prepare=curious))
    yield found
    found.stop()


def record_key(cluster: Cluster) -> NoteKey:
    signing = authority.signing_key(cluster.coordinator.home, os.urandom)
    return log_key(consortium(cluster), signing.public)


def consortium(cluster: Cluster) -> str:
    return authority_name(cluster.coordinator)


def authority_name(coordinator: Coordinator) -> str:
    text = (coordinator.home / "config.toml").read_text()
    return next(line.split('"')[1] for line in text.splitlines() if line.startswith("consortium"))


def witnesses(cluster: Cluster) -> list[NoteKey]:
    return [
        witness_key(consortium(cluster), name, NodeKeys.load(node.home).identity.public)
        for name, node in cluster.nodes.items()
    ]


def newest(cluster: Cluster) -> Note:
    with closing(Database(sqlite_url(cluster.coordinator.home / "coordinator.db"))) as database:
        note = Record(database, coordinator_record).head()
    assert note is not None
    return Note.parse(note)


async def cosigned_by_all(cluster: Cluster, *, above: int = 0) -> Note:
    """Wait for a head that every node has cosigned."""

    async def found() -> Note | None:
        note = newest(cluster)
        return note if len(note.signers(witnesses(cluster))) == len(PARTIES) else None

    async def larger() -> bool:
        return Checkpoint.of(newest(cluster)).size > above

    await until(larger, f"a head beyond {above}")
    return await until(found, "every node to cosign the newest head")


def entries(cluster: Cluster) -> list[bytes]:
    with closing(Database(sqlite_url(cluster.coordinator.home / "coordinator.db"))) as database:
        return list(Record(database, coordinator_record).entries(0))


async def test_anybody_checks_an_export_and_a_proof_without_a_daemon(own: Cluster, tmp_path: Path) -> None:
    await cosigned_by_all(own, above=6)
    export, proof = tmp_path / "record.jsonl", tmp_path / "entry.tlog-proof"
    proxy = own["proxy"]

    async def counts() -> dict[str, Any]:
        data = told("--home", proxy.home, "record", "show")
        exported = told("--home", proxy.home, "record", "export", "--output", export, "--yes")
        return data if data["counts"] and exported["size"] == data["size"] else {}

    shown = await until(counts, "the proxy to see a head that counts, and nothing to come after it")
    assert shown["log_key"] == str(record_key(own))
    told("--home", proxy.home, "record", "proof", 0, "--output", proof)
    founder = (await own["government"].status()).fingerprint
    assert shown["founder_fingerprint"] == founder
    found = told("record", "verify", export, "--founder", founder)
    assert (found["size"], found["parties"], found["counts"]) == (shown["size"], len(PARTIES), True)
    assert told("record", "verify", proof, "--log-key", found["log_key"])["kind"] == "admission.v1"


def told(*arguments: object) -> dict[str, Any]:
    """Run the command; gives its data."""
    ended = run("trisect", "--format", "json", *arguments)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return dict(json.loads(ended.stdout)["data"])


async def test_a_record_goes_on_after_a_kill(own: Cluster) -> None:
    before = await cosigned_by_all(own, above=6)
    for daemon in (own["proxy"], own.coordinator):
        daemon.kill()
        await daemon.start()
    for node in own.nodes.values():
        await until(node.is_admitted, f"{node.name} to be back")
    await own["government"].admin("RotatePepper", node_admin_pb2.RotatePepperRequest())
    after = await cosigned_by_all(own, above=Checkpoint.of(before).size)
    assert Checkpoint.of(after).size > Checkpoint.of(before).size
    for node in own.nodes.values():
        await is_ready(node)


async def test_every_statement_is_entered_and_every_head_cosigned(own: Cluster) -> None:
    note = await cosigned_by_all(own, above=19)
    note.verify(record_key(own))
    size = Checkpoint.of(note).size
    kinds = [kind(entry) for entry in entries(own)]
    assert kinds[0] == "admission.v1"
    filed = ["notice.v1"] * 3 + ["pepper-grant.v1"] * 6 + ["rulebook.v1"] + ["source-review.v1"] * 6
    assert sorted(kinds) == ["admission.v1"] * 3 + ["coordinator-key.v1"] + filed
    assert {kind(entry) for entry in entries(own) if document(entry) is None} == {"pepper-grant.v1"}
    change = node_admin_pb2.ChangeStandingRequest
    suspended = change(party="telco", standing="suspended", reason="a test")
    await own["government"].admin("ChangeStanding", suspended)

    async def without_telco() -> bool:
        found = newest(own)
        signers = {key.name.rpartition("/")[2] for key in found.signers(witnesses(own))}
        return Checkpoint.of(found).size == size + 1 and signers == {"government", "proxy"}

    await until(without_telco, "the others to cosign the suspension")
    assert kind(entries(own)[-1]) == "standing.v1"
    assert [daemon.ready() for daemon in (own["government"], own["proxy"])] == [[], []]
    back = change(party="telco", standing="active", reason="a test")
    await own["government"].admin("ChangeStanding", back)
    await cosigned_by_all(own, above=size + 1)


async def test_a_record_that_was_rewritten_is_cosigned_by_nobody_and_proved(own: Cluster) -> None:
    """The coordinator's own key signs both; each node keeps the two heads that do not follow from each other."""
    before = await cosigned_by_all(own, above=6)
    await asyncio.to_thread(own.coordinator.terminate)
    rewrite(own.coordinator)
    await own.coordinator.start()

    def trouble(daemon: Daemon) -> str:
        return {reason["check"]: reason["reason"] for reason in daemon.ready()}.get("record", "")

    for node in own.nodes.values():

        async def noticed(node: Node = node) -> bool:
            return "has shown two records" in trouble(node)

        await until(noticed, f"{node.name} to notice")
        shown = told("--home", node.home, "record", "show")
        seen, fork = map(Note.parse, shown["contradiction"])
        assert (seen.text, fork.text) == (before.text, newest(own).text)
        for note in (seen, fork):
            note.verify(record_key(own))
        assert {"record", "head"} <= {reason["check"] for reason in node.ready()}, (
            "nothing is exchanged by it"
        )
    assert newest(own).signers(witnesses(own)) == {}
    await asyncio.to_thread(own["proxy"].terminate)
    await own["proxy"].start()
    assert "has shown two records" in trouble(own["proxy"]), "a restart forgets nothing"


def rewrite(coordinator: Coordinator) -> None:
    """Change the first entry, and make everything else fit."""
    with closing(Database(sqlite_url(coordinator.home / "coordinator.db"))) as database:
        record = Record(database, coordinator_record)
        changed = [entry.replace(b'"payload":"', b'"payload":"A', 1) for entry in record.entries(0)]
        with database.write() as connection:
            for table in (coordinator_record.heads, coordinator_record.nodes, coordinator_record.entries):
                connection.execute(table.delete())
        record.append([NewEntry(entry, number) for number, entry in enumerate(changed, start=1)])
