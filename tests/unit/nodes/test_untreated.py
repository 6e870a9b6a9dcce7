"""The last place where raw values are: none of them is in what comes out, accepted or rejected."""

from __future__ import annotations

import io
import pickle

import pytest
from support.labelled import LABEL, MAPPED, SUBJECT, UUID, WRITERS

from nodes.untreated import Spelling, convert, kind_or_auto
from trisect.errors import BadInputError
from trisect.indicators.forms import Profile, canonical
from trisect.indicators.kinds import KINDS, Kind
from trisect.indicators.readers import ReaderName, read_batches
from trisect.indicators.readers.batch import COLUMNS, Batch, Reason, Unreadable
from trisect.indicators.tokens import Pepper, Tokeniser
from trisect.store.intake import StoredEntry
from trisect.wire.convert import batch_to_wire

PEPPERS = (Pepper(bytes(32)), Pepper(b"\x01" * 32))
PHONES = ["+44 20 7946 0123", "020 7946 0124", "+442079460125"]
SPELLING = Spelling(Kind.PHONE, Profile(region="GB", allow_reserved=True))


def rows(values: list[str], **columns: list[str]) -> bytes:
    batch = Batch({"value": values, **columns}, [str(at + 2) for at in range(len(values))], [])
    return batch_to_wire(batch).SerializeToString()


def everything(data: object) -> bytes:
    """Give all bytes of a result, as they would cross a process boundary."""
    return pickle.dumps(data)


def token(value: str) -> bytes:
    return Tokeniser(PEPPERS).token(canonical(Kind.PHONE, value, SPELLING.profile))


def test_rows_become_tokens_of_the_newest_epoch_sorted_by_token() -> None:
    taken, rejects = convert(rows(PHONES, ref=["a", "b", "c"]), SPELLING, PEPPERS)
    assert rejects == []
    assert [row[0] for row in taken] == sorted(token(value) for value in PHONES)
    assert {row[2] for row in taken} == {"a", "b", "c"}
    assert {row[1] for row in taken} == {KINDS[Kind.PHONE].number}
    older, _ = convert(rows(PHONES), SPELLING, PEPPERS[:1])
    assert not {row[0] for row in older} & {row[0] for row in taken}


def test_no_value_and_no_form_of_it_comes_out() -> None:
    bad = ["020 7946 01", "not a number 2079460999", "+44 20 7946 0125x", "4111111111111111"]
    taken, rejects = convert(rows([*PHONES, *bad], ref=[""] * 7), SPELLING, PEPPERS)
    out = everything((taken, rejects))
    for value in [*PHONES, *bad, "+442079460123", "442079460124", "2079460999", "20794601"]:
        for form in (value.encode(), value.encode("utf-16-le"), value.encode().hex().encode()):
            assert form not in out
    assert len(taken) + len(rejects) == 7
    assert [row.where for row in rejects] == [str(at) for at in range(5, 5 + len(rejects))][-len(rejects) :]


def test_a_reference_that_gives_the_value_away_is_refused() -> None:
    taken, rejects = convert(rows(PHONES[:1], ref=["tel 2079460123"]), SPELLING, PEPPERS)
    assert taken == []
    assert [(row.where, row.kind) for row in rejects] == [("2", "phone")]
    assert rejects[0].reason.endswith(":ref")
    assert b"2079460123" not in everything(rejects)


def test_a_reject_tells_place_kind_and_reason() -> None:
    _, rejects = convert(rows(["nonsense", "x"], kind=["phone", "no-such-kind"]), SPELLING, PEPPERS)
    assert [(row.where, row.kind) for row in rejects] == [("2", "phone"), ("3", "")]
    assert all(row.reason for row in rejects)
    assert rejects[1].reason.endswith(":kind")


def test_what_the_reader_could_not_read_is_passed_on() -> None:
    batch = Batch({"value": PHONES[:1]}, ["2"], [Unreadable("3", next(iter(Reason)))])
    taken, rejects = convert(batch_to_wire(batch).SerializeToString(), SPELLING, PEPPERS)
    assert (len(taken), [row.where for row in rejects]) == (1, ["3"])


@pytest.mark.parametrize("reader", WRITERS)
def test_every_label_field_of_a_file_arrives_in_its_own_place(reader: str) -> None:
    stream = io.BytesIO(WRITERS[reader]("host.example.com").encode())
    mapping = MAPPED if reader in {"csv", "jsonl"} else {}
    (batch,) = read_batches(stream, name="list", reader=ReaderName(reader), mapping=mapping)
    spelling = Spelling(Kind.DOMAIN, Profile())
    ((row,), rejects) = convert(batch_to_wire(batch).SerializeToString(), spelling, PEPPERS)
    assert rejects == []
    entry: StoredEntry = row
    _, _, ref, subject, category, fraud_role, channel, ai_technique, confidence, first, last = entry
    assert ref.endswith(UUID)
    assert subject == (SUBJECT if mapping else None)
    assert {
        "category": category,
        "fraud_role": fraud_role,
        "channel": channel,
        "ai_technique": ai_technique,
        "confidence": str(confidence),
        "first_seen": first,
        "last_seen": last,
    } == LABEL


def test_unknown_labels_become_null() -> None:
    ((row,), _) = convert(rows(PHONES[:1]), SPELLING, PEPPERS)
    assert row[2] == ""
    assert row[3:] == (None,) * 8


def test_columns_of_different_lengths_are_refused() -> None:
    message = batch_to_wire(Batch({"value": PHONES}, ["2", "3", "4"], []))
    message.ref.append("only one")
    with pytest.raises(BadInputError):
        convert(message.SerializeToString(), SPELLING, PEPPERS)
    assert "ref" in COLUMNS


def test_kinds_by_name() -> None:
    assert kind_or_auto("") is None
    assert kind_or_auto("auto") is None
    assert kind_or_auto("phone") is Kind.PHONE
    with pytest.raises(BadInputError):
        kind_or_auto("nonsense")
