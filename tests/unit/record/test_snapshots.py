"""Commitments to snapshots: they tell nothing, bind to every token, and one leaf opens for its own entry alone."""

from __future__ import annotations

import dataclasses
import json
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.membership import identity
from support.receipts import EXCHANGE, receipt

from trisect.errors import NotFoundError, VerificationError
from trisect.indicators.tokens import Token
from trisect.psi.bands import band
from trisect.record import tree
from trisect.record.snapshots import SnapshotProof, SnapshotTree, commitment, grow, name_of
from trisect.rules.offers import Receipt

SECRET = b"s" * 32
SIZE = band(70)


def token(number: int) -> Token:
    return Token(number.to_bytes(32, "little"))


def tokens(count: int) -> bytes:
    return b"".join(token(number) for number in range(count))


def grown(count: int, secret: bytes = SECRET) -> SnapshotTree:
    return grow(name_of(tokens(count), secret), tokens(count), secret, band(count))


def cut(leaves: bytes | bytearray) -> list[bytes]:
    return [bytes(leaves[at : at + 32]) for at in range(0, len(leaves), 32)]


def signed(shown: bytes, **changes: Any) -> bytes:
    return receipt("answerer", exchange=EXCHANGE, answered_snapshot=shown, **changes).sign(identity("bank"))


@cache
def proved(number: int, count: int = 70) -> SnapshotProof:
    kept = grown(count)
    return SnapshotProof.of(
        token(number), kept, SECRET, signed(commitment(kept.root, EXCHANGE, "answerer", SECRET))
    )


@given(st.integers(0, 200))
def test_a_tree_has_as_many_leaves_as_a_band_and_its_root_is_theirs(count: int) -> None:
    found = grown(count)
    leaves = cut(found.leaves)
    assert len(leaves) == len(set(leaves)) == band(count)
    assert leaves == sorted(leaves)
    frontier = tree.Frontier.empty()
    for leaf in leaves:
        frontier.add(leaf)
    assert found.root == frontier.root


def test_one_snapshot_has_one_tree_and_another_has_another() -> None:
    found = grown(70)
    assert grown(70) == found
    others = [grown(69), grown(71), grown(70, b"t" * 32)]
    for field in dataclasses.fields(SnapshotTree):
        assert len({bytes(getattr(one, field.name)) for one in (found, *others)}) == 4


def test_nobody_can_tell_that_two_exchanges_used_the_same_list() -> None:
    root = grown(70).root
    ends = [(EXCHANGE, "asker"), (EXCHANGE, "answerer"), (bytes(16), "asker")]
    shown = [commitment(root, exchange, side, SECRET) for exchange, side in ends]
    assert len({root, *shown}) == 4
    assert commitment(root, *ends[0], SECRET) == shown[0]


def test_leaves_share_nothing_between_snapshots() -> None:
    """Whoever sees two proofs' paths must not learn that an entry stayed."""
    one, other = (grown(count).leaves for count in (70, 71))
    assert not set(cut(one)) & set(cut(other))


@pytest.mark.parametrize("count", [1, 16, 17, 70, 1_000])
@pytest.mark.parametrize("number", [0, -1])
def test_an_entry_is_proved(count: int, number: int) -> None:
    proof = proved(number % count, count)
    again = SnapshotProof.parse(proof.to_text())
    assert again == proof
    again.check(token(number % count), band(count))
    with pytest.raises(
        VerificationError
    ):  # a tree as large as somebody likes holds all that somebody may want
        again.check(token(number % count), band(count) * 2)


def test_a_proof_names_no_entry() -> None:
    text = proved(3).to_text()
    assert token(3).hex() not in text
    names = {"trisect_snapshot_proof", "receipt", "blind", "nonce", "leaf", "leaves", "proof"}
    assert set(json.loads(text)) == names


def test_what_was_not_there_is_not_proved() -> None:
    with pytest.raises(NotFoundError, match="was not in the snapshot"):
        proved(70)
    with pytest.raises(VerificationError, match="not of that entry"):
        proved(3).check(token(4), SIZE)


def test_a_receipt_proves_nothing_of_the_other_ends_list() -> None:
    """Whoever signs a receipt says what its own list was, and could say anything of the peer's."""
    proof = proved(3)
    theirs = Receipt.peek(proof.receipt)
    asked = dataclasses.replace(theirs, side="asker").sign(identity("telco"))
    copied = dataclasses.replace(theirs, side="asker", asked_snapshot=theirs.answered_snapshot)
    with pytest.raises(VerificationError, match="not of that entry"):  # who has seen it shows it as its own
        dataclasses.replace(proof, receipt=copied.sign(identity("telco"))).check(token(3), SIZE)
    with pytest.raises(VerificationError, match="not of that entry"):
        dataclasses.replace(proof, receipt=asked).check(token(3), SIZE)


@given(st.data())
def test_a_proof_that_was_changed_holds_for_nothing(data: st.DataObject) -> None:
    proof = proved(3)
    name = data.draw(st.sampled_from(["blind", "nonce", "leaf", "leaves", "proof", "receipt"]))
    match name:
        case "blind" | "nonce":
            changed = dataclasses.replace(proof, **{name: flipped(data, getattr(proof, name))})
        case "leaf":
            changed = dataclasses.replace(
                proof, leaf=data.draw(st.integers(0, 2**60).filter(lambda n: n != proof.leaf))
            )
        case "leaves":
            changed = dataclasses.replace(
                proof, leaves=data.draw(st.integers(0, 2**60).filter(lambda n: n != proof.leaves))
            )
        case "proof":
            at = data.draw(st.integers(0, len(proof.proof) - 1))
            path = (*proof.proof[:at], flipped(data, proof.proof[at]), *proof.proof[at + 1 :])
            changed = dataclasses.replace(proof, proof=path)
        case _:
            shown = Receipt.peek(proof.receipt).own_snapshot
            changed = dataclasses.replace(proof, receipt=signed(flipped(data, shown)))
    with pytest.raises(VerificationError):
        changed.check(token(3), SIZE)


def flipped(data: st.DataObject, found: bytes) -> bytes:
    at = data.draw(st.integers(0, 8 * len(found) - 1))
    return (int.from_bytes(found) ^ 1 << at).to_bytes(len(found))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("trisect_snapshot_proof", 2),
        ("receipt", 1),
        ("blind", "ab"),
        ("nonce", "ab"),
        ("nonce", None),
        ("leaf", -1),
        ("leaf", True),
        ("leaves", "1"),
        ("proof", ["!"]),
        ("proof", 7),
        ("more", 1),
    ],
)
def test_what_is_no_proof(field: str, value: object) -> None:
    fields = json.loads(proved(3).to_text()) | {field: value}
    with pytest.raises(VerificationError, match="no proof"):
        SnapshotProof.parse(json.dumps(fields))


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", "[" * 100_000])
def test_what_is_no_file_of_one(text: str) -> None:
    with pytest.raises(VerificationError, match="no proof"):
        SnapshotProof.parse(text)
