"""Where daemons listen, keep their data and are reached: as the command line says it, at the first start and later."""

from __future__ import annotations

import asyncio
import json
import os
import tomllib
from pathlib import Path

import pytest
from support.cluster import run
from support.daemons import Coordinator, Daemon, Node, until
from support.sqlite import reading
from support.tcp import Tunnel

pytestmark = pytest.mark.walk


async def told(program: str, *words: object, environment: dict[str, str] | None = None) -> dict:
    done = await asyncio.to_thread(
        run, program, *words, "--format", "json", environment=os.environ | (environment or {})
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["data"]


def configured(daemon: Daemon) -> dict:
    return tomllib.loads((daemon.home / "config.toml").read_text())


def statements(database: Path) -> int:
    with reading(database) as found:
        return int(found.execute("SELECT count(*) FROM statements").fetchone()[0])


async def restarted(daemon: Daemon, *options: object) -> None:
    assert daemon.terminate() == 0
    daemon.options = options
    await daemon.start()


async def test_places_are_where_the_command_line_says(tmp_path: Path):
    coordinator = Coordinator("trisect-coordinator", tmp_path / "coordinator")
    node = Node("trisect-node", tmp_path / "ministry")
    data = {name: tmp_path / f"{name}.db" for name in ("of-coordinator", "of-node", "another")}
    urls = {name: f"sqlite:///{path}" for name, path in data.items()}
    async with Tunnel("nowhere yet") as outside:
        place = ("--listen", "localhost:0", "--advertise", outside.address)
        await told(
            "trisect-coordinator",
            "init",
            "--home",
            coordinator.home,
            *place,
            "--database",
            urls["of-coordinator"],
        )
        await coordinator.start()
        assert coordinator.state["address"] == outside.address
        outside._target = coordinator.state["listen"]
        assert outside._target.startswith("localhost:")
        try:
            invitation = await coordinator.invite("ministry", "government")
            joining = ("--home", node.home, "--listen", "localhost:0", "--database", urls["of-node"])
            joined = await told(
                "trisect-node", "join", *joining, environment={"TRISECT_INVITATION": invitation}
            )
            assert joined["party"] == "ministry"
            assert configured(node)["coordinator"] == outside.address
            await node.start()
            await until(node.is_admitted, "the ministry to found the consortium")
            assert outside.connections >= 2
            assert node.state["http"].startswith("http://localhost:")
            assert not list(tmp_path.glob("*/*.db"))
            assert statements(data["of-coordinator"]) == statements(data["of-node"]) > 0

            await restarted(node, "--database", urls["another"])
            await until(node.is_admitted, "the ministry to be back with another database")
            assert statements(data["another"]) == statements(data["of-coordinator"])
            assert configured(node)["database"] == urls["of-node"], "the option holds for one run"

            await restarted(coordinator, "--listen", "127.0.0.1:0", "--database", urls["of-coordinator"])
            outside._target = coordinator.state["listen"]
            assert outside._target.startswith("127.0.0.1:")
            assert configured(coordinator)["listen"] == "localhost:0"
            await until(node.is_admitted, "the ministry to find the coordinator's new place")
        finally:
            for daemon in (node, coordinator):
                if daemon.process is not None:
                    await asyncio.to_thread(daemon.terminate)
