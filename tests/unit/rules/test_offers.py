"""What two ends sign: it reads back whole, and nothing else passes for it."""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
from typing import Any

import pytest
from support.membership import identity, sealing
from support.receipts import receipt

from trisect.clock import to_text
from trisect.errors import StaleError, VerificationError
from trisect.rules.offers import (
    CLOCK_TOLERANCE,
    Accept,
    Details,
    Offer,
    Reason,
    Receipt,
    Refusal,
    Void,
    check_times,
)
from trisect.rules.vocabulary import MAX_COLLECTION_NAME
from trisect.trust import canonical_json, documents

KEY = identity("telco")
EXCHANGE = bytes(range(16))
OFFER = Offer(
    consortium="anti-fraud",
    exchange=EXCHANGE,
    attempt=1,
    asker="telco",
    asker_key="ak",
    answerer="bank",
    answerer_key="bk",
    purpose="rights",
    mode="match",
    engine="ecdh",
    pepper_epoch=0,
    collection="c1",
    version=3,
    kinds="phone",
    basis="statutory-duty",
    consents="",
    asked_padded=16,
    rulebook=b"r" * 32,
    notice=b"n" * 32,
    head="a head",
    share=b"\x00share",
    details=b"sealed",
    created="2026-11-01T00:00:00Z",
    expires="2026-11-01T00:02:00Z",
)
ACCEPT = Accept(EXCHANGE, b"o" * 32, b"p" * 32, 32, "a head", b"share", "2026-11-01T00:00:01Z")
REASON = Reason("denied", "TRI-DENIED", "no", "ask", "not-shared")
REFUSAL = Refusal(EXCHANGE, b"o" * 32, b"sealed")
VOID = Void(EXCHANGE, b"o" * 32)
RECEIPT = receipt(exchange=EXCHANGE)
OWN_FIELDS = {"side", "finished"}
DOCUMENTS: list[Any] = [OFFER, ACCEPT, REFUSAL, VOID, RECEIPT]


@pytest.mark.parametrize("made", DOCUMENTS, ids=lambda made: made.KIND)
def test_a_document_reads_back_whole(made: Any) -> None:
    envelope = made.sign(KEY)
    found, signed = type(made).verify(envelope, KEY.public)
    assert found == made
    assert signed.signers == {KEY.public.raw}
    assert type(made).peek(envelope) == made
    with pytest.raises(VerificationError):
        type(made).verify(envelope, identity("bank").public)


@pytest.mark.parametrize("made", DOCUMENTS, ids=lambda made: made.KIND)
def test_one_kind_does_not_pass_for_another(made: Any) -> None:
    for other in DOCUMENTS:
        if type(other) is not type(made):
            with pytest.raises(VerificationError):
                type(other).verify(made.sign(KEY), KEY.public)
            with pytest.raises(VerificationError):
                type(other).peek(made.sign(KEY))


def cases() -> list[tuple[Any, str, Any]]:
    """Give every field of every document with a value of another type, or none."""
    found = []
    for made in DOCUMENTS:
        for field in dataclasses.fields(made):
            wrong: list[Any] = [None, [], {}, True]
            wrong += ["text"] if field.type == "int" else [7]
            wrong += ["not base64!", "AAA"] if field.type == "bytes" else []
            found += [(made, field.name, value) for value in wrong]
    return found


@pytest.mark.parametrize(("made", "name", "value"), cases(), ids=str)
def test_a_field_of_another_type_is_refused(made: Any, name: str, value: Any) -> None:
    envelope = documents.sign(made.KIND, made.to_body() | {name: value}, [KEY])
    with pytest.raises(VerificationError, match=name):
        type(made).verify(envelope, KEY.public)


@pytest.mark.parametrize("made", DOCUMENTS, ids=lambda made: made.KIND)
def test_no_field_is_missing_and_none_is_added(made: Any) -> None:
    body = made.to_body()
    with pytest.raises(VerificationError, match="must not have"):
        type(made).verify(documents.sign(made.KIND, body | {"extra": 1}, [KEY]), KEY.public)
    for name in body:
        less = {key: value for key, value in body.items() if key != name}
        with pytest.raises(VerificationError, match=name):
            type(made).verify(documents.sign(made.KIND, less, [KEY]), KEY.public)


def test_names_of_collections_are_sealed_to_the_answerer_of_one_exchange() -> None:
    sealed = Details("mules").seal(sealing("bank").public, EXCHANGE)
    assert Details.open(sealed, sealing("bank"), EXCHANGE) == Details("mules")
    assert b"mules" not in sealed
    for key, exchange in (("telco", EXCHANGE), ("bank", bytes(16))):
        with pytest.raises(VerificationError):
            Details.open(sealed, sealing(key), exchange)


def test_sealed_details_tell_nothing_by_their_length() -> None:
    lengths = {
        len(Details("a" * size).seal(sealing("bank").public, EXCHANGE))
        for size in (1, 2, 9, 10, 33, MAX_COLLECTION_NAME)
    }
    assert len(lengths) == 1


