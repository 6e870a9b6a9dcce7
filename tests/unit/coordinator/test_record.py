"""The coordinator's part in the record: what goes in, what it signs, whose cosignatures it takes."""

from __future__ import annotations

from typing import Any

import pytest
from support.membership import CONSORTIUM, GOVERNMENT, identity, signed
from support.receipts import ASKED
from unit.coordinator.office import Office

from coordinator.record import PublicRecord
from trisect.clock import system_clock
from trisect.errors import ConflictError, NotFoundError, StaleError, UnreachableError, VerificationError
from trisect.record import tree
from trisect.record.checkpoint import Checkpoint, log_key, origin, witness_key
from trisect.record.entries import exchange, kind, of_document
from trisect.record.notes import Note
from trisect.store.record import NewEntry, Record
from trisect.store.tables import coordinator_record
from trisect.trust.statements import Role

KEY = identity("coordinator")
LOG = log_key(CONSORTIUM, KEY.public)


@pytest.fixture
def founded(office: Office) -> Office:
    office.founded().join("telco")
    office.publish(office.consortium.admission("telco", Role.PROVIDER))
    return office


def opened(office: Office) -> PublicRecord:
    record = PublicRecord(
        Record(office.database, coordinator_record), office.registry, KEY, CONSORTIUM, system_clock
    )
    record.settle()
    return record


def line(note: Note, party: str, *, by: str = "", time_s: int = 1) -> str:
    key = witness_key(CONSORTIUM, party, identity(by or party).public)
    return str(note.cosigned(key, identity(by or party), time_s).signatures[-1])


def head(record: PublicRecord) -> Note:
    return Note.parse(record.head(0).note)


def test_there_is_no_head_before_there_is_an_entry(office: Office) -> None:
    record = opened(office)
    assert record.sign() == 0
    with pytest.raises(NotFoundError):
        record.head(0)


def test_statements_go_in_in_their_order_and_once(founded: Office) -> None:
    record = opened(founded)
    assert (record.sign(), record.sign()) == (2, 2)
    assert [kind(entry) for entry in record.entries(0)] == ["admission.v1"] * 2
    head(record).verify(LOG)
    founded.publish(founded.consortium.grant("telco", 0))
    again = opened(founded)
    assert (again.sign(), again.sign()) == (3, 3)
    assert [kind(entry) for entry in again.entries(2)] == ["pepper-grant.v1"]


def test_every_head_goes_on_from_the_last(founded: Office) -> None:
    record = opened(founded)
    record.sign()
    first = Checkpoint.of(head(record))
    founded.publish(founded.consortium.grant("telco", 0))
    record.sign()
    found = record.head(first.size)
    second = Checkpoint.of(Note.parse(found.note))
    tree.check_consistency(first.size, first.root, second.size, second.root, found.consistency)
    with pytest.raises(ConflictError, match="3 entries, fewer than the 4"):
        record.head(4)


def test_cosignatures_come_under_the_head_that_they_are_for(founded: Office) -> None:
    record = opened(founded)
    record.sign()
    former = head(record)
    record.cosign(GOVERNMENT, 2, line(former, GOVERNMENT))
    founded.publish(founded.consortium.grant("telco", 0))
    record.sign()
    record.cosign("telco", 2, line(former, "telco"))
    assert head(record).signatures == head(opened(founded)).signatures
    assert len(head(record).signatures) == 1
    kept = Record(founded.database, coordinator_record).head(2)
    assert kept is not None
    assert [signature.name.rpartition("/")[2] for signature in Note.parse(kept).signatures] == [
        "record",
        GOVERNMENT,
        "telco",
    ]


@pytest.mark.parametrize(
    "send",
    [
        lambda note: line(note, "telco", by="thief"),
        lambda note: line(note, GOVERNMENT),
        lambda note: line(Note(note.text.replace("\n2\n", "\n3\n")), "telco"),
        lambda note: line(note, "telco") * 2,
        lambda _note: "",
        lambda _note: "text\n\n— a AAAAAAAA\n",
        lambda note: str(note.signatures[0]),
        lambda note: line(note, "telco", time_s=in_seconds(120)),
        lambda note: line(note, "telco", time_s=2**40),
    ],
)
def test_what_a_party_has_not_cosigned_is_not_taken(founded: Office, send: Any) -> None:
    record = opened(founded)
    record.sign()
    with pytest.raises(VerificationError):
        record.cosign("telco", 2, send(head(record)))
    assert len(head(record).signatures) == 1


