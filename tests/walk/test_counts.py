"""Counts at real nodes: about right, the same for a day, and nothing else for the asker."""

from __future__ import annotations

import json

import pytest
from support.cluster import Cluster, run
from support.daemons import Node, hosts

pytestmark = pytest.mark.walk
PURPOSE = ("--purpose", "scam-prevention")
UNIT = 10
FAR = 40
"""How far an answer lies from the truth once in 10^15 runs at most: noise of epsilon 1, and half a unit."""


def trisect(node: Node, *arguments: object, code: int = 0) -> dict:
    """Run a command against a node; gives its data, or its error."""
    done = run("trisect", "--home", node.home, "--format", "json", *arguments)
    assert done.returncode == code, (done.stdout, done.stderr)
    said = json.loads(done.stdout)
    return said["error"] if code else said["data"]


def count(node: Node, collection: str, theirs: str, code: int = 0) -> dict:
    return trisect(
        node, "count", "--collection", collection, "--peer", "bank", "--with", theirs, *PURPOSE, code=code
    )


async def test_a_count_is_about_right_and_stays_the_same(cluster: Cluster):
    telco, bank = cluster["telco"], cluster["bank"]
    await telco.import_values("counting", hosts(range(600)))
    await bank.import_values("counted", hosts(range(250, 900)))
    trisect(bank, "collection", "share", "counted", "--with", "telco", *PURPOSE, "--mode", "count")
    first = count(telco, "counting", "counted")
    assert abs(first["count"] - 350) < FAR
    assert (first["count"] % UNIT, first["rounded_to"], first["asked"]) == (0, UNIT, 600)
    assert "matched" not in first
    assert trisect(telco, "hits", "--exchange", first["exchange_id"])["hits"] == []

    await telco.import_values("counting", hosts(range(600, 640)))
    again = count(telco, "counting", "counted")
    assert again["count"] == first["count"], "noise is drawn once, and a list that grows tells nothing more"
    assert again["bytes_received"] < 1_000 < first["bytes_received"]
    shown = trisect(telco, "exchange", "show", first["exchange_id"])
    assert (shown["mode"], shown["count"], shown["rounded_to"], shown["matched"]) == (
        *("count", first["count"], UNIT),
        None,
    )
    permits = [trisect(telco, "permit", "show", one["exchange_id"]) for one in (first, again)]
    assert [(one["repeats"], one["budget"]) for one in permits] == [(0, 608), (1, 0)]
    answered = trisect(bank, "exchange", "show", first["exchange_id"])
    assert [answered[name] for name in ("state", "mode", "count", "matched")] == [
        "complete",
        "count",
        None,
        None,
    ]


async def test_a_second_list_is_not_counted_on_the_same_day(cluster: Cluster):
    telco, bank = cluster["telco"], cluster["bank"]
    await bank.import_values("counted-once", hosts(range(100)))
    await telco.import_values("mine", hosts(range(50)))
    await telco.import_values("mine-less-one", hosts(range(49)))
    trisect(bank, "collection", "share", "counted-once", "--with", "telco", *PURPOSE, "--mode", "count")
    count(telco, "mine", "counted-once")
    error = count(telco, "mine-less-one", "counted-once", code=6)
    assert (error["rule"], "another collection" in error["message"]) == ("one-count-a-day", True)
    await bank.import_values("counted-too", hosts(range(100)))
    trisect(bank, "collection", "share", "counted-too", "--with", "telco", *PURPOSE, "--mode", "count")
    count(telco, "mine-less-one", "counted-too")


async def test_what_is_shared_for_one_mode_is_not_for_the_other(cluster: Cluster):
    telco, bank = cluster["telco"], cluster["bank"]
    await telco.import_values("asking", hosts(range(30)))
    for mode, other in (("match", "count"), ("count", "match")):
        await bank.import_values(f"only-{mode}", hosts(range(30)))
        trisect(bank, "collection", "share", f"only-{mode}", "--with", "telco", *PURPOSE, "--mode", mode)
        what = ("--collection", "asking", "--peer", "bank", "--with", f"only-{mode}", *PURPOSE)
        assert trisect(telco, other, *what, code=6)["rule"] == "not-shared"
        trisect(telco, mode, *what)


async def test_what_a_count_tells_is_said_before_it_runs(cluster: Cluster):
    telco = cluster["telco"]
    await telco.import_values("explained", hosts(range(30)))
    what = ("--collection", "explained", "--peer", "bank", "--with", "whatever", *PURPOSE)
    explained = trisect(telco, "count", *what, "--explain")
    assert "exactly how many" in explained["answerer_learns"]
    assert "with noise" in explained["asker_learns"]
