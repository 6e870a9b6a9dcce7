"""How askers are told of stale hits: real stores and frames, and a road that a test may block."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from contract.rows import exchange, fill, token
from support.consents import NOW
from support.membership import Consortium, identity, sealing

from nodes.exchanges.staleness import Staleness
from trisect.clock import system_randomness, to_text
from trisect.errors import DeniedError, UnreachableError
from trisect.indicators.labels import State
from trisect.rules.offers import Offer
from trisect.rules.stale_frames import MOST, SEAL, Notices
from trisect.store.collections import Collections
from trisect.store.database import Database, sqlite_url
from trisect.store.exchanges import Exchanges, ExchangeState, Side
from trisect.store.presence import Lapsing
from trisect.store.retention import Retention
from trisect.store.stale import StaleHits
from trisect.trust import documents
from trisect.trust.filings import StaleHitsFiling
from trisect.trust.keys import PartyName
from trisect.trust.statements import Role, Standing

ASKERS = ("telco", "card")
OFFER = documents.sign(Offer.KIND, {}, [identity("anybody")])
"""Its hash is all that matters here."""


class End:
    """One party's node."""

    def __init__(self, name: str, world: World, database: Database) -> None:
        self.database, self.filed, self.fails = database, [], set()
        members: Any = SimpleNamespace(
            membership=world.consortium.membership, name=PartyName(name), admitted=True
        )

        async def notify(to: str, frame: bytes) -> bytes:
            return await world.notify(name, to, frame)

        async def file(_kind: str, party: str, body: dict[str, Any]) -> None:
            if party in self.fails:
                raise UnreachableError("the coordinator is away", hint="start it")
            self.filed.append((party, body["exchange"], body["count"]))
            world.consortium.take(world.consortium.filing(StaleHitsFiling, party, body, issuer=name))

        link: Any = SimpleNamespace(
            keys=SimpleNamespace(identity=identity(name), sealing=sealing(name)),
            connected=True,
            notify=notify,
        )
        proposals: Any = SimpleNamespace(file=file)
        book: Any = SimpleNamespace(store=Exchanges(database))
        self.staleness = Staleness(
            book,
            StaleHits(database),
            Lapsing(database),
            link,
            members,
            proposals,
            lambda: world.moment,
            system_randomness,
            lambda: 60.0,
        )


class World:
    """A bank that was asked, and those who have asked it.

    Attributes:
        sizes: of the frames that went to each party, and of its answers.
        away: who cannot be reached.
        replayed: an answer that the road gives instead of the true one.
        moment: what time it is.
    """

    def __init__(self, databases: dict[str, Database]) -> None:
        parties = [(name, Role.PROVIDER) for name in databases]
        self.consortium = Consortium.founded(*parties)
        self.moment = NOW
        self.away: set[str] = set()
        self.replayed: bytes | None = None
        self.answered: list[bytes] = []
        self.sizes: dict[str, list[tuple[int, int]]] = defaultdict(list)
        self.ends = {name: End(name, self, database) for name, database in databases.items()}
        self.bank = self.ends["bank"]
        for database in databases.values():
            fill(database, range(10))

    async def notify(self, caller: str, to: str, frame: bytes) -> bytes:
        if to in self.away:
            raise UnreachableError(f"the node of {to} is offline", hint="start it")
        call: Any = SimpleNamespace(**{"from": caller}, body=frame)
        answer = await self.ends[to].staleness.on_frame(call)
        self.sizes[to].append((len(frame), len(answer)))
        self.answered.append(answer)
        return self.replayed or answer

    def matched(self, asker: str, exchange_id: str, *, state: ExchangeState = ExchangeState.COMPLETE) -> None:
        """Record at both ends that the bank's list was matched as it is now."""
        version = Collections(self.bank.database).get("scams")
        common = {"started_at": to_text(self.moment), "offer": OFFER}
        Exchanges(self.bank.database).add(
            exchange(
                exchange_id,
                peer=asker,
                side=Side.ANSWERER,
                state=ExchangeState.COMPLETE,
                public_id=version.public_id,
                version=version.version,
                **common,
            )
        )
        store = Exchanges(self.ends[asker].database)
        if state is ExchangeState.COMPLETE:
            store.add(exchange(exchange_id, peer="bank", peer_collection=exchange_id, **common))
            store.complete(
                exchange_id, [token(1)], now=to_text(self.moment), keep_until="2028-01-01T00:00:00Z"
            )
        else:
            store.add(exchange(exchange_id, peer="bank", state=state, **common))

    def contest(self, number: int) -> None:
        Collections(self.bank.database).set_state(
            "scams", State.CONTESTED, token=token(number), now=to_text(self.moment)
        )

    async def tick(self) -> None:
        """Let one tick pass, and everybody take in what has come."""
        after = await self.bank.staleness.look()
        await self.bank.staleness.send(await self.bank.staleness.prepare(after))
        await self.bank.staleness.file(after)
        for name in ASKERS:
            come = self.ends[name].staleness._come
            while come:
                self.ends[name].staleness.take_in(come.popitem()[1])

    def told(self) -> dict[str, int]:
        """Give of how many the bank knows that its askers know, by exchange."""
        found = StaleHits(self.bank.database).unsettled("")
        return {one.exchange_id: one.told for one in found if one.kept}

    def stale(self, asker: str, exchange_id: str) -> int | None:
        return Exchanges(self.ends[asker].database).get(exchange_id).stale