def in_seconds(seconds: int) -> int:
    return int(system_clock().timestamp()) + seconds


def test_a_cosignature_takes_the_place_of_an_older_one_only(founded: Office) -> None:
    record = opened(founded)
    record.sign()
    key = witness_key(CONSORTIUM, "telco", identity("telco").public)
    for time_s, kept in ((5, 5), (9, 9), (7, 9), (9, 9)):
        record.cosign("telco", 2, line(head(record), "telco", time_s=time_s))
        assert head(record).verify(key) == kept


def test_the_newest_head_that_counts_is_shown_and_told_once(founded: Office) -> None:
    founded.join("proxy", role="proxy")
    founded.publish(founded.consortium.admission("proxy", Role.PROXY))
    record = opened(founded)
    record.sign()
    with pytest.raises(StaleError, match="no head"):
        record.require_fresh(3_600)
    first = head(record)
    assert not record.cosign(GOVERNMENT, 3, line(first, GOVERNMENT, time_s=in_seconds(-3_000)))
    assert record.head(0).counted == ""
    assert record.cosign("proxy", 3, line(first, "proxy", time_s=in_seconds(-2_000)))
    assert not record.cosign("telco", 3, line(first, "telco", time_s=in_seconds(-1_000)))
    record.require_fresh(2_500)
    with pytest.raises(StaleError, match="did so last at"):
        record.require_fresh(1_500)
    founded.publish(founded.consortium.grant("telco", 0))
    record.sign()
    for found in (record, opened(founded)):
        assert Checkpoint.of(Note.parse(found.head(0).counted)).size == 3
        assert Checkpoint.of(head(found)).size == 4
        found.require_fresh(2_500)
    record.cosign("proxy", 4, line(head(record), "proxy", time_s=in_seconds(0)))
    assert record.cosign("telco", 4, line(head(record), "telco", time_s=in_seconds(0)))
    record.require_fresh(60)
    assert not record.cosign(GOVERNMENT, 3, line(first, GOVERNMENT, time_s=in_seconds(0)))
    assert Checkpoint.of(Note.parse(record.head(0).counted)).size == 4


def test_a_head_that_is_not_kept_is_not_cosigned(founded: Office) -> None:
    record = opened(founded)
    record.sign()
    with pytest.raises(NotFoundError):
        record.cosign("telco", 1, line(head(record), "telco"))


def test_a_record_that_was_cut_or_changed_does_not_go_on(founded: Office) -> None:
    record = opened(founded)
    record.sign()
    with founded.database.write() as connection:
        connection.exec_driver_sql("DELETE FROM record_entries WHERE number = 1")
    with pytest.raises(VerificationError, match="1 entries"):
        opened(founded)


def test_a_closed_record_signs_nothing(founded: Office) -> None:
    record = opened(founded)
    record.close()
    assert record.sign() == 0
    assert Record(founded.database, coordinator_record).size == 0


def test_entries_of_no_statement_stand_between_statements(founded: Office) -> None:
    record = opened(founded)
    record.sign()
    Record(founded.database, coordinator_record).append(
        [NewEntry(b'{"commitment":{"kind":"x.v1","sha256":"%s"}}' % (b"0" * 64))]
    )
    founded.publish(founded.consortium.grant("telco", 0))
    assert record.sign() == 4
    assert [kind(entry) for entry in record.entries(2)] == ["x.v1", "pepper-grant.v1"]


RECEIPT = ASKED.sign(identity("telco"))
ENTRY = of_document(RECEIPT)


