"""How a proxy tells of consents, and when a node serves: real stores and frames, and a road that a test may block."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from contract.test_granting import consent, grant
from support.consents import NOW
from support.membership import GOVERNMENT, Consortium, identity, sealing

from nodes.consents import courier
from nodes.consents.courier import Courier
from nodes.consents.receiving import Receiving
from nodes.consents.replay import GRACE_S, Replay
from trisect.errors import DeniedError, StaleError, UnreachableError, VerificationError
from trisect.rules.consent_frames import SEAL, Frame
from trisect.rules.consents import EpochCommitment
from trisect.store.consents import Consents
from trisect.store.database import Database, sqlite_url
from trisect.store.granting import GrantedConsents
from trisect.trust.filings import ConsentsFiling
from trisect.trust.keys import PartyName
from trisect.trust.statements import Role, Standing

PARTIES = ("bank", "telco")


class Peppers:
    @asynccontextmanager
    async def held(self) -> AsyncIterator[int]:
        yield 0


class End:
    """What one party does with frames."""

    def __init__(self, name: str, consortium: Consortium, database: Database, clock: Any) -> None:
        synced = asyncio.Event()
        synced.set()
        self.members: Any = SimpleNamespace(
            membership=consortium.membership, name=PartyName(name), own=True, admitted=True, synced=synced
        )
        self.keys = SimpleNamespace(identity=identity(name), sealing=sealing(name))
        self.link: Any = SimpleNamespace(keys=self.keys, connected=True)
        self.consents = Consents(database)
        peppers: Any = Peppers()
        self.replay = Replay(self.members, self.link, self.consents, clock)
        self.receiving = Receiving(self.members, self.link, self.consents, peppers, self.replay, clock)
        self.database = database


class World:
    """A proxy and the parties that it tells.

    Attributes:
        sizes: of the frames that went to each party, and of its answers.
        tried: how often one that does not answer was waited for.
        away: who cannot be reached.
        hung: who does not answer.
        moment: what time it is.
    """

    def __init__(self, databases: dict[str, Database]) -> None:
        self.consortium = Consortium.founded(
            ("aid", Role.PROXY), *((name, Role.PROVIDER) for name in PARTIES)
        )
        self.moment = NOW
        self.ends = {
            name: End(name, self.consortium, database, lambda: self.moment)
            for name, database in databases.items()
        }
        self.sizes: dict[str, list[tuple[int, int]]] = defaultdict(list)
        self.tried: dict[str, int] = defaultdict(int)
        self.away: set[str] = {GOVERNMENT}
        self.hung: set[str] = set()
        self.granted = GrantedConsents(databases["aid"])
        proxy = self.ends["aid"]
        proxy.link.deliver = self.deliver
        self.tick_s = 5.0
        self.courier = Courier(proxy.members, proxy.link, self.granted, lambda: self.tick_s)

    async def deliver(self, to: str, frame: bytes) -> bytes:
        if to in self.away:
            raise UnreachableError(f"the node of {to} is offline", hint="start it")
        if to in self.hung:
            self.tried[to] += 1
            await asyncio.Event().wait()
        answer = await self.ends[to].receiving.on_frame(SimpleNamespace(**{"from": "aid"}, body=frame))  # type: ignore[arg-type]
        self.sizes[to].append((len(frame), len(answer)))
        return answer

    async def tick(self) -> None:
        """Let one tick pass, and everybody take in what has come."""
        await self.courier._tick()
        for name in PARTIES:
            waiting = self.ends[name].receiving._waiting
            while not waiting.empty():
                await self.ends[name].receiving.take(waiting.get_nowait())

    def known(self, party: str) -> int:
        return self.ends[party].consents.cursors().get("aid", 0)

    def commit(self, sequence: int) -> None:
        """Put into the record that the proxy's consents have reached a number."""
        filed = len(self.consortium.membership.filed(ConsentsFiling, "aid"))
        content = EpochCommitment(filed + 1, sequence, 16, bytes(32)).to_content()
        self.consortium.take(self.consortium.filing(ConsentsFiling, "aid", content))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    databases = {}
    for name in ("aid", *PARTIES):
        databases[name] = Database(sqlite_url(tmp_path / f"{name}.db"))
        databases[name].migrate("node")
    yield World(databases)
    for database in databases.values():
        database.close()


async def test_everybody_gets_frames_alike_whomever_they_concern(world: World) -> None:
    await world.tick()
    grant(world.ends["aid"].database, 1, "bank")
    for _ in range(3):
        await world.tick()
    world.granted.revoke(consent(1).id, "2026-11-01T00:00:00Z")
    for _ in range(3):
        await world.tick()
    assert world.sizes["bank"] == world.sizes["telco"]
    assert set(world.sizes["bank"]) == {(SEAL.sealed_bytes, SEAL.sealed_bytes)}
    assert (world.known("bank"), world.known("telco")) == (2, 2)
    assert set(world.granted.get(consent(1).id).effects) == {"bank"}


async def test_who_was_away_is_told_when_it_is_back(world: World) -> None:
    world.away |= {"bank"}
    for number in range(1, 400):
        grant(world.ends["aid"].database, number)
    world.granted.revoke(consent(3).id, "2026-11-01T00:00:00Z")
    for _ in range(2):
        await world.tick()
    assert (world.known("bank"), world.known("telco")) == (0, 400)
    world.away -= {"bank"}
    for _ in range(3):
        await world.tick()
    assert world.known("bank") == 400
    assert set(world.granted.get(consent(3).id).effects) == {"bank", "telco"}


