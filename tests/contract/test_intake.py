"""Imports: counts that add up, idempotence, resumption, and replacement."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from contract.rows import PHONE, active, batch, dump, entry, fill, make_collection, token, tokens
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trisect.errors import ConflictError, DeniedError
from trisect.indicators.labels import State
from trisect.store.collections import Collections
from trisect.store.database import Database
from trisect.store.intake import Imports, Progress, RejectRow
from trisect.store.tables import collections, entries, imports, rejects

REJECT = RejectRow("7", "phone", "too_short")


def begin(node: Database, fingerprint: bytes = b"file", *, replace: bool = False) -> Progress:
    return Imports(node).begin(make_collection(node).id, fingerprint, replace=replace)


def add(node: Database, progress: Progress, *numbers: int, refused: int = 0, epoch: int = 0) -> Progress:
    return Imports(node).add(progress, batch(numbers), [REJECT] * refused, epoch=epoch, day=20_784)


def adds_up(progress: Progress) -> bool:
    return progress.rows == progress.accepted + progress.duplicates + progress.rejected


def counts(progress: Progress) -> tuple[int, int, int, int, int]:
    return (
        progress.batches_done,
        progress.rows,
        progress.accepted,
        progress.duplicates,
        progress.rejected,
    )


def test_a_batch_is_counted_and_stored_whole(node: Database) -> None:
    progress = add(node, begin(node), 1, 2, 3, refused=2)
    assert counts(progress) == (1, 5, 3, 0, 2)
    assert adds_up(progress)
    assert active(node) == tokens({1, 2, 3})
    found = Collections(node).entries_of(token(2))[0]
    assert (found.ref, found.confidence, found.first_seen) == ("case-2", 50, "2026-01-01")


def test_duplicates_within_a_batch_and_across_batches_are_counted(node: Database) -> None:
    progress = begin(node)
    progress = Imports(node).add(progress, batch([1, 1, 1, 2]), [], epoch=0, day=20_784)
    assert counts(progress) == (1, 4, 2, 2, 0)
    progress = add(node, progress, 2, 3, 4, refused=1)
    assert counts(progress) == (2, 8, 4, 3, 1)
    assert adds_up(progress)
    assert active(node) == tokens({1, 2, 3, 4})


def test_every_label_field_is_stored_in_its_own_column(node: Database) -> None:
    """When an entry is new, and when a later import brings another label for it."""
    first = (
        token(1),
        PHONE,
        "case-1",
        "p-9",
        "romance",
        "mule",
        "sms",
        "voice_clone",
        70,
        "2026-01-02",
        "2026-02-03",
    )
    later = (
        token(1),
        PHONE,
        "case-2",
        "p-8",
        "fake_loan",
        "victim",
        "web",
        "none",
        30,
        "2026-03-04",
        "2026-04-05",
    )
    for number, row in enumerate((first, later)):
        progress = begin(node, b"file %d" % number)
        Imports(node).finish(Imports(node).add(progress, [row], [], epoch=0, day=20_784))
        (found,) = Collections(node).entries_of(token(1))
        assert (found.ref, found.category, found.fraud_role) == (row[2], row[4], row[5])
        assert (found.channel, found.ai_technique, found.confidence) == row[6:9]
        assert (found.first_seen, found.last_seen) == row[9:]
        with node.read() as connection:
            assert connection.execute(sa.select(entries.c.subject)).scalar_one() == row[3]


def test_of_duplicates_in_a_batch_the_first_stands(node: Database) -> None:
    Imports(node).add(begin(node), [entry(1, ref="first"), entry(1, ref="second")], [], epoch=0, day=20_784)
    assert [row.ref for row in Collections(node).entries_of(token(1))] == ["first"]


def test_a_batch_of_rejects_alone_and_an_empty_batch_advance_the_import(node: Database) -> None:
    progress = add(node, begin(node), refused=3)
    assert counts(progress) == (1, 3, 0, 0, 3)
    assert counts(add(node, progress)) == (2, 3, 0, 0, 3)


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.integers(0, 12), max_size=8), max_size=5))
def test_counts_and_contents_follow_from_the_batches(node: Database, batches: list[list[int]]) -> None:
    progress = begin(node)
    for numbers in batches:
        progress = add(node, progress, *numbers, refused=len(numbers) % 2)
        assert adds_up(progress)
    wanted = {number for numbers in batches for number in numbers}
    assert progress.accepted == len(wanted)
    assert progress.rows == sum(len(numbers) + len(numbers) % 2 for numbers in batches)
    assert active(node) == tokens(wanted)
    Collections(node).delete("scams")


def test_importing_the_same_again_changes_nothing(node: Database) -> None:
    fill(node, range(20))
    before = [row[:5] + row[6:] for row in dump(node)]  # but for the generation
    progress = add(node, begin(node), *range(20))
    Imports(node).finish(progress)
    assert (progress.accepted, progress.duplicates) == (0, 20)
    assert [row[:5] + row[6:] for row in dump(node)] == before


def test_a_version_rises_only_when_something_changed(node: Database) -> None:
    fill(node, range(3))
    version = Collections(node).get("scams").version
    fill(node, range(3))
    assert Collections(node).get("scams").version == version
    fill(node, range(4))
    assert Collections(node).get("scams").version == version + 1


def test_an_import_is_resumed_by_its_fingerprint(node: Database) -> None:
    progress = add(node, begin(node, b"file"), 1, 2, refused=1)
    assert begin(node, b"file") == progress
    other = begin(node, b"another file")
    assert (other.id, other.batches_done) != (progress.id, progress.batches_done)
    assert other.generation > progress.generation


def test_without_a_fingerprint_nothing_is_resumed(node: Database) -> None:
    first = add(node, begin(node, b""), 1)
    second = begin(node, b"")
    assert second.id != first.id
    assert second.batches_done == 0


def test_the_same_file_goes_into_two_collections_apart(node: Database) -> None:
    one = Imports(node).begin(make_collection(node).id, b"file")
    two = Imports(node).begin(make_collection(node, "other").id, b"file")
    assert one.id != two.id
    Imports(node).add(one, batch([1]), [], epoch=0, day=20_784)
    assert active(node, "other") == set()


def test_a_finished_import_is_not_resumed(node: Database) -> None:
    progress = add(node, begin(node), 1, refused=1)
    Imports(node).finish(progress)
    assert (dump(node, imports), dump(node, rejects)) == ([], [])
    assert counts(begin(node)) == (0, 0, 0, 0, 0)


def test_rejects_keep_their_order_across_batches(node: Database) -> None:
    progress = begin(node)
    for at in range(3):
        refused = [RejectRow(f"{at}-{row}", "phone", f"reason-{row}") for row in range(12)]
        progress = Imports(node).add(progress, [], refused, epoch=0, day=20_784)
    found = Imports(node).rejects(progress.id)
    assert [row.where for row in found] == [f"{at}-{row}" for at in range(3) for row in range(12)]
    assert found[13] == RejectRow("1-1", "phone", "reason-1")
    assert Imports(node).rejects(progress.id + 1) == []


def test_a_batch_that_comes_twice_is_refused_whole(node: Database) -> None:
    progress = begin(node)
    add(node, progress, 1, 2)
    with pytest.raises(ConflictError, match="another import of the same file"):
        add(node, progress, 3, 4)
    assert active(node) == tokens({1, 2})


def test_a_batch_with_rejects_that_comes_twice_is_refused_whole(node: Database) -> None:
    progress = begin(node)
    add(node, progress, 1, refused=1)
    with pytest.raises(ConflictError):
        add(node, progress, 3, refused=1)
    assert active(node) == tokens({1})
    assert len(Imports(node).rejects(progress.id)) == 1


def test_a_batch_for_a_deleted_collection_is_refused(node: Database) -> None:
    progress = begin(node)
    Collections(node).delete("scams")
    with pytest.raises(ConflictError):
        add(node, progress, 1)
    assert dump(node) == []


def test_replace_retracts_what_the_file_no_longer_has(node: Database) -> None:
    fill(node, range(10))
    progress = add(node, begin(node, replace=True), *range(1, 12))
    retracted, version = Imports(node).finish(progress)
    assert retracted == 1
    assert version == Collections(node).get("scams").version
    assert active(node) == tokens(range(1, 12))
    assert [row.state for row in Collections(node).entries_of(token(0))] == [State.RETRACTED]


def test_what_was_retracted_comes_back_with_the_next_file(node: Database) -> None:
    fill(node, range(10))
    fill(node, range(1, 10), replace=True)
    progress = add(node, begin(node, replace=True), *range(10))
    assert (progress.accepted, progress.duplicates) == (1, 9)
    assert Imports(node).finish(progress)[0] == 0
    assert active(node) == tokens(range(10))


def test_an_import_without_replace_leaves_the_rest_alone(node: Database) -> None:
    fill(node, range(10))
    assert Imports(node).finish(add(node, begin(node), 1))[0] == 0
    assert active(node) == tokens(range(10))


@pytest.mark.parametrize("state", [State.CONTESTED, State.EXPIRED, State.LIFTED])
def test_no_import_undoes_a_contest_its_end_or_an_expiry(node: Database, state: State) -> None:
    fill(node, range(10))
    Collections(node).set_state("scams", state, token=token(3), now="2026-11-27T12:00:00Z")
    fill(node, range(10), replace=True)
    assert [row.state for row in Collections(node).entries_of(token(3))] == [state]
    fill(node, (number for number in range(10) if number != 3), replace=True)
    assert [row.state for row in Collections(node).entries_of(token(3))] == [state]
    progress = add(node, begin(node), *range(10))
    assert (progress.accepted, progress.duplicates) == (0, 10)


def test_what_was_lifted_is_listed_again_when_somebody_wants_it_by_name(node: Database) -> None:
    fill(node, range(3))
    for number in (1, 2):
        Collections(node).set_state("scams", State.LIFTED, token=token(number), now="2026-11-27T12:00:00Z")
    Collections(node).set_state("scams", State.RETRACTED, token=token(2), now="2026-11-27T12:00:00Z")
    Imports(node).relist(Collections(node).get("scams").id, token(1))
    fill(node, range(3))
    assert active(node) == tokens({0, 1})


def test_a_retraction_during_an_import_is_not_undone_by_its_duplicates(node: Database) -> None:
    progress = add(node, begin(node), 1, 2, 3)
    Collections(node).set_state("scams", State.RETRACTED, token=token(2), now="2026-11-27T12:00:00Z")
    progress = add(node, progress, 2, 4)
    Imports(node).finish(progress)
    assert active(node) == tokens({1, 3, 4})


@pytest.mark.parametrize(("dropped", "refused"), [(2, False), (3, True)])
def test_replace_asks_before_it_drops_more_than_a_fifth(
    node: Database, dropped: int, *, refused: bool
) -> None:
    fill(node, range(10))
    progress = add(node, begin(node, replace=True), *range(dropped, 10))
    if not refused:
        assert Imports(node).finish(progress)[0] == dropped
        return
    with pytest.raises(DeniedError, match="3 of 10 entries") as caught:
        Imports(node).finish(progress)
    assert "--yes" in caught.value.hint
    assert active(node) == tokens(range(10))
    assert begin(node, replace=True) == progress, "the import can go on once somebody has said yes"
    assert Imports(node).finish(progress, allow_large_drop=True)[0] == 3
    assert active(node) == tokens(range(3, 10))


@pytest.mark.parametrize(("dropped", "refused"), [(20, False), (21, True)])
def test_a_fifth_is_exactly_that(node: Database, dropped: int, *, refused: bool) -> None:
    fill(node, range(100))
    progress = add(node, begin(node, replace=True), *range(dropped, 100))
    if refused:
        with pytest.raises(DeniedError, match="21 of 100 entries"):
            Imports(node).finish(progress)
    else:
        assert Imports(node).finish(progress)[0] == dropped


def test_new_rows_do_not_hide_that_the_whole_old_list_would_go(node: Database) -> None:
    """A fifth of the list as it was: a wrong, longer file must not slip through by its own length."""
    fill(node, range(10))
    progress = add(node, begin(node, replace=True), *range(100, 200))
    with pytest.raises(DeniedError, match="10 of 10 entries"):
        Imports(node).finish(progress)
    assert active(node) == tokens(range(10))
    other = add(node, begin(node, b"another wrong file", replace=True), *range(100, 199))
    with pytest.raises(DeniedError, match="10 of 10 entries"):
        Imports(node).finish(other)


def test_the_former_list_is_in_force_until_the_whole_new_one_is_there(node: Database) -> None:
    fill(node, range(10))
    progress = add(node, begin(node, replace=True), *range(1, 15))
    assert active(node) == tokens(range(10))
    assert Collections(node).entries_of(token(12)) == []
    Imports(node).finish(progress)
    assert active(node) == tokens(range(1, 15))


def test_what_an_abandoned_replacement_staged_never_counts(node: Database) -> None:
    fill(node, range(10))
    add(node, begin(node, b"abandoned", replace=True), *range(1, 15))
    Imports(node).finish(add(node, begin(node, b"other", replace=True), *range(10), 20))
    assert active(node) == tokens([*range(10), 20])
    fill(node, [12])
    assert active(node) == tokens([*range(10), 20, 12])


def test_a_first_list_can_be_replaced_by_nothing_only_with_consent(node: Database) -> None:
    fill(node, range(3))
    empty = begin(node, replace=True)
    with pytest.raises(DeniedError):
        Imports(node).finish(empty)
    assert Imports(node).finish(empty, allow_large_drop=True)[0] == 3


def test_replace_into_an_empty_collection_drops_nothing(node: Database) -> None:
    progress = add(node, begin(node, replace=True), *range(5))
    assert Imports(node).finish(progress)[0] == 0


def test_replace_leaves_other_collections_alone(node: Database) -> None:
    fill(node, range(5), name="other")
    fill(node, range(5))
    fill(node, range(1), replace=True, yes=True)
    assert active(node, "other") == tokens(range(5))


def test_a_resumed_import_replaces_with_what_all_its_batches_brought(node: Database) -> None:
    fill(node, range(10))
    progress = add(node, begin(node, replace=True), *range(5))
    resumed = begin(node, replace=True)
    assert resumed == progress
    resumed = add(node, resumed, *range(5, 9))
    assert Imports(node).finish(resumed)[0] == 1
    assert active(node) == tokens(range(9))


def test_many_rows_of_which_some_are_known_cross_every_chunk(node: Database) -> None:
    fill(node, range(0, 1_800, 3))
    progress = add(node, begin(node, replace=True), *range(1_800))
    assert (progress.accepted, progress.duplicates) == (1_200, 600)
    assert Imports(node).finish(progress)[0] == 0
    assert active(node) == tokens(range(1_800))


def test_every_row_carries_the_epoch_it_was_made_in(node: Database) -> None:
    add(node, begin(node), 1, 2, epoch=4)
    with node.read() as connection:
        assert set(connection.execute(entries.select()).scalars()) == {1}
        assert {row.epoch for row in connection.execute(entries.select())} == {4}
        assert connection.execute(collections.select()).one().generation == 1


def test_a_replacement_that_another_overtook_begins_anew(node: Database) -> None:
    """Its staged rows were dropped with it, so to go on from its progress would empty the list."""
    fill(node, range(100))
    first = add(node, begin(node, b"a", replace=True), *range(100, 200))
    with pytest.raises(DeniedError, match="more than a fifth"):
        Imports(node).finish(first)
    Imports(node).finish(add(node, begin(node, b"b", replace=True), *range(95)))
    with pytest.raises(ConflictError, match="has begun"):
        Imports(node).finish(first, allow_large_drop=True)
    with pytest.raises(ConflictError, match="has begun"):
        Imports(node).add(first, batch(range(200, 210)), [], epoch=0, day=20_784)
    assert active(node) == tokens(range(95))
    again = begin(node, b"a", replace=True)
    assert (again.batches_done, again.rows) == (0, 0)
    Imports(node).finish(add(node, again, *range(100, 200)), allow_large_drop=True)
    assert active(node) == tokens(range(100, 200))


def test_what_others_add_during_a_replacement_stays(node: Database) -> None:
    fill(node, range(100))
    progress = add(node, begin(node, replace=True), *range(50))
    fill(node, [*range(45, 55), 500])
    progress = add(node, begin(node, replace=True), *range(50, 99))
    retracted, _ = Imports(node).finish(progress)
    assert retracted == 1
    assert active(node) == tokens([*range(99), 500])
