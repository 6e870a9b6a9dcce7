"""Stale hits in the store: what has left since a snapshot is counted, to the entry, and told until it is dropped."""

from __future__ import annotations

from dataclasses import replace

import pytest
from contract.rows import active, entry, exchange, fill, make_collection, token, tokens
from support.consents import NOW, granted, revoked

from trisect.clock import to_text
from trisect.errors import NotFoundError
from trisect.indicators.labels import State
from trisect.store.collections import Collections
from trisect.store.consents import Consents
from trisect.store.database import Database
from trisect.store.exchanges import Exchanges, ExchangeState, Side
from trisect.store.intake import Imports
from trisect.store.presence import Lapsing
from trisect.store.retention import Hold, Retention
from trisect.store.stale import Stale, StaleHits

MOMENT = to_text(NOW)
LONG_AGO = "2026-01-01T00:00:00Z"
LATER = "2027-06-01T00:00:00Z"


def answered(node: Database, name: str, collection: str = "scams", **changes: object) -> None:
    """Record that a collection was asked as it is now."""
    found = Collections(node).get(collection)
    fields = {"side": Side.ANSWERER, "state": ExchangeState.COMPLETE, "started_at": MOMENT} | changes
    Exchanges(node).add(exchange(name, public_id=found.public_id, version=found.version, **fields))


def look(node: Database) -> dict[str, int]:
    """Look, and give what is unsettled."""
    StaleHits(node).look(after=LONG_AGO, now=MOMENT)
    return {one.exchange_id: one.count for one in StaleHits(node).unsettled(LONG_AGO)}


def change(node: Database, number: int, state: State, collection: str = "scams") -> None:
    Collections(node).set_state(collection, state, token=token(number), now=MOMENT)


def test_what_has_left_since_a_snapshot_is_counted_for_it_alone(node: Database) -> None:
    fill(node, range(10))
    answered(node, "e1")
    change(node, 1, State.CONTESTED)
    answered(node, "e2")
    change(node, 2, State.RETRACTED)
    fill(node, [20])
    answered(node, "e3")
    change(node, 20, State.RETRACTED)
    assert look(node) == {"e1": 2, "e2": 1, "e3": 1}


@pytest.mark.parametrize(
    "changes", [{"mode": "count"}, {"side": Side.ASKER}, {"state": ExchangeState.FAILED}]
)
def test_only_answered_matches_have_stale_hits(node: Database, changes: dict[str, object]) -> None:
    fill(node, range(10))
    answered(node, "e1", **changes)
    change(node, 1, State.CONTESTED)
    assert look(node) == {}


def test_an_entry_that_was_contested_and_then_lifted_has_left_once(node: Database) -> None:
    fill(node, range(10))
    answered(node, "e1")
    change(node, 1, State.CONTESTED)
    answered(node, "e2")
    change(node, 1, State.RETRACTED)
    assert look(node) == {"e1": 1}


def test_what_comes_back_is_in_the_snapshots_from_then_on(node: Database) -> None:
    fill(node, range(10))
    change(node, 1, State.CONTESTED)
    change(node, 1, State.ACTIVE)
    answered(node, "e1")
    assert look(node) == {}
    change(node, 1, State.RETRACTED)
    fill(node, [1])  # listed again
    answered(node, "e2")
    change(node, 2, State.RETRACTED)
    assert look(node) == {"e1": 1, "e2": 1}, "what was listed again is no stale hit of the first any more"


def test_a_replacing_import_counts_what_it_does_not_bring(node: Database) -> None:
    fill(node, range(10))
    answered(node, "e1")
    fill(node, range(2, 12), replace=True)
    answered(node, "e2")
    assert look(node) == {"e1": 2}


def test_a_withdrawal_counts_where_its_person_is_listed_on_consent(node: Database) -> None:
    for basis in ("consent", "contract"):
        progress = Imports(node).begin(make_collection(node, basis, basis).id, b"")
        rows = sorted(entry(at, subject=f"subject-{at}") for at in (1, 2))
        Imports(node).finish(Imports(node).add(progress, rows, [], epoch=0, day=20_784))
    Consents(node).take("aid", [granted(1), granted(2)], after=0, upto=2, now=NOW)
    for basis in ("consent", "contract"):
        answered(node, f"asked on {basis}", basis)
    Consents(node).take("aid", [revoked(1, 3)], after=2, upto=3, now=NOW)
    assert look(node) == {"asked on consent": 1}
    Consents(node).take("aid", [replace(granted(1), id=b"n" * 16, sequence=4)], after=3, upto=4, now=NOW)
    answered(node, "asked again", "consent")
    assert look(node) == {"asked on consent": 1}


def test_who_has_two_consents_leaves_with_the_second(node: Database) -> None:
    progress = Imports(node).begin(make_collection(node, "people", "consent").id, b"")
    rows = [entry(1, subject="subject-1")]
    Imports(node).finish(Imports(node).add(progress, rows, [], epoch=0, day=20_784))
    second = replace(granted(1), id=b"n" * 16, sequence=2)
    Consents(node).take("aid", [granted(1), second, revoked(1, 3)], after=0, upto=3, now=NOW)
    answered(node, "e1", "people")
    change(node, 1, State.CONTESTED, "people")
    assert look(node) == {"e1": 1}


