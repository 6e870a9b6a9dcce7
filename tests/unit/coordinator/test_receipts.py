"""Receipts that pass the relay are entered in the record as commitments: one of each end, and of nobody else."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Any

import pytest
from support.membership import Consortium, identity, keys

from coordinator.receipts import Receipts
from trisect.errors import UnreachableError
from trisect.record import entries
from trisect.rules.offers import Receipt
from trisect.rules.permit import Permit
from trisect.trust import documents

EXCHANGE = b"e" * 16
ASKERS = Receipt(EXCHANGE, "asker", b"o", b"a", 3, b"t", 4, b"u", 60, b"1" * 32, "2026-11-25T12:00:00Z")
ANSWERERS = dataclasses.replace(ASKERS, side="answerer", snapshot=b"2" * 32)


class Desk:
    """A coordinator whose record has one permit, of telco asking bank."""

    def __init__(self) -> None:
        consortium = Consortium.founded()
        for name in ("telco", "bank", "shop"):
            consortium.take(consortium.admission(name))
        blank = {field.name: b"" if field.type == "bytes" else "" for field in dataclasses.fields(Permit)}
        blank |= {field.name: 0 for field in dataclasses.fields(Permit) if field.type == "int"}
        permit: Any = Permit(**blank | {
            "exchange": EXCHANGE, "asker": "telco", "answerer": "bank",
            "asker_key": keys("telco").identity.fingerprint, "answerer_key": keys("bank").identity.fingerprint,
        })  # fmt: skip
        self.found = [permit.sign(identity("bank"))]
        self.waits = False
        record: Any = SimpleNamespace(
            of_exchange=lambda wanted: [one for one in self.found if entries.exchange(one) == wanted],
            add=self.add,
        )
        registry: Any = SimpleNamespace(membership=consortium.membership)
        self.receipts = Receipts(registry, record)

    def add(self, envelope: bytes) -> None:
        if self.waits:
            raise UnreachableError("it waits", hint="wait")
        self.found.append(entries.of_document(envelope))

    def enter(self, party: str, receipt: Receipt, signer: str = "", exchange: bytes = EXCHANGE) -> bool:
        """Give whether a receipt is entered."""
        size = len(self.found)
        self.receipts.enter(party, exchange, receipt.sign(identity(signer or party)))
        return len(self.found) > size


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_each_end_is_entered_once(desk: Desk) -> None:
    assert desk.enter("telco", ASKERS)
    assert desk.enter("bank", ANSWERERS)
    assert not desk.enter("telco", ASKERS), "twice"
    assert not desk.enter("bank", dataclasses.replace(ANSWERERS, snapshot=b"3" * 32)), "another word"
    assert [entries.side(entry) for entry in desk.found] == [None, "asker", "answerer"]
    for entry, receipt, signer in zip(desk.found[1:], (ASKERS, ANSWERERS), ("telco", "bank"), strict=True):
        assert entries.document(entry) is None, "a commitment alone"
        assert entry == entries.of_document(receipt.sign(identity(signer)))


@pytest.mark.parametrize(
    ("party", "receipt", "signer"),
    [
        ("telco", ASKERS, "bank"),
        ("telco", ANSWERERS, "telco"),
        ("bank", ASKERS, "bank"),
        ("shop", ASKERS, "shop"),
        ("shop", ASKERS, "telco"),
        ("telco", dataclasses.replace(ASKERS, exchange=b"f" * 16), "telco"),
    ],
)
def test_what_is_not_that_ends_own_receipt_is_not_entered(
    desk: Desk, party: str, receipt: Receipt, signer: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert not desk.enter(party, receipt, signer)
    assert "a receipt is not entered" in caplog.text


def test_what_is_no_receipt_is_not_entered(desk: Desk) -> None:
    for envelope in (b"", b"{}", documents.sign("void.v1", {"exchange": ""}, [identity("telco")])):
        desk.receipts.enter("telco", EXCHANGE, envelope)
    assert len(desk.found) == 1


def test_an_exchange_without_a_permit_enters_nothing(desk: Desk) -> None:
    assert not desk.enter("telco", dataclasses.replace(ASKERS, exchange=b"f" * 16), exchange=b"f" * 16)


def test_a_record_that_waits_is_told(desk: Desk) -> None:
    """The call fails, and its asker gives the receipt again."""
    desk.waits = True
    with pytest.raises(UnreachableError):
        desk.enter("telco", ASKERS)
    desk.waits = False
    assert desk.enter("telco", ASKERS)
