"""Proofs that an entry was in a snapshot, against a fake node."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.fake_node import EXCHANGE, FakeNode

from .conftest import Command

VALUE = "+44 20 7946 0018"


async def test_prove(trisect: Command, node: FakeNode, tmp_path: Path) -> None:
    output = tmp_path / "proof.json"
    arguments = ("exchange", "prove", EXCHANGE, "--kind", "phone", "--region", "GB", "--output", output)
    ended = await trisect.json(*map(str, arguments), stdin=f"{VALUE}\n")
    assert ended.data == {
        "exchange_id": EXCHANGE,
        "end": "answerer",
        "recorded": True,
        "output": str(output),
    }
    assert output.read_text() == "a proof"
    (sent,) = node.saw("ProveEntry")
    assert (sent.exchange_id, sent.value.value, sent.value.kind, sent.value.region) == (
        EXCHANGE, VALUE, "phone", "GB",
    )  # fmt: skip
    node.recorded = False
    told = await trisect.text(*map(str, arguments), stdin=VALUE)
    assert "the record does not have" in told.out.lower()
    assert VALUE not in told.out + told.err


async def test_verify(trisect: Command, node: FakeNode, tmp_path: Path) -> None:
    proof = tmp_path / "proof.json"
    proof.write_text("a proof")
    arguments = ("exchange", "verify", str(proof), "--kind", "phone")
    ended = await trisect.json(*arguments, stdin=VALUE)
    assert (ended.data["owner"], ended.data["peer"], ended.data["end"]) == ("bank", "telco", "answerer")
    assert (ended.data["collection"], ended.data["version"]) == ("c2", 5)
    (sent,) = node.saw("CheckProof")
    assert (sent.proof, sent.value.value) == ("a proof", VALUE)
    told = await trisect.text(*arguments, stdin=VALUE)
    assert "collection c2 of bank, version 5, when bank was asked by telco for scam-prevention" in " ".join(
        told.out.split()
    )
    assert VALUE not in told.out + told.err


@pytest.mark.parametrize("made", [None, b"\xff\xfe"])
async def test_a_file_that_cannot_be_read(trisect: Command, tmp_path: Path, made: bytes | None) -> None:
    proof = tmp_path / "proof.json"
    if made is not None:
        proof.write_bytes(made)
    ended = await trisect.json("exchange", "verify", str(proof), stdin=VALUE)
    assert ended.code == 4
    assert "cannot read" in ended.error["message"]


async def test_an_id_that_is_none(trisect: Command, tmp_path: Path) -> None:
    ended = await trisect.json(
        "exchange", "prove", "nothing", "--output", str(tmp_path / "proof.json"), stdin=VALUE
    )
    assert ended.code == 4
