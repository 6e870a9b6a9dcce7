"""Single entries, collections and exchanges by command at real nodes: what each says, and what it has done."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import psutil
import pytest
from support import planted
from support.cluster import Cluster, trisect
from support.daemons import Node, hosts, until
from support.labelled import LABEL, UUID, WRITERS
from support.nursery import BIN

pytestmark = pytest.mark.walk
PHONE = "(202) 555-0143"
LISTED = ("--collection", "by-command", "--kind", "phone", "--region", "US")
PURPOSE = ("--purpose", "scam-prevention")
UNKNOWN = (4, "TRI-UNKNOWN")
CONFLICT = (1, "TRI-CONFLICT")
MANY = 10_000
"""Entries that keep a worker busy until the test has stopped it."""


def done(node: Node, *arguments: object, stdin: str = "") -> Any:
    """Run a command that succeeds; gives its data."""
    code, said = trisect(node, *arguments, stdin=stdin)
    assert (code, said["status"]) == (0, "ok"), said
    return said["data"]


def refused(node: Node, *arguments: object, stdin: str = "") -> tuple[int, str]:
    """Run a command that fails; gives its exit code and its error's."""
    code, said = trisect(node, *arguments, stdin=stdin)
    return code, said["error"]["code"]


def test_an_entry_shows_every_label_field_that_its_file_gave(cluster: Cluster, tmp_path: Path):
    node, domain = cluster["proxy"], "labelled.example.com"
    for reader, write in WRITERS.items():
        file = tmp_path / f"list.{reader}"
        file.write_text(write(domain))
        done(node, "import", file, "--collection", f"from-{reader}", "--kind", "domain", "--reader", reader)
    entries = done(node, "entry", "show", "--kind", "domain", stdin=domain)["entries"]
    assert {entry["collection"] for entry in entries} == {f"from-{reader}" for reader in WRITERS}
    for entry in entries:
        assert (entry["kind"], entry["state"]) == ("domain", "active")
        assert entry["ref"].endswith(UUID)
        assert {name: entry[name] for name in LABEL} == LABEL | {"confidence": int(LABEL["confidence"])}


def test_an_entry_is_added_contested_confirmed_and_lifted(cluster: Cluster):
    node = cluster["proxy"]
    planted.watch(cluster).plant(PHONE, canonical=["+12025550143"])
    label = [word for name, text in LABEL.items() for word in (f"--{name.replace('_', '-')}", text)]
    (added,) = done(node, "entry", "add", *LISTED, "--ref", "case-1", *label, stdin=PHONE)["entries"]
    assert (added["ref"], added["state"]) == ("case-1", "active")
    assert {name: added[name] for name in LABEL} == LABEL | {"confidence": int(LABEL["confidence"])}
    by_ref = ("--collection", "by-command", "--ref", "case-1")

    def shown() -> Any:
        return done(node, "entry", "show", *by_ref)["entries"]

    def by_value(act: str) -> Any:
        return done(node, "entry", act, *LISTED, stdin=PHONE)["entries"]

    (contested,) = done(node, "entry", "contest", *by_ref)["entries"]
    assert shown() == [contested]
    assert contested == added | {"state": "contested", "contested_at": contested["contested_at"]}
    assert contested["contested_at"] > added["first_seen"]
    assert by_value("confirm") == [added] == shown()
    assert [one["state"] for one in by_value("contest")] == ["contested"]
    assert done(node, "entry", "lift", *by_ref)["entries"] == [added | {"state": "lifted"}] == shown()
    for act in ("confirm", "lift"):
        assert refused(node, "entry", act, *by_ref) == CONFLICT, (
            "a contest that is decided is not undone by a slip"
        )
    assert done(node, "entry", "add", *LISTED, "--ref", "case-1", *label, stdin=PHONE)["entries"] == [added]
    found = ("--collection", "by-command", "--region", "US")
    assert done(node, "entry", "show", *found, stdin=PHONE)["entries"] == [added], "the kind tells itself"
    unknown = refused(node, "entry", "add", "--collection", "by-command", stdin="no kind is like this")
    assert unknown == (4, "TRI-INPUT")
    (named,) = done(node, "entry", "add", *found, stdin="(202) 555-0156")["entries"]
    assert re.fullmatch(r"added-\d{8}-[0-9a-f]{8}", named["ref"])
    assert done(node, "entry", "retract", "--collection", "by-command", "--ref", named["ref"])["entries"]
    assert by_value("retract") == [added | {"state": "retracted"}]
    counts = done(node, "collection", "show", "by-command")
    assert (counts["entries"], counts["retracted"]) == (0, 2)
    assert refused(node, "entry", "show", *LISTED, stdin="(202) 555-0144") == UNKNOWN
    assert refused(node, "entry", "contest", "--collection", "by-command", "--ref", "case-2") == UNKNOWN


