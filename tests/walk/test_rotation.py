"""Rotation of the pepper: every stored token is rolled, whoever is killed, and whenever."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from support import dying_node
from support.cluster import Cluster
from support.daemons import Daemon, Node, failure, hosts, until, until_gone
from support.sqlite import reading

from trisect.wire.v1 import node_admin_pb2

pytestmark = pytest.mark.walk


def tokens(node: Node) -> dict[str, tuple[bytes, int]]:
    with reading(node.home / "node.db") as database:
        return {
            ref: (token, epoch)
            for ref, token, epoch in database.execute("SELECT ref, token, epoch FROM entries")
        }


async def test_rotation_rolls_every_token_and_survives_a_kill(pair: Cluster):
    government, proxy = pair["government"], pair["proxy"]
    await asyncio.to_thread(proxy.terminate)
    proxy.tune({"trisect.store.rolling.BATCH": 100})
    await proxy.start()
    await until(proxy.is_admitted, "the proxy to be back")
    values = hosts(range(6_000))
    await proxy.import_values("list", values)
    await government.import_values("list", values[:3_000])
    await proxy.share("list", "government")
    before = tokens(proxy)
    await government.admin("RotatePepper", node_admin_pb2.RotatePepperRequest())

    async def half_way():
        found = await proxy.peppers()
        return found.epoch == 1 and found.rolling and found.rows_to_roll < len(values)

    await until(half_way, "the roll to be half-way")
    proxy.kill()
    epochs = {epoch for _, epoch in tokens(proxy).values()}
    assert epochs == {0, 1}, "the kill did not come half-way"
    await proxy.start()
    await proxy.until_rolled(1)
    after = tokens(proxy)
    assert set(after) == set(before)
    assert {epoch for _, epoch in after.values()} == {1}
    assert not {token for token, _ in before.values()} & {token for token, _ in after.values()}
    await until(proxy.is_admitted, "the link to come back")
    exchange = await government.match("list", "proxy", "list")
    assert (exchange.state, exchange.matched) == ("complete", 3_000)


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_kill_between_making_and_publishing_a_pepper_splits_nobody(tmp_path: Path, when: str):
    """A pepper that nobody was granted is gone with its maker; one that was published is everybody's."""

    def dies(daemon: Daemon) -> None:
        if daemon.home.name == "government":
            daemon.script = Path(dying_node.__file__)

    cluster = await Cluster.create(tmp_path, ("government", "proxy"), prepare=dies)
    try:
        government, proxy = cluster["government"], cluster["proxy"]
        await government.import_values("list", hosts(range(40)))
        await proxy.import_values("list", hosts(range(20, 60)))
        await proxy.share("list", "government")
        (government.home / dying_node.PLAN).write_text(when)
        await failure(government.admin("RotatePepper", node_admin_pb2.RotatePepperRequest()))
        await until_gone(government.pid)
        await government.start()
        await until(government.is_admitted, "the government to be back")
        if when == "before":
            assert (await government.peppers()).epoch == (await proxy.peppers()).epoch == 0
            await government.admin("RotatePepper", node_admin_pb2.RotatePepperRequest())
        await government.until_rolled(1)
        await proxy.until_rolled(1)
        exchange = await government.match("list", "proxy", "list")
        assert (exchange.state, exchange.matched) == ("complete", 20)
    finally:
        cluster.stop()
