"""Collections and single entries against a fake node."""

from __future__ import annotations

import pytest
from support.fake_node import NOW, FakeNode

from trisect.wire.v1 import collections_pb2

from .conftest import Command

VALUE = "+14255550187"


@pytest.fixture(autouse=True)
def _filled(node: FakeNode) -> None:
    node.collections["nums"] = collections_pb2.Collection(
        name="nums", source="desk", legal_basis="contract", retention_days=30, entries=7, created_at=NOW
    )
    node.entries = [
        collections_pb2.EntryInfo(
            collection="nums", kind="phone", ref="T/1", state="active", fraud_role="mule", confidence="70"
        )
    ]


async def test_collections(trisect: Command) -> None:
    assert (await trisect.json("collection", "list")).data["collections"][0]["entries"] == 7
    assert (await trisect.json("collection", "show", "nums")).data["legal_basis"] == "contract"
    assert (await trisect.json("collection", "show", "other")).code == 4
    assert "shared with nobody" in (await trisect.text("collection", "show", "nums")).out


async def test_sharing(trisect: Command, node: FakeNode) -> None:
    share = ("collection", "share", "nums", "--with", "role:government", "--purpose", "scam-prevention")
    terms = ("--use", "warn,Review", "--retention-days", "30")
    found = (await trisect.json(*share, "--mode", "match,count,lookup", *terms)).data
    assert found["sharings"] == [
        {
            "with": "role:government",
            "purpose": "scam-prevention",
            "modes": ["match", "count", "lookup"],
            "use": ["review", "warn"],
            "retention_days": 30,
            "onward": "none",
            "issued": NOW,
        }
    ]
    assert (await trisect.json("collection", "unshare", "nums", "--with", "role:government")).data[
        "sharings"
    ] == []
    base = ("collection", "share", "nums")
    for bad in (
        ("--with", "role:king", "--purpose", "scam-prevention"),
        ("--with", "all", "--purpose", "fun"),
        ("--with", "all", "--purpose", "scam-prevention", "--mode", "steal"),
        ("--with", VALUE, "--purpose", "scam-prevention"),
        ("--with", "all", "--purpose", "scam-prevention", "--use", "sell"),
        ("--with", "all", "--purpose", "scam-prevention", "--retention-days", "-1"),
        ("--with", "all", "--purpose", "scam-prevention", "--retention-days", "3651"),
    ):
        assert (await trisect.json(*base, *bad)).code == 4
    assert len(node.saw("ShareCollection")) == 1


async def test_a_sharing_by_which_nobody_is_meant_is_noted(trisect: Command) -> None:
    share = ("collection", "share", "nums", "--purpose", "scam-prevention", "--with")
    assert "nobody" not in (await trisect.text(*share, "first-bank")).err
    mistyped = await trisect.text(*share, "first-bonk")
    assert (mistyped.code, "nobody who is meant by first-bonk" in mistyped.err) == (0, True)


async def test_deleting_asks(trisect: Command, node: FakeNode) -> None:
    assert (await trisect.json("collection", "delete", "nums")).code == 4
    assert "nums" in node.collections
    assert (await trisect.json("collection", "delete", "nums", "-y")).data == {
        "collection": "nums",
        "entries": 7,
    }


async def test_what_entries_say_is_counted(trisect: Command, node: FakeNode) -> None:
    node.collections["nums"] = collections_pb2.Collection(name="nums")
    done = await trisect.json("collection", "labels", "nums", "--channel", "sms")
    assert node.saw("CountLabels")[0].channel == "sms"
    assert (done.data["collection"], done.data["channel"]) == ("nums", "sms")
    assert done.data["labels"][1] == {"field": "channel", "value": None, "entries": 1}
    text = (await trisect.text("collection", "labels", "nums")).out
    assert "sms" in text
    assert "not said" in text


@pytest.mark.parametrize("act", ["show", "retract", "contest", "lift", "confirm"])
async def test_an_entry_by_value_and_by_ref(act: str, trisect: Command, node: FakeNode) -> None:
    by_value = await trisect.json(
        "entry", act, "-", "--collection", "nums", "--kind", "phone", stdin=f"{VALUE}\n"
    )
    assert by_value.data["entries"][0]["ref"] == "T/1"
    assert by_value.data["entries"][0]["confidence"] == 70
    by_ref = await trisect.text("entry", act, "--collection", "nums", "--ref", "T/1")
    assert by_ref.code == 0
    first, second = node.saw("ChangeEntry")
    assert (first.value, first.kind, first.ref) == (VALUE, "phone", "")
    assert (second.value, second.kind, second.ref) == ("", "", "T/1")
    assert first.act == second.act == collections_pb2.ChangeEntryRequest.Act.Value(f"ACT_{act.upper()}")


async def test_adding_an_entry(trisect: Command, node: FakeNode) -> None:
    arguments = (
        "entry",
        "add",
        "--collection",
        "nums",
        "--kind",
        "phone",
        "--ref",
        "T/1",
        "--fraud-role",
        "mule",
    )
    ended = await trisect.text(*arguments, "--region", "us", stdin=VALUE)
    assert ended.out == "the entry is in nums; its ref: T/1\n"
    sent = node.saw("ChangeEntry")[0]
    assert (sent.value, sent.ref, sent.fraud_role, sent.region) == (VALUE, "T/1", "mule", "US")


@pytest.mark.parametrize("stdin", ["", "\n \n", f"{VALUE}\n{VALUE}\n", b"\xff\xfe1\x00", "x" * 70_000])
async def test_stdin_that_holds_no_single_value(stdin: str | bytes, trisect: Command, node: FakeNode) -> None:
    ended = await trisect.json("entry", "show", "--kind", "phone", stdin=stdin)
    assert ended.code == 4
    assert not node.calls


async def test_entries_that_are_named_badly(trisect: Command, node: FakeNode) -> None:
    for arguments in (
        ("entry", "show", VALUE, "--ref", "T/1", "--collection", "nums"),
        ("entry", "show", "--ref", "T/1"),
        ("entry", "show", VALUE, "--kind", VALUE),
        ("entry", "show", VALUE, "--kind", "voiceprint"),
        ("entry", "show", VALUE, "--region", "USA"),
        ("entry", "retract", VALUE),
    ):
        assert (await trisect.json(*arguments)).code == 4
    assert not node.calls
    node.entries = []
    assert (await trisect.json("entry", "show", VALUE, "--kind", "phone")).code == 4
