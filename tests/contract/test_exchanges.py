"""What a node remembers of its exchanges: single-use ids, ends that stay ends, hits in one transaction."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from contract.rows import columns, dump, exchange, fill, make_collection, token

from trisect.errors import ConflictError, NotFoundError
from trisect.indicators.labels import State
from trisect.store import exchanges as module
from trisect.store.collections import Collections
from trisect.store.database import Database
from trisect.store.exchanges import Exchanges, ExchangeState, Side
from trisect.store.tables import entries, exchanges, hits

ENDS = [state for state in ExchangeState if state.ended]
OPEN = [state for state in ExchangeState if not state.ended]


def test_the_states_that_end_are_these() -> None:
    assert {state.value for state in ENDS} == {"complete", "refused", "failed", "cancelled"}


def test_an_exchange_comes_back_as_it_was_recorded(node: Database) -> None:
    whole = exchange(
        side=Side.ANSWERER,
        state=ExchangeState.UNCONFIRMED,
        answer=b"\x00accept",
        error=b"",
        matched=2**40,
        bytes_sent=2**41,
        bytes_received=2**42,
        seconds=1.5,
        own_receipt=b"own",
        peer_receipt=b"peer",
    )
    Exchanges(node).add(whole)
    assert Exchanges(node).get("e1") == whole


def test_an_id_is_single_use_for_ever(node: Database) -> None:
    store = Exchanges(node)
    store.add(exchange())
    for again in (exchange(), exchange(side=Side.ANSWERER, peer="another")):
        with pytest.raises(ConflictError, match="single-use"):
            store.add(again)
    store.update("e1", state=ExchangeState.FAILED)
    with pytest.raises(ConflictError, match="single-use"):
        store.add(exchange())
    assert len(store.list()) == 1


@pytest.mark.parametrize("end", ENDS)
def test_nothing_changes_after_an_end(node: Database, end: ExchangeState) -> None:
    store = Exchanges(node)
    fill(node, range(2))
    store.add(exchange())
    before = store.update("e1", state=end, seconds=2.0)
    assert before.state is end
    for change in ({"state": ExchangeState.RUNNING}, {"state": ExchangeState.COMPLETE}, {"matched": 9}):
        with pytest.raises(ConflictError, match="ended already"):
            store.update("e1", **change)
    with pytest.raises(ConflictError, match="ended already"):
        store.complete("e1", [token(1)], now="2026-11-27T12:00:00Z")
    assert store.get("e1") == before
    assert dump(node, hits) == []


@pytest.mark.parametrize("state", OPEN)
def test_an_open_exchange_changes_and_tells_what_it_became(node: Database, state: ExchangeState) -> None:
    store = Exchanges(node)
    store.add(exchange(state=state))
    changed = store.update("e1", state=ExchangeState.RUNNING, answered_padded=32, answer=b"accept")
    assert (changed.state, changed.answered_padded, changed.answer) == (ExchangeState.RUNNING, 32, b"accept")
    assert store.get("e1") == changed


def test_an_unknown_exchange(node: Database) -> None:
    with pytest.raises(NotFoundError, match="no exchange of that id"):
        Exchanges(node).get("nothing")
    with pytest.raises(ConflictError):
        Exchanges(node).update("nothing", matched=1)


def test_an_end_and_its_hits_come_together(node: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_IN_CLAUSE", 3)
    fill(node, range(10))
    fill(node, range(10), name="other")
    store = Exchanges(node)
    store.add(exchange())
    matched = [token(number) for number in (2, 3, 5, 7, 8, 9)]
    done = store.complete("e1", matched, now="2026-11-27T12:00:00Z", seconds=3.5, own_receipt=b"receipt")
    assert (done.state, done.matched, done.own_receipt) == (ExchangeState.COMPLETE, 6, b"receipt")
    (page,) = store.hits("e1")
    assert columns(page, "collection", "kind", "ref", "peer", "purpose", "seen_at") == [
        ("scams", "phone", f"case-{number}", "bank", "scam-prevention", "2026-11-01T00:00:00Z")
        for number in (2, 3, 5, 7, 8, 9)
    ]


def test_where_the_hits_fail_the_exchange_has_not_ended(
    node: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same token in two chunks contradicts the primary key, after the state has been set."""
    monkeypatch.setattr(module, "_IN_CLAUSE", 2)
    fill(node, range(4))
    store = Exchanges(node)
    store.add(exchange(state=ExchangeState.RUNNING))
    with pytest.raises(ConflictError):
        store.complete("e1", [token(0), token(1), token(0)], now="2026-11-27T12:00:00Z")
    assert store.get("e1").state is ExchangeState.RUNNING
    assert store.get("e1").matched is None
    assert dump(node, hits) == []
    assert (
        store.complete("e1", [token(0), token(1)], now="2026-11-27T12:00:00Z").state is ExchangeState.COMPLETE
    )
    assert len(dump(node, hits)) == 2