def hexed(number: int) -> str:
    return number.to_bytes(16, "big").hex()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    databases = {}
    for name in ("bank", *ASKERS):
        databases[name] = Database(sqlite_url(tmp_path / f"{name}.db"))
        databases[name].migrate("node")
    yield World(databases)
    for database in databases.values():
        database.close()


async def test_whoever_has_matched_gets_frames_alike_whatever_has_left(world: World) -> None:
    await world.tick()
    assert not world.sizes, "who has asked nothing is told nothing"
    for name in ASKERS:
        world.matched(name, hexed(ord(name[0])))
    world.matched("telco", hexed(1))
    world.contest(1)
    world.matched("card", hexed(2))
    for _ in range(3):
        await world.tick()
    assert world.sizes["telco"] == world.sizes["card"] == [(SEAL.sealed_bytes, SEAL.sealed_bytes)] * 3
    assert (world.stale("telco", hexed(1)), world.stale("card", hexed(2))) == (1, None)
    assert world.told() == {hexed(1): 1, hexed(ord("t")): 1, hexed(ord("c")): 1}


async def test_an_answer_is_to_the_frame_before_so_it_takes_no_longer_for_what_a_frame_holds(
    world: World,
) -> None:
    world.matched("telco", hexed(1))
    world.contest(1)
    await world.tick()
    assert (world.stale("telco", hexed(1)), world.told()) == (1, {hexed(1): 0})
    await world.tick()
    assert world.told() == {hexed(1): 1}
    Retention(world.ends["telco"].database).drop(hexed(1), to_text(world.moment))
    for _ in range(2):
        await world.tick()
    assert world.told() == {}, "the bank has heard that the hits are dropped"


async def test_an_answer_to_an_earlier_frame_is_refused(world: World) -> None:
    world.matched("telco", hexed(1))
    world.contest(1)
    for _ in range(2):
        await world.tick()
    world.replayed = world.answered[-1]
    world.contest(2)
    for _ in range(3):
        await world.tick()
    assert world.told() == {hexed(1): 1}
    world.replayed = None
    await world.tick()
    assert world.told() == {hexed(1): 2}


@pytest.mark.parametrize("state", [ExchangeState.FAILED, None])
async def test_an_asker_that_holds_no_such_hits_says_so(world: World, state: ExchangeState | None) -> None:
    world.matched("telco", hexed(1), state=state or ExchangeState.COMPLETE)
    if state is None:  # its database is older
        world.ends["telco"].staleness.book.store = Exchanges(world.ends["card"].database)
    world.contest(1)
    for _ in range(2):
        await world.tick()
    assert world.told() == {}
    assert world.stale("telco", hexed(1)) is None