def question(collection: str) -> tuple[str, ...]:
    return ("match", "--collection", collection, "--peer", "bank", "--with", collection, *PURPOSE)


async def listed_at_both(cluster: Cluster, collection: str, count: int) -> None:
    """Give telco and bank a list each, half of it in common, which the bank shares by command."""
    for name, first in (("telco", 0), ("bank", count // 2)):
        await cluster[name].import_values(collection, hosts(range(first, first + count)))
    done(cluster["bank"], "collection", "share", collection, "--with", "telco", *PURPOSE)


async def test_a_match_that_is_left_to_the_node_is_followed_and_shown(cluster: Cluster):
    telco, bank = cluster["telco"], cluster["bank"]
    await listed_at_both(cluster, "detached", 60)
    exchange_id = done(telco, *question("detached"), "--detach")["exchange_id"]
    watched = done(telco, "exchange", "watch", exchange_id)
    assert (watched["state"], watched["matched"], watched["asked"]) == ("complete", 30, 60)
    assert done(telco, "exchange", "show", exchange_id[:12]) == watched
    answered = done(bank, "exchange", "show", exchange_id)
    assert [answered[name] for name in ("end", "state", "matched", "asked")] == [
        *("answerer", "complete", None, None)
    ]
    for node, shown in ((telco, watched), (bank, answered)):
        assert shown in done(node, "exchange", "list")["exchanges"]
    hits = done(telco, "hits", "--exchange", exchange_id)["hits"]
    assert {hit["ref"] for hit in hits} == {f"r-{number}" for number in range(30, 60)}
    assert done(bank, "hits", "--exchange", exchange_id)["hits"] == []


async def test_a_match_is_cancelled_while_it_runs(cluster: Cluster):
    telco, bank = cluster["telco"], cluster["bank"]
    await listed_at_both(cluster, "cancelled", MANY)
    exchange_id = done(telco, *question("cancelled"), "--detach")["exchange_id"]

    async def at_work() -> list[psutil.Process]:
        return telco.psi_workers()

    for worker in await until(at_work, "a worker to have begun"):
        worker.suspend()
    assert done(telco, "exchange", "show", exchange_id)["state"] == "running"
    watching = subprocess.Popen(
        [BIN / "trisect", "--home", telco.home, "exchange", "watch", exchange_id, "--format", "json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    cancel = ("exchange", "cancel", exchange_id)
    assert trisect(telco, *cancel)[0] == 4, "it asks first"
    assert done(telco, "exchange", "show", exchange_id)["state"] == "running"
    assert done(telco, *cancel, "--yes")["state"] == "cancelled"
    out, _ = await asyncio.to_thread(watching.communicate, timeout=60)
    assert (watching.returncode, json.loads(out)["error"]["code"]) == (1, "TRI-CANCELLED")
    assert done(telco, "exchange", "show", exchange_id)["state"] == "cancelled"
    assert done(telco, "hits", "--exchange", exchange_id)["hits"] == []

    async def has_failed() -> bool:
        return (await bank.exchange(exchange_id)).state == "failed"

    await until(has_failed, "the answerer to see the end")
    assert done(bank, "exchange", "show", exchange_id)["error"]["message"]


async def test_a_collection_that_is_deleted_or_no_longer_shared_is_not_matched(cluster: Cluster):
    bank, telco = cluster["bank"], cluster["telco"]
    await listed_at_both(cluster, "deleted", 20)
    assert done(telco, *question("deleted"))["matched"] == 10
    unshared = done(bank, "collection", "unshare", "deleted", "--with", "telco")
    assert (unshared["entries"], unshared["sharings"]) == (20, [])
    assert trisect(telco, *question("deleted"))[0] == 6
    for whom, meant in {"telco": 1, "tleco": 0, "bank": 0, "role:proxy": 1, "all": 3}.items():
        shared = done(bank, "collection", "share", "deleted", "--with", whom, *PURPOSE)
        assert (whom, shared["parties_meant"]) == (whom, meant)
    assert trisect(bank, "collection", "delete", "deleted")[0] == 4, "it asks first"
    assert done(telco, *question("deleted"))["matched"] == 10
    assert done(bank, "collection", "delete", "deleted", "--yes") == {"collection": "deleted", "entries": 20}
    assert trisect(telco, *question("deleted"))[0] == 6
    assert refused(bank, "collection", "show", "deleted") == UNKNOWN
    assert "deleted" not in {one["name"] for one in done(bank, "collection", "list")["collections"]}