def test_a_match_of_nothing(node: Database) -> None:
    fill(node, range(3))
    store = Exchanges(node)
    store.add(exchange("e1"))
    assert store.complete("e1", [], now="2026-11-27T12:00:00Z").matched == 0


def test_entries_that_were_deleted_meanwhile_are_not_counted(node: Database) -> None:
    """Their retention has ended, or their persons' consent: the count says what the hits say."""
    fill(node, range(3))
    store = Exchanges(node)
    store.add(exchange(state=ExchangeState.RUNNING))
    with node.write() as connection:
        connection.execute(sa.delete(entries).where(entries.c.token == token(1)))
    assert store.complete("e1", [token(1), token(2)], now="2026-11-27T12:00:00Z").matched == 1
    assert [row[1] for row in dump(node, hits)] == [token(2)]


@pytest.mark.parametrize("again", [False, True], ids=["deleted", "made anew"])
def test_a_match_whose_collection_is_gone_is_no_match(node: Database, again: bool) -> None:
    fill(node, range(3))
    store = Exchanges(node)
    store.add(exchange(state=ExchangeState.RUNNING, public_id="of the former one"))
    Collections(node).delete("scams")
    if again:
        fill(node, range(3))
    with pytest.raises(ConflictError, match="deleted while its match ran"):
        store.complete("e1", [token(1), token(2)], now="2026-11-27T12:00:00Z")
    assert store.get("e1").state is ExchangeState.RUNNING
    assert list(store.hits(None)) == []


def test_an_unconfirmed_exchange_is_given_up_only_on_the_askers_word(node: Database) -> None:
    store = Exchanges(node)
    for state in OPEN:
        store.add(exchange(state.value, side=Side.ANSWERER, state=state))
    for state in set(OPEN) - {ExchangeState.UNCONFIRMED}:
        assert store.give_up(state.value, ExchangeState.FAILED, b"e", unconfirmed=False).error == b"e"
    with pytest.raises(ConflictError):
        store.give_up("unconfirmed", ExchangeState.FAILED, b"e", unconfirmed=False)
    assert store.get("unconfirmed").state is ExchangeState.UNCONFIRMED
    store.give_up("unconfirmed", ExchangeState.FAILED, b"e", unconfirmed=True)
    assert store.get("unconfirmed").state is ExchangeState.FAILED


def test_hits_carry_their_epoch_and_survive_the_collection(node: Database) -> None:
    fill(node, range(3), epoch=2)
    store = Exchanges(node)
    store.add(exchange())
    store.complete("e1", [token(1)], now="2026-11-27T12:00:00Z")
    Collections(node).delete("scams")
    assert [row[1:3] for row in dump(node, hits)] == [(token(1), 2)]
    (page,) = store.hits("e1")
    assert [hit.ref for hit in page] == ["case-1"]


def test_hits_are_paged_oldest_exchange_first(node: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HITS_PAGE", 4)
    fill(node, range(6))
    store = Exchanges(node)
    for name in ("z", "a"):
        store.add(exchange(name))
    for name in ("a", "z"):
        store.complete(name, [token(number) for number in range(5)], now="2026-11-27T12:00:00Z")
    pages = list(store.hits(None))
    assert [len(page) for page in pages] == [4, 4, 2]
    found = [hit for page in pages for hit in page]
    assert columns(found, "exchange_id", "ref") == [
        (name, f"case-{number}") for name in ("z", "a") for number in range(5)
    ]
    assert {hit.exchange_id for page in store.hits("a") for hit in page} == {"a"}
    assert list(store.hits("nothing")) == []


def test_the_newest_are_listed_first_whatever_the_clock_said(node: Database) -> None:
    store = Exchanges(node)
    for name, day in (("m", 2), ("z", 2), ("a", 2), ("k", 1)):
        store.add(exchange(name, started_at=f"2026-11-0{day}T00:00:00Z"))
    assert [found.id for found in store.list()] == ["k", "a", "z", "m"]
    assert [found.id for found in store.list(limit=2)] == ["k", "a"]


def test_exchanges_that_begin_at_once_have_each_a_number_of_its_own(node: Database) -> None:
    store = Exchanges(node)
    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(store.add, exchange(f"e{number}")) for number in range(40)]:
            done.result()
    with node.read() as connection:
        numbers = connection.execute(sa.select(exchanges.c.number)).scalars()
        assert sorted(numbers) == list(range(1, 41))


