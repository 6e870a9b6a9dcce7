"""The record's tree against transparency-dev's vectors, against the definition, and against every changed bit."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trisect.errors import VerificationError
from trisect.record import tree

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "merkle_proofs.json").read_text())
MOST = 70


def decoded(text: str | None) -> bytes:
    return base64.b64decode(text) if text else b""


def named(part: str) -> list[Any]:
    return [pytest.param(case, id=case["name"]) for case in VECTORS[part]]


@pytest.mark.parametrize("case", named("inclusion"))
def test_inclusion_as_others_see_it(case: dict[str, Any]) -> None:
    proof = [decoded(text) for text in case["proof"] or []]
    arguments = decoded(case["leafHash"]), case["leafIdx"], case["treeSize"], proof, decoded(case["root"])
    if case["wantErr"]:
        with pytest.raises(VerificationError):
            tree.check_inclusion(*arguments)
    else:
        tree.check_inclusion(*arguments)


@pytest.mark.parametrize("case", named("consistency"))
def test_consistency_as_others_see_it(case: dict[str, Any]) -> None:
    proof = [decoded(text) for text in case["proof"] or []]
    arguments = case["size1"], decoded(case["root1"]), case["size2"], decoded(case["root2"]), proof
    if case["wantErr"]:
        with pytest.raises(VerificationError):
            tree.check_consistency(*arguments)
    else:
        tree.check_consistency(*arguments)


LEAVES = [tree.leaf_hash(number.to_bytes(2, "big")) for number in range(MOST)]


def head_of(leaves: list[bytes]) -> bytes:
    """Hash a tree as RFC 9162, 2.1.1 defines it."""
    if not leaves:
        return tree.EMPTY
    if len(leaves) == 1:
        return leaves[0]
    middle = 1
    while 2 * middle < len(leaves):
        middle *= 2
    return tree.node_hash(head_of(leaves[:middle]), head_of(leaves[middle:]))


def grown() -> dict[tuple[int, int], bytes]:
    nodes: dict[tuple[int, int], bytes] = {}
    frontier = tree.Frontier(0, lambda level, index: nodes[level, index])
    for leaf in LEAVES:
        for level, index, found in frontier.append(leaf):
            assert (level, index) not in nodes, "a complete node never changes"
            nodes[level, index] = found
    return nodes


NODES = grown()


def node(level: int, index: int) -> bytes:
    return NODES[level, index]


def test_the_root_is_that_of_the_definition() -> None:
    frontier = tree.Frontier(0, node)
    assert frontier.root == tree.EMPTY == tree.root(0, node)
    for size, leaf in enumerate(LEAVES, start=1):
        list(frontier.append(leaf))
        assert frontier.root == head_of(LEAVES[:size]) == tree.root(size, node)


@given(size=st.integers(0, MOST), more=st.integers(0, MOST))
def test_a_tree_taken_up_again_grows_as_if_it_had_never_stopped(size: int, more: int) -> None:
    frontier = tree.Frontier(size, node)
    for leaf in LEAVES[size : size + more]:
        list(frontier.append(leaf))
    assert frontier.size == min(size + more, MOST)
    assert frontier.root == head_of(LEAVES[: size + more])


def test_every_entry_is_proved_in_every_tree() -> None:
    for size in range(1, MOST + 1):
        expected = tree.root(size, node)
        for index in range(size):
            proof = tree.inclusion_proof(index, size, node)
            tree.check_inclusion(LEAVES[index], index, size, proof, expected)


def test_every_tree_is_the_beginning_of_every_later_one() -> None:
    for first in range(1, MOST + 1):
        for second in range(first, MOST + 1):
            proof = tree.consistency_proof(first, second, node)
            tree.check_consistency(first, tree.root(first, node), second, tree.root(second, node), proof)


def flipped(found: bytes, bit: int) -> bytes:
    return bytes(byte ^ (1 << bit % 8 if at == bit // 8 else 0) for at, byte in enumerate(found))


@pytest.mark.parametrize(("index", "size"), [(0, 1), (5, 6), (6, 7), (63, 64), (64, 70)])
def test_one_changed_bit_and_an_entry_is_not_there(index: int, size: int) -> None:
    proof, expected = tree.inclusion_proof(index, size, node), tree.root(size, node)
    hashes = [LEAVES[index], expected, *proof]
    for at, found in enumerate(hashes):
        for bit in range(8 * tree.HASH_BYTES):
            changed = [*hashes[:at], flipped(found, bit), *hashes[at + 1 :]]
            with pytest.raises(VerificationError):
                tree.check_inclusion(changed[0], index, size, changed[2:], changed[1])


@pytest.mark.parametrize(("first", "second"), [(1, 2), (3, 7), (6, 8), (8, 64), (33, 70)])
def test_one_changed_bit_and_a_tree_does_not_follow(first: int, second: int) -> None:
    proof = tree.consistency_proof(first, second, node)
    hashes = [tree.root(first, node), tree.root(second, node), *proof]
    for at, found in enumerate(hashes):
        for bit in range(8 * tree.HASH_BYTES):
            changed = [*hashes[:at], flipped(found, bit), *hashes[at + 1 :]]
            with pytest.raises(VerificationError):
                tree.check_consistency(first, changed[0], second, changed[1], changed[2:])


@given(first=st.integers(1, MOST), second=st.integers(1, MOST), claimed=st.integers(-1, 2 * MOST))
def test_a_proof_is_for_its_sizes_alone(first: int, second: int, claimed: int) -> None:
    first, second = sorted((first, second))
    proof = tree.consistency_proof(first, second, node)
    roots = tree.root(first, node), tree.root(second, node)
    if first not in {claimed, second}:
        with pytest.raises(VerificationError):
            tree.check_consistency(claimed, roots[0], second, roots[1], proof)


def test_nothing_follows_from_a_tree_without_entries() -> None:
    with pytest.raises(VerificationError, match="with entries"):
        tree.check_consistency(0, tree.EMPTY, 3, tree.root(3, node), [])


def test_a_proof_that_goes_on_for_ever_is_refused_at_once() -> None:
    endless = [bytes(tree.HASH_BYTES)] * (tree.MAX_PROOF + 1)
    with pytest.raises(VerificationError, match="at most"):
        tree.check_inclusion(LEAVES[0], 0, tree.MAX_SIZE, endless, LEAVES[0])
    with pytest.raises(VerificationError, match="at most"):
        tree.check_consistency(1, LEAVES[0], tree.MAX_SIZE, LEAVES[0], endless)
