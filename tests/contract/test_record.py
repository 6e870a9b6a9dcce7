"""The public record in the store: it only grows, proves every entry, and is whole whatever becomes of an append."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from contract.rows import dump

from trisect.errors import ConflictError, NotFoundError, VerificationError
from trisect.record import tree
from trisect.store.database import Database
from trisect.store.record import NewEntry, Record
from trisect.store.tables import coordinator_record

SIZES = (1, 1, 2, 5, 1, 13, 64, 3)


def named(first: int, count: int) -> list[NewEntry]:
    return [NewEntry(b"entry %d" % number) for number in range(first, first + count)]


@pytest.fixture
def record(coordinator: Database) -> Record:
    return Record(coordinator, coordinator_record)


def grown(record: Record) -> Record:
    for count in SIZES:
        first = record.size
        assert record.append(named(first, count)) == range(first, first + count)
    return record


def test_a_record_without_entries(record: Record) -> None:
    assert (record.size, record.newest_statement(), record.head()) == (0, 0, None)
    assert record.root(0) == tree.EMPTY
    assert record.append([]) == range(0)
    assert record.entries(0) == []
    for wrong in (
        lambda: record.inclusion(0, 0),
        lambda: record.inclusion(0, 1),
        lambda: record.consistency(0, 0),
    ):
        with pytest.raises(NotFoundError):
            wrong()


def test_entries_come_back_as_they_were(record: Record) -> None:
    grown(record)
    assert record.size == sum(SIZES)
    assert record.entries(0) == [new.entry for new in named(0, sum(SIZES))]
    assert record.entries(7, limit=2) == [b"entry 7", b"entry 8"]
    assert record.entries(sum(SIZES)) == []


def test_every_entry_is_proved_and_every_size_is_the_beginning_of_the_last(record: Record) -> None:
    grown(record)
    size = record.size
    head = record.root(size)
    for number in range(size):
        leaf = tree.leaf_hash(b"entry %d" % number)
        tree.check_inclusion(leaf, number, size, record.inclusion(number, size), head)
    for first in range(1, size + 1):
        tree.check_consistency(first, record.root(first), size, head, record.consistency(first, size))


@pytest.mark.parametrize(("number", "size"), [(-1, 5), (5, 5), (0, 91), (90, 91)])
def test_what_is_not_there_is_not_proved(record: Record, number: int, size: int) -> None:
    grown(record)
    with pytest.raises(NotFoundError):
        record.inclusion(number, size)


@pytest.mark.parametrize(("first", "second"), [(0, 5), (6, 5), (1, 91), (-1, 5)])
def test_what_never_was_is_no_beginning(record: Record, first: int, second: int) -> None:
    grown(record)
    with pytest.raises(NotFoundError):
        record.consistency(first, second)


def test_appends_at_once_stand_one_after_another(record: Record) -> None:
    with ThreadPoolExecutor(8) as pool:
        places = list(pool.map(lambda number: record.append([NewEntry(b"%d" % number)]), range(40)))
    assert sorted(place.start for place in places) == list(range(40))
    assert [record.entries(place.start, limit=1) for place in places] == [
        [b"%d" % number] for number in range(40)
    ]
    leaves = [tree.leaf_hash(entry) for entry in record.entries(0)]
    frontier = tree.Frontier(0, lambda *_: b"")
    for leaf in leaves:
        list(frontier.append(leaf))
    assert record.root(40) == frontier.root


def test_an_append_that_fails_leaves_nothing(record: Record, coordinator: Database) -> None:
    """Two entries of one statement cannot be."""
    record.append([NewEntry(b"a", 1), NewEntry(b"b"), NewEntry(b"c", 2)])
    before = dump(coordinator, coordinator_record.entries), dump(coordinator, coordinator_record.nodes)
    with pytest.raises(ConflictError):
        record.append([NewEntry(b"d", 3), NewEntry(b"e", 2)])
    assert (
        dump(coordinator, coordinator_record.entries),
        dump(coordinator, coordinator_record.nodes),
    ) == before
    assert record.newest_statement() == 2


def test_a_head_is_kept_with_what_is_added_to_it(record: Record) -> None:
    record.keep_head(3, "three")
    record.keep_head(5, "five")
    record.keep_head(3, "three, cosigned")
    assert (record.head(), record.head(3), record.head(4)) == ("five", "three, cosigned", None)


def test_with_another_root_than_expected_nothing_is_appended(record: Record) -> None:
    grown(record)
    size, before = record.size, record.root(record.size)
    with pytest.raises(VerificationError):
        record.append(named(size, 3), root=bytes(32))
    assert (record.size, record.root(size)) == (size, before)
    record.append(named(size, 3), root=expected(size + 3))


@pytest.mark.parametrize("size", [0, 1, 2, 31, 64, 89, 90, 200])
def test_a_copy_that_was_cut_goes_on_as_if_it_had_never_been_longer(record: Record, size: int) -> None:
    grown(record)
    whole = record.size
    record.cut(size)
    kept = min(size, whole)
    assert (record.size, record.root(kept)) == (kept, expected(kept))
    record.append(named(kept, whole + 5 - kept))
    assert record.root(whole + 5) == expected(whole + 5)


def expected(size: int) -> bytes:
    frontier = tree.Frontier.empty()
    for new in named(0, size):
        frontier.add(tree.leaf_hash(new.entry))
    return frontier.root
