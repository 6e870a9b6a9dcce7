"""What the record holds of consents: one root, under which each can be proved and none can be counted."""

from __future__ import annotations

import hashlib

import pytest

from trisect.clock import system_randomness
from trisect.errors import VerificationError
from trisect.record import commitments, tree
from trisect.record.receipts import ConsentReceipt


def made(count: int) -> list[bytes]:
    return [hashlib.sha256(bytes([number])).digest() for number in range(count)]


@pytest.mark.parametrize(
    ("count", "size"), [(1, 16), (15, 16), (16, 16), (17, 32), (32, 32), (33, 64), (100, 128)]
)
def test_the_number_of_leaves_tells_a_power_of_two_alone(count: int, size: int) -> None:
    leaves = commitments.padded(made(count), system_randomness)
    assert len(leaves) == len(set(leaves)) == size
    assert set(made(count)) <= set(leaves)
    assert leaves == sorted(leaves)


def test_each_is_proved_and_none_else() -> None:
    leaves = commitments.padded(made(20), system_randomness)
    root = commitments.root(leaves)
    for one in made(20):
        index, path = commitments.proof(leaves, one)
        tree.check_inclusion(tree.leaf_hash(one), index, len(leaves), path, root)
        with pytest.raises(VerificationError):
            tree.check_inclusion(tree.leaf_hash(bytes(32)), index, len(leaves), path, root)


def test_a_receipt_reads_back_as_it_was_written() -> None:
    receipt = ConsentReceipt(b"{}", bytes(32), 1, 2, 16, [bytes(32), bytes([1]) * 32])
    assert ConsentReceipt.parse(receipt.to_text()) == receipt


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        ConsentReceipt(b"{}", bytes(31), 1, 2, 16, []).to_text(),
        ConsentReceipt(b"{}", bytes(32), -1, 2, 16, []).to_text(),
        ConsentReceipt(b"{}", bytes(32), 1, 2, 16, []).to_text().replace('"leaf": 2', '"leaf": true'),
        ConsentReceipt(b"{}", bytes(32), 1, 2, 16, []).to_text().replace('"leaf"', '"loaf"'),
    ],
)
def test_what_is_no_receipt_is_refused(text: str) -> None:
    with pytest.raises(VerificationError, match="no receipt"):
        ConsentReceipt.parse(text)