@pytest.mark.parametrize("body", [{}, {"collection": 7}, {"collection": None}, {"pad": "x"}])
def test_details_name_a_collection(body: dict[str, Any]) -> None:
    context = b"trisect/offer-details/v1\x00" + EXCHANGE
    sealed = sealing("bank").public.seal(canonical_json.encode(body), context=context)
    with pytest.raises(VerificationError, match="name no collection"):
        Details.open(sealed, sealing("bank"), EXCHANGE)


def test_an_offer_says_no_collections_name() -> None:
    envelope = dataclasses.replace(
        OFFER, details=Details("mules").seal(sealing("bank").public, EXCHANGE)
    ).sign(KEY)
    for form in (b"mules", base64.b64encode(b"mules").rstrip(b"=")):
        assert form not in envelope
        assert form not in base64.b64decode(documents._parse(envelope).to_dict()["payload"])


@pytest.mark.parametrize(
    "field", [field.name for field in dataclasses.fields(Receipt) if field.name not in OWN_FIELDS]
)
def test_receipts_that_contradict_each_other_are_told(field: str) -> None:
    other = dataclasses.replace(RECEIPT, side="answerer", finished="2026-11-01T00:09:00Z")
    RECEIPT.check_against(other)
    value = getattr(other, field)
    changed = dataclasses.replace(other, **{field: value + 1 if isinstance(value, int) else b"!" + value[1:]})
    with pytest.raises(VerificationError, match=field):
        RECEIPT.check_against(changed)


@pytest.mark.parametrize("field", ["asked_snapshot", "answered_snapshot"])
def test_a_receipt_commits_to_both_snapshots(field: str) -> None:
    for wrong in (b"", bytes(31), bytes(33)):
        with pytest.raises(VerificationError, match="does not commit"):
            dataclasses.replace(RECEIPT, **{field: wrong})
    body = RECEIPT.to_body() | {field: ""}
    with pytest.raises(VerificationError, match="does not commit"):
        Receipt.verify(documents.sign(Receipt.KIND, body, [KEY]), KEY.public)
    assert (RECEIPT.own_snapshot, receipt("answerer").own_snapshot) == (b"1" * 32, b"2" * 32)


def test_two_receipts_of_one_end_are_no_agreement() -> None:
    with pytest.raises(VerificationError, match="same end"):
        RECEIPT.check_against(RECEIPT)


def test_a_reason_is_read_by_the_asker_alone_and_shows_no_length() -> None:
    key, other = sealing("telco"), sealing("bank")
    long = Reason("denied", "TRI-DENIED", "\x01" * 1_000, "\U0001f600" * 1_000, "\x02" * 1_000)
    sealed = [reason.seal(key.public, EXCHANGE) for reason in (REASON, long)]
    assert len(sealed[0]) == len(sealed[1])
    assert Reason.open(sealed[0], key, EXCHANGE) == REASON
    assert len(Reason.open(sealed[1], key, EXCHANGE).message) == 300
    for wrong in ((sealed[0], other, EXCHANGE), (sealed[0], key, EXCHANGE[::-1]), (b"", key, EXCHANGE)):
        with pytest.raises(VerificationError):
            Reason.open(*wrong)


@pytest.mark.parametrize("change", [{"message": 1}, {"hint": None}, {"rule": "r" * 301}], ids=str)
def test_an_unsound_reason_is_refused(change: dict[str, Any]) -> None:
    key = sealing("telco")
    body = {"fault": "denied", "code": "c", "message": "m", "hint": "h", "rule": "r"} | change
    sealed = key.public.seal(canonical_json.encode(body), context=b"trisect/refusal-reason/v1\x00" + EXCHANGE)
    with pytest.raises(VerificationError):
        Reason.open(sealed, key, EXCHANGE)


MADE = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)
A_MOMENT = dt.timedelta(microseconds=1)


@pytest.mark.parametrize("early", [True, False], ids=["a clock behind", "a clock ahead"])
def test_clocks_may_lie_a_minute_apart_and_no_more(early: bool) -> None:
    apart = -CLOCK_TOLERANCE if early else CLOCK_TOLERANCE
    created, ends = to_text(MADE), to_text(MADE + 5 * CLOCK_TOLERANCE)
    check_times(created, ends, MADE + apart)
    with pytest.raises(StaleError, match="an offer was made at") as caught:
        check_times(created, ends, MADE + apart + (-A_MOMENT if early else A_MOMENT))
    assert "set the clocks of both nodes" in caught.value.hint


def test_an_offer_ends_when_it_says() -> None:
    created, ends = to_text(MADE), to_text(MADE + CLOCK_TOLERANCE / 2)
    check_times(created, ends, MADE + CLOCK_TOLERANCE / 2)
    with pytest.raises(StaleError):
        check_times(created, ends, MADE + CLOCK_TOLERANCE / 2 + A_MOMENT)
