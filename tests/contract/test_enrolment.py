"""Invitations: one use, whoever wins, and no way back."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from trisect.errors import ConflictError
from trisect.store.database import Database
from trisect.store.enrolment import Enrolled, Enrolments, Invitation

RACERS = 50


def party(name: str = "bank", *, key: bytes = b"key", at: str = "2026-11-01T00:00:00Z") -> Enrolled:
    return Enrolled(name, "provider", key, b"sealing", b"signature", at)


@pytest.fixture
def store(coordinator: Database) -> Enrolments:
    found = Enrolments(coordinator)
    found.add_invitation("i1", party="bank", role="provider", expires_at="2026-12-01T00:00:00Z")
    return found


def test_an_invitation_is_kept_as_it_was_made(store: Enrolments) -> None:
    assert store.invitation("i1") == Invitation(
        "i1", "bank", "provider", "2026-12-01T00:00:00Z", None, None, 0
    )
    assert store.invitation("i2") is None
    assert store.invited("2026-11-01T00:00:00Z") == ["bank"]
    assert store.invited("2026-12-01T00:00:00Z") == [], "it has expired then"
    assert (store.enrolled(), store.find("bank")) == ([], None)


def test_an_id_is_not_used_twice(store: Enrolments) -> None:
    with pytest.raises(ConflictError):
        store.add_invitation("i1", party="telco", role="provider", expires_at="2027-01-01T00:00:00Z")
    assert store.invited("2026-11-01T00:00:00Z") == ["bank"]


def test_the_first_key_binds_the_invitation_and_enrols(store: Enrolments) -> None:
    assert store.redeem("i1", b"hash", b"leaf", party())
    found = store.invitation("i1")
    assert found is not None
    assert (found.key_hash, found.certificate) == (b"hash", b"leaf")
    assert store.find("bank") == party()


def test_a_second_redemption_changes_nothing(store: Enrolments) -> None:
    assert store.redeem("i1", b"hash", b"leaf", party())
    for key_hash in (b"hash", b"other"):
        assert not store.redeem("i1", key_hash, b"another leaf", party(key=b"another"))
    found = store.invitation("i1")
    assert found is not None
    assert (found.key_hash, found.certificate) == (b"hash", b"leaf")
    assert store.find("bank") == party()


def test_an_unknown_invitation_enrols_nobody(store: Enrolments) -> None:
    assert not store.redeem("i2", b"hash", b"leaf", party())
    assert store.find("bank") is None


def test_of_fifty_that_race_for_one_invitation_exactly_one_wins(store: Enrolments) -> None:
    start = threading.Barrier(RACERS)

    def race(number: int) -> bool:
        start.wait()
        return store.redeem("i1", b"hash %d" % number, b"leaf %d" % number, party(key=b"%d" % number))

    with ThreadPoolExecutor(RACERS) as pool:
        won = [number for number, first in enumerate(pool.map(race, range(RACERS))) if first]
    assert len(won) == 1
    found = store.invitation("i1")
    assert found is not None
    assert (found.key_hash, found.certificate) == (b"hash %d" % won[0], b"leaf %d" % won[0])
    assert store.enrolled() == [party(key=b"%d" % won[0])]


def test_a_later_invitation_replaces_the_keys_of_its_party(store: Enrolments) -> None:
    assert store.redeem("i1", b"hash", b"leaf", party())
    store.add_invitation("i2", party="bank", role="provider", expires_at="2026-12-02T00:00:00Z")
    assert store.redeem("i2", b"hash 2", b"leaf 2", party(key=b"new", at="2026-11-02T00:00:00Z"))
    assert store.enrolled() == [party(key=b"new", at="2026-11-02T00:00:00Z")]
    assert store.invited("2026-11-01T00:00:00Z") == ["bank"]


def test_parties_are_listed_as_they_joined(store: Enrolments) -> None:
    for day, name in ((3, "a"), (1, "b"), (2, "c")):
        store.add_invitation(name, party=name, role="provider", expires_at="2026-12-02T00:00:00Z")
        assert store.redeem(name, b"h", b"l", party(name, at=f"2026-11-0{day}T00:00:00Z"))
    assert [found.party for found in store.enrolled()] == ["b", "c", "a"]
    assert sorted(store.invited("2026-11-01T00:00:00Z")) == ["a", "b", "bank", "c"]


def test_contests_are_counted_and_named(store: Enrolments) -> None:
    store.add_invitation("i2", party="telco", role="provider", expires_at="2026-12-02T00:00:00Z")
    assert store.contested() == []
    store.contest("i1")
    store.contest("i1")
    found = store.invitation("i1")
    assert found is not None
    assert found.contested == 2
    assert store.contested() == ["bank"]
    store.contest("nothing")
    assert store.contested() == ["bank"]
