"""`trisect record`: what a node has seen of the record, and checks without any daemon."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.fake_node import FakeNode
from support.membership import CONSORTIUM, GOVERNMENT
from support.small_record import FOUNDER, LOG, small_record

from .conftest import Command


async def test_show_tells_head_and_witnesses(trisect: Command, node: FakeNode) -> None:
    data = (await trisect.json("record", "show")).data
    assert (data["size"], data["counts"], data["log_key"]) == (5, True, str(LOG))
    assert [one["party"] for one in data["cosignatures"]] == [GOVERNMENT, "proxy"]
    assert (data["consortium"], data["founder_fingerprint"]) == (CONSORTIUM, FOUNDER)


async def test_show_warns_of_a_head_that_does_not_count(trisect: Command, node: FakeNode) -> None:
    node.record_counts = False
    found = await trisect.text("record", "show")
    assert "warning: This head does not count yet" in " ".join(found.out.split())


async def test_an_export_is_written_and_verified_anywhere(
    trisect: Command, node: FakeNode, tmp_path: Path
) -> None:
    file = tmp_path / "record.jsonl"
    data = (await trisect.json("record", "export", "--output", file)).data
    assert (data["size"], data["counts"]) == (5, True)
    found = (await trisect.json("record", "verify", file, "--founder", FOUNDER)).data
    assert found["kinds"] == {"admission.v1": 3, "coordinator-key.v1": 1, "pepper-grant.v1": 1}
    assert (found["founder_checked"], found["counts"], found["log_key"]) == (True, True, str(LOG))
    text = await trisect.text("record", "verify", file)
    assert "warning: Nobody has compared the founder's fingerprint" in " ".join(text.out.split())


async def test_a_node_that_gives_other_entries_than_the_heads_leaves_no_file(
    trisect: Command, node: FakeNode, tmp_path: Path
) -> None:
    node.record_entries = node.record_entries[:-1]
    file = tmp_path / "record.jsonl"
    found = await trisect.json("record", "export", "--output", file)
    assert found.code == 1
    assert "the 4 entries of an export are not the 5" in found.error["message"]
    assert list(tmp_path.glob("*record*")) == []


async def test_a_proof_is_written_and_verified_anywhere(
    trisect: Command, node: FakeNode, tmp_path: Path
) -> None:
    file = tmp_path / "entry.tlog-proof"
    data = (await trisect.json("record", "proof", "3", "--output", file)).data
    assert (data["number"], data["kind"], data["size"]) == (3, "admission.v1", 5)
    found = (await trisect.json("record", "verify", file, "--log-key", LOG)).data
    assert (found["number"], found["kind"], found["size"]) == (3, "admission.v1", 5)
    assert found["cosigned_by"] == [f"trisect/{CONSORTIUM}/{name}" for name in (GOVERNMENT, "proxy")]
    without = await trisect.json("record", "verify", file)
    assert (without.code, "--log-key" in without.error["hint"]) == (4, True)


@pytest.mark.parametrize("name", ["export", "proof"])
async def test_a_changed_file_fails(trisect: Command, node: FakeNode, tmp_path: Path, name: str) -> None:
    text = "".join(small_record().lines()) if name == "export" else str(small_record().proof(2))
    file = tmp_path / name
    at = text.rindex("\n", 0, text.index("\n\n") if name == "proof" else -1) + 5
    file.write_text(text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :])
    found = await trisect.json("record", "verify", file, "--log-key", LOG, "--founder", FOUNDER)
    assert found.code == 1
    assert found.error["code"] == "TRI-VERIFY"


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe", b"hello\n"])
async def test_what_is_neither(
    trisect: Command, node: FakeNode, tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "file"
    if content is not None:
        file.write_bytes(content)
    found = await trisect.json("record", "verify", file)
    assert found.code in {1, 4}
    assert json.loads(found.out)["error"]["hint"]