def test_an_asker_is_told_until_it_has_dropped_its_hits(node: Database) -> None:
    fill(node, range(10))
    answered(node, "e1")
    store = StaleHits(node)

    def standing() -> list[Stale]:
        return list(store.unsettled(LONG_AGO))

    change(node, 1, State.CONTESTED)
    assert store.look(after=LONG_AGO, now=MOMENT) == 1
    assert store.look(after=LONG_AGO, now=LATER) == 0
    told_at = "2027-03-01T00:00:00Z"
    store.told("e1", 1, None, told_at)
    one = Stale("e1", "bank", b"offer", 1, 1, told_at, kept=True, filed=0)
    assert standing() == [one], "its time begins when it is told"
    change(node, 2, State.CONTESTED)
    store.look(after=LONG_AGO, now=LATER)
    assert standing() == [replace(one, count=2)]
    store.filed("e1", 2)
    store.told("e1", 2, LATER, LATER)
    ended = replace(one, count=2, told=2, kept=False, filed=2)
    assert standing() == [ended], "the record has still to hear of it"
    store.filed("e1", 0)
    assert standing() == []
    change(node, 3, State.CONTESTED)
    assert look(node) == {}


@pytest.mark.parametrize("over", ["void", "kept long enough"])
def test_what_no_asker_can_hold_any_more_is_told_to_nobody(node: Database, over: str) -> None:
    fill(node, range(10))
    answered(node, "e1", state=ExchangeState.UNCONFIRMED)
    change(node, 1, State.CONTESTED)
    assert look(node) == {"e1": 1}
    store = StaleHits(node)
    store.filed("e1", 1)
    if over == "void":
        Exchanges(node).give_up("e1", ExchangeState.FAILED, b"", unconfirmed=True)
    (left,) = store.unsettled(LONG_AGO if over == "void" else LATER)
    assert (left.kept, left.filed) == (False, 1), "the record has still to hear of it"
    store.filed("e1", 0)
    assert not store.unsettled(LONG_AGO if over == "void" else LATER)


def test_whoever_has_matched_is_told_and_nobody_else(node: Database) -> None:
    fill(node, range(10))
    answered(node, "e1", peer="bank")
    answered(node, "e2", peer="bank")
    answered(node, "e3", peer="proxy", state=ExchangeState.FAILED)
    answered(node, "e4", peer="telco", mode="count")
    answered(node, "e5", peer="card", side=Side.ASKER)
    assert StaleHits(node).askers(LONG_AGO) == ["bank"]
    assert StaleHits(node).askers(LATER) == []


def test_matches_whose_hits_nobody_keeps_any_more_are_not_looked_at(node: Database) -> None:
    fill(node, range(10))
    answered(node, "e1")
    change(node, 1, State.CONTESTED)
    assert StaleHits(node).look(after=LATER, now=LATER) == 0


def asked(node: Database, name: str) -> None:
    """Have matched two entries of a list."""
    store = Exchanges(node)
    found = Collections(node).get("scams")
    store.add(replace(exchange(name), public_id=found.public_id, version=found.version))
    store.complete(name, [token(1), token(2)], now=MOMENT, keep_until=LATER)


def kept(node: Database) -> set[str]:
    return {hit.exchange_id for page in Exchanges(node).hits(None) for hit in page}


def test_a_repeated_match_drops_the_stale_hits_and_no_others(node: Database) -> None:
    fill(node, range(10))
    for name in ("fresh", "stale", "held"):
        asked(node, name)
    for name in ("stale", "held"):
        assert StaleHits(node).heard(name, 1, MOMENT) is None
    Retention(node).hold(Hold("held", "a court", "a case", LATER, MOMENT))
    assert kept(node) == {"fresh", "stale", "held"}
    asked(node, "again")
    assert kept(node) == {"fresh", "held", "again"}
    assert StaleHits(node).heard("stale", 2, LATER) == MOMENT
    assert Exchanges(node).get("stale").stale == 1, "what comes later changes nothing"
    with pytest.raises(NotFoundError):
        Retention(node).drop("held", MOMENT)
    Retention(node).drop("fresh", MOMENT)
    assert kept(node) == {"held", "again"}
    with pytest.raises(NotFoundError):
        Retention(node).drop("fresh", MOMENT)


def test_a_contest_that_nobody_decides_lapses(node: Database) -> None:
    fill(node, range(10))
    change(node, 1, State.CONTESTED)
    Collections(node).set_state("scams", State.CONTESTED, token=token(1), now=LATER)
    assert Lapsing(node).lapse(LONG_AGO) == {}
    before = Collections(node).get("scams").version
    assert Lapsing(node).lapse(MOMENT) == {"scams": 1}, "contesting again does not put the end off"
    assert Collections(node).get("scams").version == before + 1
    assert Lapsing(node).lapse(MOMENT) == {}
    (found,) = Collections(node).entries_of(token(1))
    assert found.state is State.LIFTED


def test_entries_go_when_their_retention_ends(node: Database) -> None:
    """Collections of these tests keep for 30 days; `fill` lists on day 20,784."""
    fill(node, range(10))
    answered(node, "e1")
    store = Lapsing(node)
    assert store.oldest(Collections(node).get("scams").id) == 20_784
    assert store.expire(20_784 + 29) == {}
    progress = Imports(node).begin(Collections(node).get("scams").id, b"")
    rows = sorted(entry(at) for at in (3, 20))
    Imports(node).finish(Imports(node).add(progress, rows, [], epoch=0, day=20_790))  # 3 is listed still
    before = Collections(node).get("scams").version
    assert store.expire(20_784 + 30) == {"scams": 9}
    assert active(node) == tokens({3, 20})
    assert Collections(node).get("scams").version == before + 1
    assert look(node) == {}, "what was kept long enough makes no hit stale"
    assert store.expire(20_784 + 30) == {}
    assert store.oldest(Collections(node).get("scams").id) == 20_790
