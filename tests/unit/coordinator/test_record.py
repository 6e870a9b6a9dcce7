"""The coordinator's part in the record: what goes in, what it signs, whose cosignatures it takes."""

from __future__ import annotations

from typing import Any

import pytest
from support.membership import CONSORTIUM, GOVERNMENT, identity, signed
from unit.coordinator.office import Office

from coordinator.record import PublicRecord
from trisect.errors import ConflictError, NotFoundError, VerificationError
from trisect.record import tree
from trisect.record.checkpoint import Checkpoint, log_key, witness_key
from trisect.record.entries import kind
from trisect.record.notes import Note
from trisect.store.record import NewEntry, Record
from trisect.trust.statements import Role

KEY = identity("coordinator")
LOG = log_key(CONSORTIUM, KEY.public)


@pytest.fixture
def founded(office: Office) -> Office:
    office.founded().join("telco")
    office.publish(office.consortium.admission("telco", Role.PROVIDER))
    return office


def opened(office: Office) -> PublicRecord:
    return PublicRecord(Record(office.database), office.registry, KEY, CONSORTIUM)


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
    with pytest.raises(NotFoundError):
        record.prove(0)


def test_statements_go_in_in_their_order_and_once(founded: Office) -> None:
    record = opened(founded)
    assert (record.sign(), record.sign()) == (2, 2)
    assert [kind(entry) for entry in record.entries(0)] == ["admission.v1"] * 2
    head(record).verify(LOG)
    founded.publish(founded.consortium.grant("telco", 0))
    again = opened(founded)
    assert (again.sign(), again.sign()) == (3, 3)
    assert [kind(entry) for entry in again.entries(2)] == ["pepper-grant.v1"]


def test_every_head_goes_on_from_the_last_and_every_entry_is_proved(founded: Office) -> None:
    record = opened(founded)
    record.sign()
    first = Checkpoint.of(head(record))
    founded.publish(founded.consortium.grant("telco", 0))
    record.sign()
    found = record.head(first.size)
    second = Checkpoint.of(Note.parse(found.note))
    tree.check_consistency(first.size, first.root, second.size, second.root, found.consistency)
    for number, entry in enumerate(record.entries(0)):
        proof = record.prove(number)
        assert (proof.check(LOG), proof.extra) == (second, entry)
    with pytest.raises(NotFoundError):
        record.prove(3)
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
    kept = Record(founded.database).head(2)
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
    ],
)
def test_what_a_party_has_not_cosigned_is_not_taken(founded: Office, send: Any) -> None:
    record = opened(founded)
    record.sign()
    with pytest.raises(VerificationError):
        record.cosign("telco", 2, send(head(record)))
    assert len(head(record).signatures) == 1


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
    assert Record(founded.database).size == 0


def test_entries_of_no_statement_stand_between_statements(founded: Office) -> None:
    record = opened(founded)
    record.sign()
    Record(founded.database).append([NewEntry(b'{"commitment":{"kind":"x.v1","sha256":"00"}}')])
    founded.publish(founded.consortium.grant("telco", 0))
    assert record.sign() == 4
    assert [kind(entry) for entry in record.entries(2)] == ["x.v1", "pepper-grant.v1"]


def test_a_government_vouches_for_this_coordinators_key_alone(founded: Office) -> None:
    consortium = founded.consortium
    with pytest.raises(VerificationError, match="not this coordinator's"):
        founded.registry.publish(GOVERNMENT, signed(consortium.coordinator_key("thief"), GOVERNMENT))
    with pytest.raises(VerificationError):
        founded.registry.publish("telco", signed(consortium.coordinator_key(), "telco"))
    founded.publish(consortium.coordinator_key())
    assert founded.registry.membership.coordinator_keys == (KEY.public,)