def grown(founded: Office) -> tuple[str, list[bytes]]:
    """Have a record with an entry of no statement between two, and give its head and entries."""
    record = opened(founded)
    record.sign()
    store = Record(founded.database, coordinator_record)
    store.append([NewEntry(ENTRY, exchange=exchange(ENTRY))])
    founded.publish(founded.consortium.grant("telco", 0))
    record.sign()
    return str(head(record)), list(record.entries(0))


def forget(founded: Office, size: int) -> PublicRecord:
    """Open the record as a backup from when it had so many entries would have it."""
    Record(founded.database, coordinator_record).cut(size)
    with founded.database.write() as connection:
        connection.exec_driver_sql(f"DELETE FROM record_heads WHERE size > {size}")
    return PublicRecord(
        Record(founded.database, coordinator_record), founded.registry, KEY, CONSORTIUM, system_clock
    )


def test_after_a_start_nothing_goes_in_before_the_witnesses_were_heard(founded: Office) -> None:
    note, _ = grown(founded)
    record = PublicRecord(
        Record(founded.database, coordinator_record), founded.registry, KEY, CONSORTIUM, system_clock
    )
    founded.publish(founded.consortium.grant("telco", 1))
    with pytest.raises(UnreachableError, match="just started"):
        record.add(RECEIPT)
    assert record.sign() == 4
    for party in (GOVERNMENT, "telco"):
        assert record.waits
        record.heard(party, note)
    assert record.waits == ""
    assert record.sign() == 5


@pytest.mark.parametrize("size", [2, 3])
def test_what_was_lost_comes_back_and_nothing_else_goes_in_before(founded: Office, size: int) -> None:
    note, found = grown(founded)
    record = forget(founded, size)
    record.heard("telco", note)
    record.settle()
    with pytest.raises(UnreachableError, match=f"has {size} entries and had 4"):
        record.add(RECEIPT)
    assert record.sign() == 2
    assert record.restore(note, 2, found[2:]) == 4
    assert record.waits == ""
    assert str(head(record)) == note
    assert list(record.entries(0)) == found
    founded.publish(founded.consortium.grant("telco", 1))
    assert record.sign() == 5, "statements go on after those that came back"
    tree.check_consistency(4, Checkpoint.of(Note.parse(note)).root, 5, Checkpoint.of(head(record)).root,
                           list(record.head(4).consistency))  # fmt: skip


@pytest.mark.parametrize("how", ["changed", "short", "long", "late", "empty"])
def test_what_does_not_lead_to_the_head_is_not_taken_back(founded: Office, how: str) -> None:
    note, found = grown(founded)
    record = forget(founded, 2)
    first, given = {
        "changed": (2, [found[3], found[2]]),
        "short": (2, found[2:3]),
        "long": (2, [*found[2:], ENTRY]),
        "late": (3, found[3:]),
        "empty": (2, []),
    }[how]
    with pytest.raises(VerificationError):
        record.restore(note, first, given)
    assert len(record.entries(0)) == 2


def test_a_head_by_anybody_else_brings_nothing_back_and_stops_nothing(founded: Office) -> None:
    _, found = grown(founded)
    record = forget(founded, 2)
    record.settle()
    forged = Checkpoint(origin(CONSORTIUM), 9, bytes(32)).note
    thief = identity("thief")
    for note in ("noise", str(forged.signed(log_key(CONSORTIUM, thief.public), thief))):
        record.heard("telco", note)
        assert record.waits == ""
        with pytest.raises(VerificationError):
            record.restore(note, 2, found[2:])


def test_bringing_back_what_is_there_changes_nothing(founded: Office) -> None:
    note, found = grown(founded)
    assert opened(founded).restore(note, 0, found) == 4


def test_a_government_vouches_for_this_coordinators_key_alone(founded: Office) -> None:
    consortium = founded.consortium
    with pytest.raises(VerificationError, match="not this coordinator's"):
        founded.registry.publish(GOVERNMENT, signed(consortium.coordinator_key("thief"), GOVERNMENT))
    with pytest.raises(VerificationError):
        founded.registry.publish("telco", signed(consortium.coordinator_key(), "telco"))
    founded.publish(consortium.coordinator_key())
    assert founded.registry.membership.coordinator_keys == (KEY.public,)
