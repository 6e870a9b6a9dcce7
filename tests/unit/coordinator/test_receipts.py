"""Receipts that are handed in go into the record as commitments: one of each end, in time, and of nobody else."""

from __future__ import annotations

import dataclasses
import datetime as dt
from types import SimpleNamespace
from typing import Any

import pytest
from support.membership import Consortium, identity, keys
from support.receipts import ANSWERED, ASKED, EXCHANGE, receipt

from coordinator.receipts import Receipts
from trisect.clock import to_text
from trisect.errors import (
    ConflictError,
    DeniedError,
    NotFoundError,
    TrisectError,
    UnreachableError,
    VerificationError,
)
from trisect.record import entries
from trisect.rules.offers import LATEST_RECEIPT, RECEIPT_RULE, Receipt
from trisect.rules.permit import Permit
from trisect.trust import documents

NOW = dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)


class Desk:
    """A coordinator whose record has one permit, of telco asking bank."""

    def __init__(self) -> None:
        consortium = Consortium.founded()
        for name in ("telco", "bank", "shop"):
            consortium.take(consortium.admission(name))
        blank = {field.name: b"" if field.type == "bytes" else "" for field in dataclasses.fields(Permit)}
        blank |= {field.name: 0 for field in dataclasses.fields(Permit) if field.type == "int"}
        permit: Any = Permit(**blank | {
            "exchange": EXCHANGE, "offer_hash": ASKED.offer_hash, "expires": to_text(NOW), "asker": "telco", "answerer": "bank",
            "asker_key": keys("telco").identity.fingerprint, "answerer_key": keys("bank").identity.fingerprint,
        })  # fmt: skip
        self.found = [permit.sign(identity("bank"))]
        self.waits = False
        record: Any = SimpleNamespace(
            of_exchange=lambda wanted: [one for one in self.found if entries.exchange(one) == wanted],
            add=self.add,
        )
        registry: Any = SimpleNamespace(membership=consortium.membership)
        self.now = NOW
        self.receipts = Receipts(registry, record, lambda: self.now)

    def add(self, envelope: bytes) -> None:
        if self.waits:
            raise UnreachableError("it waits", hint="wait")
        self.found.append(entries.of_document(envelope))

    def enter(self, party: str, made: Receipt, signer: str = "") -> bool:
        """Give whether a receipt is entered."""
        size = len(self.found)
        self.receipts.enter(party, made.sign(identity(signer or party)))
        return len(self.found) > size


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_each_end_is_entered_once(desk: Desk) -> None:
    assert desk.enter("telco", ASKED)
    assert desk.enter("bank", ANSWERED)
    assert not desk.enter("telco", ASKED), "twice"
    with pytest.raises(ConflictError, match="another receipt of this end"):
        desk.enter("bank", receipt("answerer", answered_snapshot=b"3" * 32))
    assert [entries.side(entry) for entry in desk.found] == [None, "asker", "answerer"]
    for entry, made, signer in zip(desk.found[1:], (ASKED, ANSWERED), ("telco", "bank"), strict=True):
        assert entries.document(entry) is None, "a commitment alone"
        assert entry == entries.of_document(made.sign(identity(signer)))


@pytest.mark.parametrize(
    ("party", "made", "signer", "error"),
    [
        ("telco", ASKED, "bank", VerificationError),
        ("telco", ANSWERED, "telco", VerificationError),
        ("bank", ASKED, "bank", VerificationError),
        ("shop", ASKED, "shop", VerificationError),
        ("shop", ASKED, "telco", VerificationError),
        ("telco", receipt(offer_hash=b"x" * 32), "telco", VerificationError),
        ("telco", receipt(exchange=b"f" * 16), "telco", NotFoundError),
    ],
)
def test_what_is_not_that_ends_own_receipt_is_not_entered(
    desk: Desk, party: str, made: Receipt, signer: str, error: type[TrisectError]
) -> None:
    with pytest.raises(error):
        desk.enter(party, made, signer)
    assert len(desk.found) == 1


def test_what_is_no_receipt_is_not_entered(desk: Desk) -> None:
    for envelope in (b"", b"{}", documents.sign("void.v1", {"exchange": ""}, [identity("telco")])):
        with pytest.raises(VerificationError):
            desk.receipts.enter("telco", envelope)
    assert len(desk.found) == 1


def test_a_list_that_is_made_up_for_the_dispute_comes_too_late(desk: Desk) -> None:
    desk.now += LATEST_RECEIPT
    assert desk.enter("telco", ASKED)
    desk.now += dt.timedelta(seconds=1)
    with pytest.raises(DeniedError, match="within 30 days") as caught:
        desk.enter("bank", ANSWERED)
    assert caught.value.rule == RECEIPT_RULE


def test_a_record_that_waits_is_told(desk: Desk) -> None:
    """The node gives the receipt again."""
    desk.waits = True
    with pytest.raises(UnreachableError):
        desk.enter("telco", ASKED)
    desk.waits = False
    assert desk.enter("telco", ASKED)
