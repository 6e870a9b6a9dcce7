"""Collections, sharings, single entries and snapshots."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from contract.rows import PHONE, active, entry, fill, make_collection, token, tokens
from support.consents import USE

from trisect.errors import ConflictError, NotFoundError
from trisect.indicators.labels import Channel, State
from trisect.store.collections import Collections, SharingRow
from trisect.store.database import Database, sqlite_url
from trisect.store.intake import Imports, RejectRow
from trisect.store.tables import entries, imports, rejects, sharings

from contract.rows import dump  # isort: skip


def test_create_gives_the_collection_of_that_name_as_it_is(node: Database) -> None:
    made = make_collection(node)
    again = Collections(node).create(
        "scams",
        public_id="another",
        source="another",
        legal_basis="another",
        retention_days=1,
        created_at="2027-01-01T00:00:00Z",
    )
    assert again == made
    assert (made.source, made.legal_basis, made.retention_days, made.version) == ("hotline", "art. 6", 30, 0)
    assert Collections(node).get("scams") == made


def test_what_is_not_there_is_named(node: Database) -> None:
    with pytest.raises(NotFoundError, match="no collection of that name") as caught:
        Collections(node).get("scams")
    assert "trisect collection list" in caught.value.hint


@pytest.mark.parametrize(
    "act",
    [
        lambda found: found.get("none"),
        lambda found: found.delete("none"),
        lambda found: found.sharings("none"),
        lambda found: found.share("none", [SharingRow("all", "rights", "match")]),
        lambda found: found.unshare("none", "all", None),
        lambda found: found.snapshot("none", USE, epoch=0),
        lambda found: found.set_state("none", State.RETRACTED, ref="x", now="2026-11-27T12:00:00Z"),
    ],
)
def test_every_act_on_an_unknown_collection_says_so(node: Database, act: object) -> None:
    assert callable(act)
    with pytest.raises(NotFoundError):
        act(Collections(node))


def test_the_list_counts_active_and_retracted_entries(node: Database) -> None:
    fill(node, range(5), name="b-list")
    make_collection(node, "a-list")
    store = Collections(node)
    store.set_state("b-list", State.RETRACTED, ref="case-1", now="2026-11-27T12:00:00Z")
    store.set_state("b-list", State.CONTESTED, ref="case-2", now="2026-11-27T12:00:00Z")
    assert [(found.name, up, gone) for found, up, gone in store.list()] == [
        ("a-list", 0, 0),
        ("b-list", 3, 1),
    ]


def test_delete_takes_all_that_belongs_to_a_collection_and_nothing_else(node: Database) -> None:
    fill(node, range(4))
    fill(node, range(3), name="other")
    store = Collections(node)
    store.share("scams", [SharingRow("bank", "rights", "match")])
    store.share("other", [SharingRow("bank", "rights", "match")])
    running = Imports(node).begin(store.get("scams").id, b"file")
    Imports(node).add(running, [entry(9)], [RejectRow("2", "phone", "too short")], epoch=0, day=20_784)
    assert store.delete("scams") == 5
    assert [found.name for found, _, _ in store.list()] == ["other"]
    assert active(node, "other") == tokens(range(3))
    assert (len(dump(node)), dump(node, imports), dump(node, rejects)) == (3, [], [])
    assert len(dump(node, sharings)) == 1


def test_sharings_are_added_once_and_taken_back(node: Database) -> None:
    make_collection(node)
    store = Collections(node)
    rows = [
        SharingRow("all", "rights", "match"),
        SharingRow("bank", "rights", "count"),
        SharingRow("bank", "rights", "match"),
        SharingRow("bank", "supervision", "match"),
    ]
    store.share("scams", [*reversed(rows), rows[0]])
    store.share("scams", rows[:2])
    assert store.sharings("scams") == rows
    assert store.unshare("scams", "bank", "rights") == 2
    assert store.sharings("scams") == [rows[0], rows[3]]
    assert store.unshare("scams", "bank", None) == 1
    assert store.unshare("scams", "bank", None) == 0
    assert store.sharings("scams") == [rows[0]]


def test_a_sharing_belongs_to_one_collection(node: Database) -> None:
    make_collection(node)
    make_collection(node, "other")
    store = Collections(node)
    store.share("scams", [SharingRow("bank", "rights", "match")])
    assert store.sharings("other") == []
    assert store.unshare("other", "bank", None) == 0


@pytest.mark.parametrize("state", [state for state in State if state is not State.ACTIVE])
def test_a_snapshot_holds_active_entries_only(node: Database, state: State) -> None:
    fill(node, range(6))
    Collections(node).set_state("scams", state, token=token(2), now="2026-11-27T12:00:00Z")
    assert active(node) == tokens({0, 1, 3, 4, 5})
    Collections(node).set_state("scams", State.ACTIVE, token=token(2), now="2026-11-27T12:00:00Z")
    assert active(node) == tokens(range(6))


def test_a_snapshot_is_of_one_collection_and_knows_its_version(node: Database) -> None:
    fill(node, range(3))
    fill(node, range(10, 30), name="other")
    taken = Collections(node).snapshot("scams", USE, epoch=0)
    assert (taken.size, len(taken.tokens)) == (3, 96)
    assert taken.collection == Collections(node).get("scams")
    Collections(node).set_state("scams", State.RETRACTED, token=token(0), now="2026-11-27T12:00:00Z")
    assert Collections(node).get("scams").version == taken.collection.version + 1
    assert taken.size == 3


def test_an_empty_collection_has_an_empty_snapshot(node: Database) -> None:
    make_collection(node)
    assert Collections(node).snapshot("scams", USE, epoch=3).tokens == b""


@pytest.mark.parametrize("epoch", [0, 2])
def test_a_snapshot_of_another_epoch_is_refused(node: Database, epoch: int) -> None:
    fill(node, range(3), epoch=1)
    assert len(active(node, epoch=1)) == 3
    with pytest.raises(ConflictError, match="rolled"):
        Collections(node).snapshot("scams", USE, epoch=epoch)


def test_one_entry_behind_holds_the_whole_snapshot_back(node: Database) -> None:
    fill(node, range(50), epoch=1)
    with node.write() as connection:
        connection.execute(entries.update().where(entries.c.token == token(7)).values(epoch=0))
    with pytest.raises(ConflictError):
        Collections(node).snapshot("scams", USE, epoch=1)


def test_a_retracted_entry_behind_holds_it_back_too(node: Database) -> None:
    """It may be revived by the next import, under a token that nobody asks for."""
    fill(node, range(3), epoch=1)
    with node.write() as connection:
        connection.execute(entries.update().where(entries.c.token == token(1)).values(epoch=0, state=3))
    with pytest.raises(ConflictError):
        Collections(node).snapshot("scams", USE, epoch=1)


def test_entries_are_found_by_token_in_every_collection(node: Database) -> None:
    fill(node, range(3))
    fill(node, range(2, 5), name="mules")
    found = Collections(node).entries_of(token(2))
    assert [(row.collection, row.ref, row.kind, row.confidence) for row in found] == [
        ("mules", "case-2", "phone", 50),
        ("scams", "case-2", "phone", 50),
    ]
    assert (found[0].category, found[0].first_seen, found[0].last_seen) == ("", "2026-01-01", "")
    assert Collections(node).entries_of(token(99)) == []


def test_entries_are_found_by_reference_in_one_collection(node: Database) -> None:
    fill(node, range(3))
    fill(node, range(3), name="mules")
    store = Collections(node)
    assert [row.collection for row in store.entries_by_ref("mules", "case-1")] == ["mules"]
    assert store.entries_by_ref("mules", "case-7") == []


def test_a_state_is_set_for_what_was_chosen_only(node: Database) -> None:
    fill(node, range(4))
    fill(node, range(4), name="mules")
    changed = Collections(node).set_state(
        "scams", State.CONTESTED, token=token(1), now="2026-11-27T12:00:00Z"
    )
    assert [(row.collection, row.ref, row.state) for row in changed] == [("scams", "case-1", State.CONTESTED)]
    assert active(node) == tokens({0, 2, 3})
    assert active(node, "mules") == tokens(range(4))


def test_what_entries_say_is_counted_by_field_and_channel(node: Database) -> None:
    collection = make_collection(node, "told")
    said = [
        ("sms", "loan", "mule", "none"),
        ("sms", None, None, "voice_clone"),
        ("phone", "loan", None, None),
    ]
    rows = sorted(
        (token(at), PHONE, f"case-{at}", None, category, role, channel, ai, 50, None, None)
        for at, (channel, category, role, ai) in enumerate(said)
    )
    imports = Imports(node)
    progress = imports.begin(collection.id, b"")
    imports.finish(imports.add(progress, rows, [], epoch=0, day=20_784))
    store = Collections(node)
    assert store.labels("told") == {
        "channel": {"phone": 1, "sms": 2},
        "category": {"": 1, "loan": 2},
        "fraud_role": {"": 2, "mule": 1},
        "ai_technique": {"": 1, "none": 1, "voice_clone": 1},
    }
    assert store.labels("told", Channel.SMS)["ai_technique"] == {"none": 1, "voice_clone": 1}
    assert store.labels("told", Channel.VIDEO) == {field: {} for field in store.labels("told")}
    store.set_state("told", State.RETRACTED, token=token(2), now="2026-11-27T12:00:00Z")
    assert store.labels("told")["channel"] == {"sms": 2}
    with pytest.raises(NotFoundError):
        store.labels("another")


def test_a_contest_is_decided_once(node: Database) -> None:
    fill(node, range(2))
    store = Collections(node)
    for state in (State.RETRACTED, State.ACTIVE):
        with pytest.raises(ConflictError, match="is not contested"):
            store.set_state("scams", state, token=token(1), only=State.CONTESTED, now="2026-11-27T12:00:00Z")
    store.set_state("scams", State.CONTESTED, token=token(1), now="2026-11-27T12:00:00Z")
    (changed,) = store.set_state(
        "scams", State.RETRACTED, token=token(1), only=State.CONTESTED, now="2026-11-27T12:00:00Z"
    )
    assert changed.state is State.LIFTED


def test_a_state_of_nothing_changes_nothing(node: Database) -> None:
    fill(node, range(2))
    before = Collections(node).get("scams").version
    with pytest.raises(NotFoundError, match="no such entry"):
        Collections(node).set_state("scams", State.RETRACTED, token=token(9), now="2026-11-27T12:00:00Z")
    with pytest.raises(NotFoundError, match="no such entry"):
        Collections(node).set_state("scams", State.RETRACTED, ref="case-9", now="2026-11-27T12:00:00Z")
    with pytest.raises(NotFoundError, match="no such entry"):
        Collections(node).set_state("scams", State.RETRACTED, now="2026-11-27T12:00:00Z")
    assert Collections(node).get("scams").version == before
    assert active(node) == tokens(range(2))


def test_what_is_deleted_is_not_left_in_the_file(tmp_path: Path) -> None:
    """PostgreSQL leaves that to its own vacuum; an SQLite file is what is stolen."""
    path = tmp_path / "node.db"
    with closing(Database(sqlite_url(path))) as database:
        database.migrate("node")
        fill(database, range(200))
        kept = [token(number) for number in range(200)]

        def left() -> int:
            with database.write() as connection:
                connection.exec_driver_sql("SELECT 1")
            with closing(sqlite3.connect(path)) as direct:
                direct.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            content = path.read_bytes()
            return sum(one in content for one in kept)

        assert left() == len(kept)
        Collections(database).delete("scams")
        assert left() == 0
