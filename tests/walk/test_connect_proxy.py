"""The way to the coordinator through an HTTP CONNECT proxy, and past one that is not for this machine."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import pytest
from support.cluster import Cluster, altered, run
from support.daemons import Node, until
from support.tcp import Tunnel

from trisect.trust.statements import Role

pytestmark = pytest.mark.walk


async def test_a_node_reaches_the_coordinator_through_a_connect_proxy(cluster: Cluster, tmp_path: Path):
    named = "coordinator.invalid:443"
    async with Tunnel(names={named: cluster.coordinator.state["address"]}) as proxy:
        environment = {"http_proxy": f"http://{proxy.address}", "no_proxy": ""}
        node = Node("trisect-node", tmp_path / "tunnelled", environment=environment)
        command = ("trisect-node", "join", "--home", node.home, "--invitation", "-")
        invitation = altered(await cluster.coordinator.invite("tunnelled", "proxy"), coordinator=named)
        done = await asyncio.to_thread(run, *command, environment=os.environ | environment, stdin=invitation)
        assert done.returncode == 0, done.stderr
        await node.start()
        try:
            await cluster["government"].admit("tunnelled")
            await until(node.is_admitted, "admission through the proxy")
            assert proxy.connections >= 2
        finally:
            await asyncio.to_thread(node.terminate)


async def test_no_proxy_is_asked_for_this_machine(cluster: Cluster, tmp_path: Path):
    """Port 1 answers nobody, so whatever asks the proxy fails."""
    names = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "grpc_proxy")
    environment = dict.fromkeys(names, "http://127.0.0.1:1") | {"no_proxy": "", "NO_PROXY": ""}
    node = Node("trisect-node", tmp_path / "proxied", environment=environment)
    command = ("trisect-node", "join", "--home", node.home, "--invitation", "-")
    invitation = await cluster.coordinator.invite("proxied", "proxy")
    done = await asyncio.to_thread(run, *command, environment=os.environ | environment, stdin=invitation)
    assert done.returncode == 0, done.stderr
    await node.start()
    try:
        await cluster["government"].admit("proxied")
        await until(node.is_admitted, "admission past the proxy")
        await node.put_rules_in_place(Role.PROXY)
        doctor = ("trisect", "--home", node.home, "doctor", "--format", "json")
        told = json.loads(
            (await asyncio.to_thread(run, *doctor, environment=os.environ | environment)).stdout
        )
        found = {finding["name"]: finding["ok"] for finding in told["data"]["checks"]}
        assert found["ready"]
    finally:
        await asyncio.to_thread(node.terminate)