async def test_a_party_whose_backup_was_restored_is_told_again(world: World, tmp_path: Path) -> None:
    grant(world.ends["aid"].database, 1)
    for _ in range(3):
        await world.tick()
    forgetful = Database(sqlite_url(tmp_path / "old.db"))
    forgetful.migrate("node")
    world.ends["bank"] = End("bank", world.consortium, forgetful, lambda: world.moment)
    for _ in range(3):
        await world.tick()
    assert world.known("bank") == 1
    forgetful.close()


async def test_a_proxy_that_has_lost_what_a_party_knows_sends_nothing_out_of_order(world: World) -> None:
    grant(world.ends["aid"].database, 1)
    await world.ends["bank"].receiving.take(Frame("anti-fraud", PartyName("aid"), PartyName("bank"), 0, 7, 0))
    for _ in range(3):
        await world.tick()
    assert world.known("bank") == 7
    assert "bank" not in world.courier._away


async def test_one_that_does_not_answer_holds_the_others_up_once_a_tick(world: World) -> None:
    world.tick_s = 0.3
    world.hung = {"telco"}
    for number in range(1, 700):
        grant(world.ends["aid"].database, number)
    await world.tick()
    assert world.known("bank") == 699
    assert len(world.sizes["bank"]) > 1, "it takes more than a frame"
    assert world.tried["telco"] == 1


async def test_only_a_proxy_tells_of_consents(world: World) -> None:
    frame = Frame("anti-fraud", PartyName("telco"), PartyName("bank"), 0, 1, 0)
    sealed = frame.seal(identity("telco"), sealing("bank").public)
    call: Any = SimpleNamespace(**{"from": "telco"}, body=sealed)
    with pytest.raises(DeniedError, match="only a proxy"):
        await world.ends["bank"].receiving.on_frame(call)
    call = SimpleNamespace(**{"from": "aid"}, body=sealed)
    with pytest.raises(VerificationError):
        await world.ends["bank"].receiving.on_frame(call)
    world.consortium.take(world.consortium.standing("aid", Standing.EXPELLED))
    with pytest.raises(DeniedError, match="not expelled"):
        await world.ends["bank"].receiving.on_frame(call)


async def test_a_node_that_starts_serves_nothing_before_it_knows_all(world: World) -> None:
    replay = world.ends["bank"].replay
    replay.require_done()
    world.commit(1)
    fresh = Replay(
        world.ends["bank"].members, world.ends["bank"].link, world.ends["bank"].consents, lambda: world.moment
    )
    await fresh.start()
    with pytest.raises(StaleError, match="up to number 0, the record up to 1") as caught:
        fresh.require_done()
    assert caught.value.rule == "consents-replayed"
    fresh.heard(PartyName("aid"), 1)
    fresh.require_done()


async def test_a_node_that_runs_may_lag_behind_for_a_minute(world: World) -> None:
    replay = world.ends["bank"].replay
    replay.require_done()
    world.commit(1)
    replay.require_done()
    world.moment += dt.timedelta(seconds=GRACE_S - 1)
    replay.require_done()
    world.moment += dt.timedelta(seconds=1)
    with pytest.raises(StaleError):
        replay.require_done()


async def test_a_proxy_that_is_suspended_holds_nobody_up(world: World) -> None:
    replay = world.ends["bank"].replay
    world.commit(5)
    with pytest.raises(StaleError):
        replay.require_done()
    assert replay.usable() == {"aid"}
    world.consortium.take(world.consortium.standing("aid", Standing.SUSPENDED))
    replay.require_done()
    assert replay.usable() == frozenset(), "nobody knows which of its consents were taken back"
    replay.heard(PartyName("aid"), 5)
    assert replay.usable() == {"aid"}
    world.consortium.take(world.consortium.standing("aid", Standing.EXPELLED))
    assert replay.usable() == frozenset()


async def test_statements_are_compared_first(world: World) -> None:
    end = world.ends["bank"]
    end.members.synced.clear()
    with pytest.raises(StaleError, match="since it started"):
        end.replay.require_done()
    end.link.connected = False
    end.replay.require_done()  # then nothing is asked or answered, and the link tells why


async def test_a_withdrawal_does_not_wait_for_what_was_granted_before_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An app that brings a million consents must not keep a person's word from counting."""
    grant(world.ends["aid"].database, 1)
    await world.tick()
    await world.tick()
    assert world.known("bank") == 1
    for number in range(2, 1_500):
        grant(world.ends["aid"].database, number)
    last = world.granted.revoke(consent(1).id, "2026-11-01T00:00:00Z")
    monkeypatch.setattr(courier, "ROUNDS_A_TICK", 1)
    await world.tick()
    assert world.known("bank") < last
    effects = world.ends["bank"].consents.effects("aid", after=0)
    assert [one.sequence for one in effects] == [last]
    assert set(world.sizes["bank"]) == {(SEAL.sealed_bytes, SEAL.sealed_bytes)}
    monkeypatch.setattr(courier, "ROUNDS_A_TICK", 400)
    for _ in range(3):
        await world.tick()
    assert world.known("bank") == last
    assert world.ends["bank"].consents.effects("aid", after=0)[-1:] in ([], effects)
    assert set(world.granted.get(consent(1).id).effects) == {"bank", "telco"}
