"""A small cluster around which things go wrong, and how one sees that it is whole again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support import sqlite
from support.cluster import COMMON, Cluster, foul_relay, trisect
from support.daemons import Daemon, Node, until
from support.sqlite import reading

QUICK = {"nodes.readiness.DATABASE_CHECK_S": 0.2}


async def create(folder: Path) -> Cluster:
    """Start a telco and a proxy with thirty hosts in common; the relay holds where a test asks for it."""
    found = await Cluster.create(folder, ("government", "telco", "proxy"), prepare=foul_relay)
    await found.list_hosts()
    return found


async def connected(cluster: Cluster, names: Sequence[str] = ("government", "telco", "proxy")) -> None:
    for name in names:
        await until(cluster[name].is_admitted, f"{name} to be back")


async def restart(daemon: Daemon, plan: dict[str, float] | None = None) -> None:
    """Start a daemon anew, tuned; one that has ended well leaves an empty write-ahead log."""
    daemon.terminate()
    daemon.tune(QUICK | (plan or {}))
    await daemon.start()


def match(node: Node, peer: str) -> tuple[int, dict[str, Any]]:
    return trisect(
        node,
        *("match", "--collection", "list", "--peer", peer, "--with", "list", "--purpose", "scam-prevention"),
    )


async def assert_matches(cluster: Cluster) -> None:
    """Check that everything works, with the exact result."""
    exchange = await cluster["telco"].match("list", "proxy", "list")
    assert (exchange.state, exchange.error.message) == ("complete", "")
    assert {hit.ref for hit in await cluster["telco"].hits(exchange.exchange_id)} == COMMON


def reasons(daemon: Daemon) -> dict[str, str]:
    return {one["check"]: one["reason"] for one in daemon.ready()}


async def shows(daemon: Daemon, check: str, text: str) -> str:
    async def found() -> str:
        reason = reasons(daemon).get(check, "")
        return reason if text in reason else ""

    return await until(found, f"/ready of {daemon.home.name} to say {text!r}")


async def is_ready(daemon: Daemon) -> None:
    async def nothing() -> bool:
        return not daemon.ready()

    await until(nothing, f"{daemon.home.name} to be ready")


def doctored(node: Node) -> dict[str, dict[str, Any]]:
    """Give what the doctor finds wrong at a node, by name of the check."""
    code, said = trisect(node, "doctor")
    assert code == 1
    return {check["name"]: check for check in said["data"]["checks"] if not check["ok"]}


def stored(node: Node, collection: str) -> set[str]:
    with reading(node.home / "node.db") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        query = "SELECT ref FROM entries WHERE state = 0 AND collection_id = (SELECT id FROM collections WHERE name = ?)"
        return {ref for (ref,) in database.execute(query, (collection,))}


def database(daemon: Daemon) -> Path:
    (found,) = daemon.home.glob("*.db")
    return found


@contextmanager
def locked(daemon: Daemon) -> Iterator[None]:
    """Hold the write lock of a daemon's database."""
    with sqlite.locked(database(daemon)):
        yield
