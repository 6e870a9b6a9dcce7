"""The whole walk with PostgreSQL under every daemon: exact hits, rotation, and `kill -9`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from support import planted, postgres
from support.cluster import Cluster
from support.daemons import Daemon, Node, until
from walk.test_privacy import VALUES

from trisect.cli.demo.scan import find, places
from trisect.store.tables import entries
from trisect.wire.v1 import node_admin_pb2

pytestmark = pytest.mark.walk
PARTIES = ("government", "telco", "proxy")
EXPECTED = {f"r-{number}" for number in range(30, 60)}
MANY = 6_000


@pytest.fixture(scope="module")
def urls(postgresql_server: postgres.Server) -> dict[str, str]:
    return {name: postgresql_server.url(postgresql_server.new()) for name in ("coordinator", *PARTIES)}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, urls: dict[str, str]) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("postgresql")
    found = asyncio.run(Cluster.create(folder, PARTIES, databases=urls.__getitem__, prepare=small_batches))
    yield found
    found.stop()


def small_batches(daemon: Daemon) -> None:
    if daemon.home.name == "telco":
        daemon.tune({"trisect.store.rolling.BATCH": MANY // 60})


async def test_the_walk_over_postgresql(cluster: Cluster, urls: dict[str, str]):
    telco, proxy = cluster["telco"], cluster["proxy"]
    for node, numbers in ((telco, range(60)), (proxy, range(30, 90))):
        done = await node.import_values("list", [f"host-{number}.example.com" for number in numbers])
        assert (done.accepted, done.duplicates) == (60, 0)
        again = await node.import_values("list", [f"host-{number}.example.com" for number in numbers])
        assert (again.accepted, again.duplicates) == (0, 60)
        await node.share("list", "all")
    await matches(telco)
    assert not list(cluster.folder.rglob("*.db")), "nothing went to SQLite"
    assert rows(urls["telco"]) == {0: 60}

    await rotated(cluster, 1)
    assert rows(urls["telco"]) == rows(urls["proxy"]) == {1: 60}
    await matches(telco)

    for daemon in (telco, cluster.coordinator, proxy):
        await killed(cluster, daemon)
        await matches(telco)

    await cluster["government"].admin(
        "ChangeStanding",
        node_admin_pb2.ChangeStandingRequest(party="proxy", standing="suspended", reason="a test"),
    )
    await killed(cluster, cluster.coordinator)

    async def suspended() -> bool:
        return (await proxy.status()).standing == "suspended"

    await until(suspended, "the coordinator to have kept the suspension")
    await cluster["government"].admin(
        "ChangeStanding",
        node_admin_pb2.ChangeStandingRequest(party="proxy", standing="active", reason="a test"),
    )


async def test_a_kill_in_the_middle_of_a_roll_over_postgresql(cluster: Cluster, urls: dict[str, str]):
    telco = cluster["telco"]
    values = [f"many-{number}.example.com" for number in range(MANY)]
    assert (await telco.import_values("many", values)).accepted == MANY
    before = (await telco.peppers()).epoch
    await cluster["government"].admin("RotatePepper", node_admin_pb2.RotatePepperRequest())

    async def half_way() -> bool:
        return set(rows(urls["telco"])) == {before, before + 1}

    await until(half_way, "the roll to be half-way")
    await killed(cluster, telco)
    await telco.until_rolled(before + 1)
    assert set(rows(urls["telco"])) == {before + 1}
    again = await telco.import_values("many", values)
    assert (again.accepted, again.duplicates) == (0, MANY), "every token was rolled once"


async def test_nothing_planted_is_in_postgresql(
    cluster: Cluster, urls: dict[str, str], postgresql_server: postgres.Server
):
    """Not in any table of any party or the coordinator, nor in the server's files: heap, write-ahead log, log."""
    telco, watch = cluster["telco"], planted.watch(cluster)
    for kind, raw, canonical in VALUES:
        assert (await telco.import_values(f"planted-{kind}", [raw], kind=kind)).accepted == 1
        watch.plant(canonical=[canonical])
    await matches(telco)
    kept = {name for daemon in cluster.daemons for name, _ in planted.tables(daemon)}
    assert {"telco's table entries, text", "coordinator's table record_entries, binary"} <= kept
    assert watch.leaks(cluster) == []
    secrets = {
        "value": [raw.encode() for _, raw, _ in VALUES],
        "canonical form": [canonical.removeprefix("+").encode() for _, _, canonical in VALUES],
        "pepper": planted.peppers(cluster),
    }
    assert len(secrets["pepper"]) > 1, "the chain that was rotated"
    postgresql_server.run("CHECKPOINT")
    assert find(places(postgresql_server.folder), secrets)[0] == ()


async def test_the_search_of_postgresql_would_have_found_them(
    cluster: Cluster, urls: dict[str, str], postgresql_server: postgres.Server
):
    (_, raw, number), token = VALUES[0], planted.tokens_of(cluster["telco"])[0]
    pepper = planted.peppers(cluster)[0]
    watch = planted.watch(cluster)
    watch.plant(raw, canonical=[number])
    leaks = {"proxy": ("text", raw), "government": ("bytea", pepper), "coordinator": ("bytea", token)}
    leaks["telco"] = ("bigint", int(number))
    try:
        for name, (column, secret) in leaks.items():
            run(urls[name], f"CREATE TABLE leak (secret {column})")
            run(urls[name], "INSERT INTO leak VALUES (:secret)", secret=secret)
        found = {(one.sort, one.file) for one in watch.leaks(cluster)}
    finally:
        for name in leaks:
            run(urls[name], "DROP TABLE IF EXISTS leak")
    assert {
        ("value", "proxy's table leak, text"),
        ("pepper", "government's table leak, binary"),
        ("token", "coordinator's table leak, binary"),
        ("canonical form", "telco's table leak, text"),
    } <= found
    assert {file.partition(",")[0] for _, file in found} == {f"{name}'s table leak" for name in leaks}
    postgresql_server.run("CHECKPOINT")
    seen, _ = find(places(postgresql_server.folder), {"value": [raw.encode()], "pepper": [pepper]})
    assert {one.sort for one in seen} == {"value", "pepper"}


async def matches(asker: Node) -> None:
    """Match, and have exactly the hits that there are."""
    done = await asker.match("list", "proxy", "list")
    assert (done.state, done.matched) == ("complete", len(EXPECTED)), done.error.message
    assert {hit.ref for hit in await asker.hits(done.exchange_id)} == EXPECTED


async def killed(cluster: Cluster, daemon: Daemon) -> None:
    daemon.kill()
    await daemon.start()
    for node in cluster.nodes.values():
        await until(node.is_admitted, f"{node.name} to be back")


async def rotated(cluster: Cluster, epoch: int) -> None:
    await cluster["government"].admin("RotatePepper", node_admin_pb2.RotatePepperRequest())
    for node in cluster.nodes.values():
        await node.until_rolled(epoch)


def run(url: str, statement: str, **values: object) -> None:
    with sa.create_engine(url, poolclass=sa.NullPool).begin() as connection:
        connection.execute(sa.text(statement), values)


def rows(url: str) -> dict[int, int]:
    """Count a node's entries by pepper epoch, in its database itself."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        query = sa.select(entries.c.epoch, sa.func.count()).group_by(entries.c.epoch)
        return {row[0]: row[1] for row in connection.execute(query)}
