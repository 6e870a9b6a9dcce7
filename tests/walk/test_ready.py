"""/ready and /live, and what keeps a node from its work, from its first start to the loss of its coordinator."""

from __future__ import annotations

import asyncio
import urllib.error
from pathlib import Path

import pytest
from support.cluster import Cluster, join, trisect
from support.daemons import Daemon, Node, until
from support.failing import is_ready, reasons, shows

from trisect.daemon import ask
from trisect.trust.statements import Role

pytestmark = pytest.mark.walk


def status(daemon: Daemon, page: str) -> int:
    try:
        with ask(daemon.state["http"] + page, timeout_s=5) as reply:
            return int(reply.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


async def test_from_the_first_start_to_the_loss_of_the_coordinator(pair: Cluster, tmp_path: Path):
    node = Node("trisect-node", tmp_path / "latecomer")
    joined = join(node.home, await pair.coordinator.invite("latecomer", "provider"))
    await node.start()
    try:
        await shows(node, "admission", "admit")
        assert "pepper" in reasons(node)
        assert (status(node, "/ready"), status(node, "/live")) == (503, 200)
        asked = ("--collection", "list", "--peer", "proxy", "--with", "list", "--purpose", "scam-prevention")
        code, said = await asyncio.to_thread(trisect, node, "match", *asked)
        assert (code, said["error"]["code"]) == (6, "TRI-DENIED")
        assert "party admit" in said["error"]["hint"]
        await pair["government"].admit("latecomer", joined["fingerprint"])
        await until(node.is_admitted, "the latecomer to be admitted")
        await node.put_rules_in_place(Role.PROVIDER)
        await is_ready(node)
        assert (status(node, "/ready"), status(node, "/live")) == (200, 200)
        pair.coordinator.kill()
        await shows(node, "coordinator", "")
        assert (status(node, "/ready"), status(node, "/live")) == (503, 200)
        await pair.coordinator.start()
        await is_ready(node)
        assert status(node, "/elsewhere") == 404
    finally:
        node.terminate()