async def test_who_has_much_stale_is_told_of_all_in_turns(world: World) -> None:
    count = 2 * MOST + 1
    for number in range(count):
        world.matched("telco", hexed(number))
    world.contest(1)
    for _ in range(5):
        await world.tick()
    assert world.told() == dict.fromkeys(map(hexed, range(count)), 1)
    for number in range(count):
        Retention(world.ends["telco"].database).drop(hexed(number), to_text(world.moment))
    for _ in range(6):
        await world.tick()
    assert world.told() == {}


async def test_an_asker_that_is_away_is_filed_after_twice_the_time_and_others_are_not_held_up(
    world: World,
) -> None:
    world.matched("telco", hexed(1))
    world.matched("card", hexed(2))
    world.contest(1)
    world.away = {"telco"}
    for _ in range(2):
        await world.tick()
    assert world.told() == {hexed(1): 0, hexed(2): 1}
    days = 7
    world.moment += dt.timedelta(days=days, seconds=1)
    await world.tick()
    assert world.bank.filed == [("card", hexed(2), 1)]
    world.contest(2)
    await world.tick()
    assert len(world.bank.filed) == 1, "the record does not tell when something more has left"
    world.moment += dt.timedelta(days=days)
    await world.tick()
    assert world.bank.filed[1:] == [("telco", hexed(1), 2)]
    world.away = set()
    for name, exchange_id in (("telco", hexed(1)), ("card", hexed(2))):
        Retention(world.ends[name].database).drop(exchange_id, to_text(world.moment))
    for _ in range(2):
        await world.tick()
    assert sorted(world.bank.filed[2:]) == [("card", hexed(2), 0), ("telco", hexed(1), 0)]


async def test_a_filing_that_fails_holds_up_no_other_and_what_stands_is_not_filed_again(world: World) -> None:
    world.matched("telco", hexed(1))
    world.matched("card", hexed(2))
    world.contest(1)
    for _ in range(2):
        await world.tick()
    world.moment += dt.timedelta(days=7, seconds=1)
    world.bank.fails = {"card", "telco"}
    await world.tick()
    world.bank.fails = {"telco"}
    await world.tick()
    assert world.bank.filed == [("card", hexed(2), 1)]
    world.bank.fails = set()
    StaleHits(world.bank.database).filed(
        hexed(2), 0
    )  # it was published, and this node did not hear that it was
    await world.tick()
    assert world.bank.filed[1:] == [("telco", hexed(1), 1)]


async def test_one_party_that_sends_much_leaves_no_other_out(world: World) -> None:
    staleness = world.ends["telco"].staleness
    for _ in range(100):
        for name in ("card", "bank"):
            nonce = system_randomness(16).hex()
            frame = Notices("anti-fraud", PartyName(name), PartyName("telco"), nonce, ())
            body = frame.seal(identity(name), sealing("telco").public)
            call: Any = SimpleNamespace(**{"from": name}, body=body)
            await staleness.on_frame(call)
    assert set(staleness._come) == {"card", "bank"}


async def test_an_expelled_party_neither_tells_nor_is_told(world: World) -> None:
    world.matched("telco", hexed(1))
    world.contest(1)
    world.consortium.take(world.consortium.standing("telco", Standing.EXPELLED), "government")
    await world.tick()
    assert not world.sizes["telco"]
    call: Any = SimpleNamespace(**{"from": "telco"}, body=b"")
    with pytest.raises(DeniedError, match="expelled"):
        await world.bank.staleness.on_frame(call)


async def test_a_contest_that_nobody_decides_in_time_lapses_at_its_lister(world: World) -> None:
    """After the rulebook's `contest_days`, 30 unless it says otherwise; whoever has matched it is told."""
    world.matched("telco", "one")
    lists = Collections(world.bank.database)
    lists.set_state("scams", State.CONTESTED, token=token(1), now=to_text(world.moment))
    for days, state in ((29.9, State.CONTESTED), (0.2, State.LIFTED)):
        world.moment += dt.timedelta(days=days)
        await world.bank.staleness.look()
        assert [row.state for row in lists.entries_of(token(1))] == [state]
    await world.bank.staleness.look()
    fill(world.bank.database, range(10))
    assert [row.state for row in lists.entries_of(token(1))] == [State.LIFTED], "no import lists it again"