def test_open_exchanges_are_those_without_an_end(node: Database) -> None:
    store = Exchanges(node)
    for state in ExchangeState:
        store.add(exchange(state.value, state=state))
    assert {found.id for found in store.open()} == {state.value for state in OPEN}


def test_unsettled_are_unconfirmed_ones_and_complete_ones_without_the_peers_receipt(node: Database) -> None:
    store = Exchanges(node)
    complete = exchange("wanted", state=ExchangeState.COMPLETE)
    store.add(complete)
    answered = dataclasses.replace(complete, id="answered", side=Side.ANSWERER)
    store.add(answered)
    store.add(dataclasses.replace(answered, id="unconfirmed", state=ExchangeState.UNCONFIRMED))
    store.add(dataclasses.replace(answered, id="running", state=ExchangeState.RUNNING))
    store.add(dataclasses.replace(complete, id="has one", peer_receipt=b"r"))
    store.add(dataclasses.replace(complete, id="failed", state=ExchangeState.FAILED))
    assert {found.id for found in store.unsettled()} == {"wanted", "unconfirmed"}
    store.set_peer_receipt("wanted", b"receipt")
    assert {found.id for found in store.unsettled()} == {"unconfirmed"}
    assert store.get("wanted").peer_receipt == b"receipt"


def test_the_first_receipt_of_a_peer_stands(node: Database) -> None:
    store = Exchanges(node)
    store.add(exchange(state=ExchangeState.COMPLETE))
    store.set_peer_receipt("e1", b"first")
    store.set_peer_receipt("e1", b"second")
    assert store.get("e1").peer_receipt == b"first"


def test_a_receipt_that_comes_twice_at_once_confirms_once(node: Database) -> None:
    store = Exchanges(node)
    store.add(exchange(side=Side.ANSWERER, state=ExchangeState.UNCONFIRMED))
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda _: store.confirm("e1", b"receipt"), range(8)))
    assert [one.state for one in done if one is not None] == [ExchangeState.COMPLETE]
    assert store.get("e1").peer_receipt == b"receipt"


def test_an_exchange_that_failed_is_not_confirmed(node: Database) -> None:
    store = Exchanges(node)
    store.add(exchange(side=Side.ANSWERER, state=ExchangeState.FAILED))
    with pytest.raises(ConflictError, match="ended"):
        store.confirm("e1", b"receipt")


def test_two_ends_that_race_end_once(node: Database) -> None:
    """The later of two transactions sees the end of the first."""
    fill(node, range(2))
    store = Exchanges(node)
    store.add(exchange())
    assert store.complete("e1", [token(0)], now="2026-11-27T12:00:00Z").state is ExchangeState.COMPLETE
    with pytest.raises(ConflictError):
        store.update("e1", state=ExchangeState.CANCELLED)
    with node.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(hits)).scalar_one() == 1


def test_a_retraction_during_the_exchange_still_brings_its_hit(node: Database) -> None:
    """The snapshot held it; the hit says what was matched, and the entry says that it is retracted."""
    fill(node, range(2))
    store = Exchanges(node)
    store.add(exchange())
    Collections(node).set_state("scams", State.RETRACTED, token=token(0), now="2026-11-27T12:00:00Z")
    store.complete("e1", [token(0)], now="2026-11-27T12:00:00Z")
    assert sum(len(page) for page in store.hits("e1")) == 1


def test_collections_of_other_names_bring_no_hit(node: Database) -> None:
    make_collection(node)
    fill(node, range(2), name="other")
    Exchanges(node).add(exchange())
    assert Exchanges(node).complete("e1", [token(0)], now="2026-11-27T12:00:00Z").matched == 0
    assert dump(node, hits) == []
