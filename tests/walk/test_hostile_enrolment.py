"""A coordinator that wants to be the consortium, and one that was restored from an old backup."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from support.cluster import Cluster, join, run
from support.daemons import Coordinator, Node, until
from support.membership import CONSORTIUM, GOVERNMENT, Consortium, signed
from support.sqlite import reading

from trisect.store.database import Database, sqlite_url
from trisect.store.enrolment import Enrolments
from trisect.store.statements import Statements
from trisect.store.tables import coordinator_statements
from trisect.trust import peppers
from trisect.trust.keys import PartyName
from trisect.trust.membership import Membership
from trisect.trust.statements import PartyKeys, Role
from trisect.wire.v1 import node_admin_pb2

pytestmark = pytest.mark.walk


@asynccontextmanager
async def alone(folder: Path) -> AsyncIterator[Coordinator]:
    """Run a coordinator that nobody has joined yet."""
    home = folder / "coordinator"
    assert run("trisect-coordinator", "init", "--home", home, "--consortium", CONSORTIUM).returncode == 0
    coordinator = Coordinator("trisect-coordinator", home)
    await coordinator.start()
    try:
        yield coordinator
    finally:
        await asyncio.to_thread(coordinator.terminate)


def found_in_its_place(home: Path, party: str) -> None:
    """Put a government that nobody knows at the head of the consortium, and let it admit the true one."""
    database = Database(sqlite_url(home / "coordinator.db"))
    try:
        enrolled = Enrolments(database).find(party)
        assert enrolled is not None
        keys = PartyKeys.from_raw(enrolled.identity, enrolled.sealing, enrolled.sealing_signature)
        false = Consortium(Membership(CONSORTIUM))
        store = Statements(database, coordinator_statements)
        chain = [peppers.new_pepper(os.urandom)]
        box = peppers.grant_box(chain, keys.sealing, consortium=CONSORTIUM, party=PartyName(party))
        for number, make in enumerate(
            (
                false.founding,
                lambda: false.admission(party, Role.GOVERNMENT, keys=keys),
                lambda: false.grant(party, 0, box=box),
            )
        ):
            statement = make()
            false.take(statement)
            store.append(signed(statement, GOVERNMENT), expected=number + 1)
    finally:
        database.close()


async def test_a_coordinator_cannot_found_the_consortium_under_the_ministrys_feet(tmp_path: Path):
    async with alone(tmp_path) as coordinator:
        ministry = Node("trisect-node", tmp_path / "ministry")
        joined = join(ministry.home, await coordinator.invite("ministry", "government"))
        await asyncio.to_thread(coordinator.terminate)
        found_in_its_place(coordinator.home, "ministry")
        await coordinator.start()
        await ministry.start()
        try:

            async def refused():
                return {reason["check"]: reason["reason"] for reason in ministry.ready()}.get("statements")

            reason = await until(refused, "the ministry to refuse the foundation")
            assert "founding government's key is" in reason
            assert joined["fingerprint"] in reason
            status = await ministry.status()
            assert (status.admitted, status.pepper_epoch) == (False, -1)
        finally:
            await asyncio.to_thread(ministry.terminate)


def statements(database: Path) -> int:
    """Count the statements that a daemon has."""
    with reading(database) as kept:
        return int(kept.execute("SELECT count(*) FROM statements").fetchone()[0])


async def test_a_restored_coordinator_gets_back_what_it_has_lost(pair: Cluster):
    coordinator, government, proxy = pair.coordinator, pair["government"], pair["proxy"]
    database = coordinator.home / "coordinator.db"
    founded = 10  # two admissions, grants, notices and reviews, the coordinator's key, and the rulebook

    async def everything_is_stated() -> bool:
        return statements(database) == founded

    await until(everything_is_stated, "the government to state the coordinator's key")
    await asyncio.to_thread(coordinator.terminate)
    shutil.copy(database, backup := coordinator.home / "backup.db")
    await coordinator.start()
    await until(government.is_admitted, "the government's link")
    change = node_admin_pb2.ChangeStandingRequest
    for standing in ("suspended", "active"):
        await government.admin("ChangeStanding", change(party="proxy", standing=standing, reason="a test"))

    async def told() -> str:
        return {reason["check"]: reason["reason"] for reason in proxy.ready()}.get("statements", "")

    async def knows_both() -> bool:
        return statements(proxy.home / "node.db") == founded + 2

    await until(knows_both, "both statements to arrive")
    assert await told() == ""
    for daemon in (government, coordinator):
        await asyncio.to_thread(daemon.terminate)
    for name in ("coordinator.db-wal", "coordinator.db-shm"):
        (coordinator.home / name).unlink(missing_ok=True)
    shutil.copy(backup, database)
    await coordinator.start()
    reason = await until(told, "proxy to notice")
    assert f"coordinator behind: it has {founded} of the {founded + 2}" in reason
    await government.start()

    async def healed() -> bool:
        """Both the statements and the record's head are what they were: the same entries in the same order."""
        return not {"statements", "record"} & {reason["check"] for reason in proxy.ready()}

    await until(healed, "the government to hand its statements back")
    assert statements(database) == founded + 2
    log = "".join(path.read_text() for path in (proxy.home / "logs").iterdir())
    assert log.count("the coordinator lacks statements that it had") == 1
    assert log.count("the coordinator has all statements again") == 1
