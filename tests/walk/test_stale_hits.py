"""A listing that is contested or taken back: its lister's next answers, and those who have matched it before."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from support.cluster import Cluster
from support.daemons import Daemon, Node, hosts, until
from support.sqlite import reading, writing
from walk.test_commands import PURPOSE, done, refused, trisect

pytestmark = pytest.mark.walk
COMMON = 20


def often(daemon: Daemon) -> None:
    if isinstance(daemon, Node):
        daemon.tune({"nodes.exchanges.expiry.EVERY_S": 0.3})
        with (daemon.home / "config.toml").open("a") as config:
            config.write("[stale_hits]\ntick_s = 0.3\n")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("stale-hits")
    found = asyncio.run(Cluster.create(folder, prepare=often))
    yield found
    found.stop()


async def matched(cluster: Cluster, name: str) -> str:
    """Have telco match a list of the bank's, both of the same hosts; gives the exchange."""
    for party in ("telco", "bank"):
        await cluster[party].import_values(name, hosts(range(COMMON)))
    done(cluster["bank"], "collection", "share", name, "--with", "telco", *PURPOSE)
    return str(match(cluster, name)["exchange_id"])


def match(cluster: Cluster, name: str) -> dict:
    what = ("--collection", name, "--peer", "bank", "--with", name, *PURPOSE)
    return done(cluster["telco"], "match", *what)


def contest(node: Node, name: str, number: int, act: str = "contest") -> None:
    done(node, "entry", act, "--collection", name, "--ref", f"r-{number}")


async def stale(node: Node, exchange_id: str, count: int) -> dict:
    async def told() -> dict | None:
        found = done(node, "exchange", "show", exchange_id)
        return found if found["stale"] == count else None

    return await until(told, f"{count} stale hits to be told")


def overdue(cluster: Cluster, exchange_id: str) -> list[str]:
    """List what telco owes for an exchange, as the government sees it."""
    duties = done(cluster["government"], "supervise", "duties", "--overdue")["duties"]
    return [one["duty"] for one in duties if one["party"] == "telco" and exchange_id in one["duty"]]


async def test_who_has_matched_what_is_contested_is_told_and_the_next_match_drops_it(cluster: Cluster):
    telco, bank = cluster["telco"], cluster["bank"]
    first = await matched(cluster, "contested")
    assert done(telco, "exchange", "show", first)["stale"] == 0
    contest(bank, "contested", 3)
    contest(bank, "contested", 4)
    contest(bank, "contested", 4, "lift")
    found = await stale(telco, first, 2)
    assert found["stale_at"]
    assert len(done(telco, "hits", "--exchange", first)["hits"]) == COMMON, (
        "nobody but the asker drops its hits"
    )
    again = match(cluster, "contested")
    assert again["matched"] == COMMON - 2
    assert done(telco, "hits", "--exchange", first)["hits"] == []
    assert done(telco, "exchange", "show", first)["hits_deleted_at"]
    assert done(telco, "exchange", "show", again["exchange_id"])["stale"] == 0
    contest(bank, "contested", 3, "confirm")
    assert match(cluster, "contested")["matched"] == COMMON - 1


async def test_an_asker_drops_stale_hits_by_hand_and_its_answerer_hears_of_it(cluster: Cluster):
    telco, bank = cluster["telco"], cluster["bank"]
    exchange_id = await matched(cluster, "dropped")
    done(bank, "entry", "retract", "--collection", "dropped", "--ref", "r-5")
    await stale(telco, exchange_id, 1)
    assert overdue(cluster, exchange_id) == []

    async def backdated() -> int:
        """Set back since when telco has known, once the bank has its answer."""
        with writing(bank.home / "node.db") as database:
            change = "UPDATE stale_hits SET since = '2026-01-01T00:00:00Z' WHERE exchange_id = ? AND told = 1"
            return database.execute(change, (exchange_id,)).rowcount

    await until(backdated, "the bank to have telco's answer")

    async def in_the_record() -> bool:
        return bool(overdue(cluster, exchange_id))

    await until(in_the_record, "the government to see that stale hits are kept")
    meter = {one["party"]: one for one in done(cluster["government"], "supervise", "meter")["parties"]}
    assert (meter["telco"]["stale"], meter["bank"]["stale"]) == (1, 0)
    assert trisect(telco, "exchange", "drop", exchange_id)[0] == 4, "it asks first"
    assert done(telco, "exchange", "drop", exchange_id, "--yes")["hits_deleted_at"]
    assert done(telco, "hits", "--exchange", exchange_id)["hits"] == []
    assert refused(telco, "exchange", "drop", exchange_id, "--yes") == (4, "TRI-UNKNOWN")

    async def settled() -> bool:
        return not overdue(cluster, exchange_id)

    await until(settled, "the bank to hear of it, and to say so")


async def test_a_list_that_is_replaced_leaves_stale_hits_of_what_it_no_longer_has(cluster: Cluster):
    telco, bank = cluster["telco"], cluster["bank"]
    exchange_id = await matched(cluster, "replaced")
    await bank.import_values("replaced", hosts(range(2, COMMON + 5)), replace=True)
    found = await stale(telco, exchange_id, 2)
    assert found["matched"] == COMMON


async def test_hits_go_when_their_terms_end_and_a_hold_keeps_them(cluster: Cluster):
    """At a node that runs, with what can be proved of the list; and what has gone is told."""
    telco, bank = cluster["telco"], cluster["bank"]
    ended, held = await matched(cluster, "ended"), str(match(cluster, "ended")["exchange_id"])
    done(
        telco,
        "exchange",
        "hold",
        held,
        "--by",
        "a court",
        "--reason",
        "case 7",
        "--until",
        "2099-01-01T00:00:00Z",
    )
    with writing(telco.home / "node.db") as database:  # as if the days had passed
        database.execute(
            "UPDATE exchanges SET keep_until = '2026-01-01T00:00:00Z' WHERE id IN (?, ?)", (ended, held)
        )
        database.execute("UPDATE snapshots SET keep_until = '2026-01-01T00:00:00Z'")

    async def gone() -> bool:
        return bool(done(telco, "exchange", "show", ended)["hits_deleted_at"])

    await until(gone, "the hits to go")
    assert done(telco, "hits", "--exchange", ended)["hits"] == []
    assert len(done(telco, "hits", "--exchange", held)["hits"]) == COMMON
    assert done(telco, "exchange", "show", held)["hits_deleted_at"] is None
    assert "hits were deleted at the end of their retention" in telco.log()
    done(telco, "exchange", "release", held)

    async def released() -> bool:
        return bool(done(telco, "exchange", "show", held)["hits_deleted_at"])

    await until(released, "what was held to go")
    with reading(telco.home / "node.db") as database:
        (kept,) = database.execute("SELECT count(*) FROM snapshots").fetchone()
    assert kept == 0, "the same list was in both exchanges, and the hold kept it"
    assert done(bank, "exchange", "show", ended)["end"] == "answerer"
