"""Matches, exchanges and hits against a fake node."""

from __future__ import annotations

import asyncio
import csv
import json
import signal
import stat

import pytest
from support.fake_node import EXCHANGE, FINGERPRINT, NOW, FakeNode, exchange, party

from trisect.errors import DeniedError, NotFoundError, UnreachableError
from trisect.wire.v1 import matching_pb2
from trisect.wire.v1.errors_pb2 import ErrorDetail

from .conftest import Command

MATCH = (
    "match", "--collection", "scam-numbers", "--peer", "bank", "--with", "mules", "--purpose", "scam-prevention",
)  # fmt: skip


async def test_a_match(trisect: Command, node: FakeNode) -> None:
    node.ending = [exchange("running", phase="blinding", elements_done=1, elements_total=9), exchange()]
    assert (await trisect.json(*MATCH, "--engine", "ecdh")).data == {
        "exchange_id": EXCHANGE,
        "engine": "ecdh",
        "asked": 1000,
        "matched": 42,
        "seconds": 1.25,
        "bytes_sent": 35_000,
        "bytes_received": 71_000,
        "state": "complete",
        "key_check": "fingerprint",
    }
    sent = node.saw("StartMatch")[0]
    assert (sent.collection, sent.peer, sent.peer_collection) == ("scam-numbers", "bank", "mules")
    assert (sent.purpose, sent.engine) == ("scam-prevention", "ecdh")
    ended = await trisect.text(*MATCH)
    assert "42 of 1,000 entries in scam-numbers are also in bank's mules." in ended.out
    assert "warning" not in ended.out


async def test_a_count(trisect: Command, node: FakeNode) -> None:
    node.ending = [exchange(mode="count", matched=0, counted=40, rounded_to=10)]
    counting = ("count", *MATCH[1:])
    found = (await trisect.json(*counting)).data
    assert (found["count"], found["rounded_to"], found["asked"], "matched" in found) == (40, 10, 1000, False)
    assert node.saw("StartMatch")[0].mode == "count"
    said = (await trisect.text(*counting)).out
    assert (
        "about 40 (with noise, in steps of 10) of 1,000 entries in scam-numbers are also in bank's mules."
        in said
    )
    await trisect.json(*MATCH)
    assert node.saw("StartMatch")[-1].mode == "match"


async def test_stale_hits_are_told_and_dropped(trisect: Command, node: FakeNode) -> None:
    assert (await trisect.json("exchange", "drop", EXCHANGE)).code == 4, "it asks first"
    assert node.saw("DropHits") == []
    found = (await trisect.json("exchange", "drop", EXCHANGE, "--yes")).data
    assert (found["stale"], found["hits_deleted_at"] is None) == (3, False)
    assert node.saw("DropHits")[0].exchange_id == EXCHANGE
    node.ending = [exchange(stale=3, stale_at="2026-11-27T12:00:00Z")]
    said = (await trisect.text("exchange", "show", EXCHANGE)).out
    assert "3 entries have left the list that was asked" in said


async def test_an_unchecked_key_is_said(trisect: Command, node: FakeNode) -> None:
    node.ending = [exchange(key_check="none")]
    assert "warning: nobody compared" in (await trisect.text(*MATCH)).out
    assert (await trisect.json(*MATCH)).data["key_check"] == "none"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NotFoundError("there is no such party"), 4),
        (UnreachableError("bank is offline"), 2),
        (DeniedError("nothing of that name is shared", rule="not-shared"), 6),
    ],
)
async def test_a_match_that_cannot_start(
    error: Exception, code: int, trisect: Command, node: FakeNode
) -> None:
    node.failures["StartMatch"] = error  # type: ignore[assignment]
    ended = await trisect.json(*MATCH)
    assert ended.code == code
    assert not node.saw("WatchExchange")


@pytest.mark.parametrize(
    ("state", "fault", "error_code", "code"),
    [
        ("refused", "denied", "TRI-DENIED", 6),
        ("refused", "denied", "TRI-ONLY-THERE", 6),
        ("failed", "failed", "TRI-VERIFY", 1),
        ("failed", "unreachable", "TRI-UNREACHABLE", 2),
        ("failed", "stale", "TRI-STALE", 8),
        ("failed", "unreachable", "TRI-ONLY-THERE", 2),
        ("failed", "failed", "", 1),
        ("failed", "failed", "TRI-INTERRUPTED", 1),
        ("cancelled", "conflict", "TRI-CANCELLED", 1),
    ],
)
async def test_a_match_that_ends_without_result(
    state: str, fault: str, error_code: str, code: int, trisect: Command, node: FakeNode
) -> None:
    why = ErrorDetail(fault=fault, code=error_code, message="why", hint="do", rule="r")
    node.ending = [exchange(state, error=why)]
    for arguments in (MATCH, ("exchange", "watch", EXCHANGE)):
        ended = await trisect.json(*arguments)
        assert ended.code == code
        assert ended.error["message"] == "why"
        assert ended.error["hint"] == "do"
        assert ended.error["rule"] == "r"
        if error_code:
            assert ended.error["code"] == error_code


async def test_a_watch_that_the_node_leaves(trisect: Command, node: FakeNode) -> None:
    node.ending = [exchange("running")]
    assert (await trisect.json(*MATCH)).code == 1
    node.ending = []
    assert (await trisect.json(*MATCH)).code == 1


async def test_a_watch_as_a_stream(trisect: Command, node: FakeNode) -> None:
    """An event a line, and a last one that says so."""
    for arguments in (MATCH, ("exchange", "watch", EXCHANGE)):
        node.ending = [exchange("running"), exchange("complete")]
        ended = await trisect.bare(*arguments, "--format", "jsonl", "--home", trisect.home)
        lines = [json.loads(line) for line in ended.out.splitlines()]
        assert ended.code == 0
        assert {line["schema"] for line in lines} == {1}
        assert [line.get("terminal", False) for line in lines] == [False] * (len(lines) - 1) + [True]


async def test_detached(trisect: Command, node: FakeNode) -> None:
    assert (await trisect.json(*MATCH, "--detach")).data["exchange_id"] == EXCHANGE
    assert not node.saw("WatchExchange")


async def test_explained(trisect: Command, node: FakeNode) -> None:
    found = (await trisect.json(*MATCH, "--explain")).data
    assert found["engine"] == "ecdh"
    assert found["asked_padded"] == 1024
    assert not node.saw("StartMatch")
    ended = await trisect.text(*MATCH, "--explain")
    assert "the coordinator learns" in ended.out
    assert "nothing was sent" in ended.err


async def test_ctrl_c_leaves_the_exchange_running(trisect: Command, node: FakeNode) -> None:
    node.ending = [exchange("running", phase="blinding", elements_done=1, elements_total=9)]
    node.endless = True
    process = await trisect.start("--home", trisect.home, "--format", "json", *MATCH)
    await node.arrived["WatchExchange"].wait()
    process.send_signal(signal.SIGINT)
    ended = await trisect.ended(process)
    assert ended.code == 130
    assert f"exchange cancel {EXCHANGE}" in ended.error["hint"]
    assert not node.saw("CancelExchange")


async def test_words_are_checked_before_the_node_is_asked(trisect: Command, node: FakeNode) -> None:
    for change in (
        ("--purpose", "fun"),
        ("--collection", "Not A Name"),
        ("--with", "+14255550187"),
        ("--peer", "+14255550187"),
        ("--engine", "magic"),
    ):
        assert (await trisect.json(*MATCH, *change)).code == 4
    assert (await trisect.json("exchange", "show", "+14255550187")).code == 4
    assert not node.calls


async def test_exchanges(trisect: Command, node: FakeNode) -> None:
    node.ending = [
        exchange(),
        exchange(
            "failed", end="answerer", error=ErrorDetail(fault="failed", code="TRI-VERIFY", message="why")
        ),
    ]
    asker, answerer = (await trisect.json("exchange", "list")).data["exchanges"]
    assert (asker["matched"], asker["error"]) == (42, None)
    assert (answerer["matched"], answerer["asked"], answerer["error"]["code"]) == (None, None, "TRI-VERIFY")
    assert "answers" in (await trisect.text("exchange", "list")).out
    assert (await trisect.json("exchange", "show", EXCHANGE)).data["answered_padded"] == 2048
    assert "42 of 1,000" in (await trisect.text("exchange", "show", EXCHANGE)).out
    assert (await trisect.json("exchange", "cancel", EXCHANGE)).code == 4
    assert not node.saw("CancelExchange")
    assert (await trisect.json("exchange", "cancel", EXCHANGE, "--yes")).data["state"] == "cancelled"
    node.ending = []
    assert (await trisect.json("exchange", "show", EXCHANGE)).code == 4


def _hits(node: FakeNode, number: int) -> None:
    node.hits = [
        matching_pb2.Hit(
            collection="scam-numbers",
            kind="phone",
            ref=f"T/{at}",
            peer="bank",
            purpose="scam-prevention",
            seen_at=NOW,
            exchange_id=EXCHANGE,
        )
        for at in range(number)
    ]


async def test_hits(trisect: Command, node: FakeNode) -> None:
    assert (await trisect.json("hits")).data == {"count": 0, "hits": []}
    assert (await trisect.text("hits")).out == "There is no hit.\n"
    _hits(node, 250)
    found = (await trisect.json("hits", "--exchange", EXCHANGE)).data
    assert found["count"] == len(found["hits"]) == 250
    assert found["hits"][249] == {
        "collection": "scam-numbers",
        "kind": "phone",
        "ref": "T/249",
        "peer": "bank",
        "purpose": "scam-prevention",
        "seen_at": NOW,
        "label": None,
        "exchange_id": EXCHANGE,
    }
    assert len((await trisect.text("hits")).out.splitlines()) == 251


async def test_hits_as_a_stream(trisect: Command, node: FakeNode) -> None:
    _hits(node, 3)
    lines = [json.loads(line) for line in (await trisect.text("hits", "--format", "jsonl")).out.splitlines()]
    assert [line.get("event") for line in lines] == ["hit", "hit", "hit", None]
    assert lines[-1] == {"schema": 1, "status": "ok", "data": {"count": 3}, "terminal": True}


async def test_hits_into_files(trisect: Command, node: FakeNode) -> None:
    _hits(node, 250)
    assert (await trisect.text("hits", "--output", "h.csv")).code == 0
    path = trisect.folder / "h.csv"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert len(rows) == 250
    assert rows[7]["ref"] == "T/7"
    found = (await trisect.json("hits", "--output", "h.jsonl")).data
    assert (found["output"], found["count"], len(found["hits"])) == ("h.jsonl", 250, 250)
    assert len((trisect.folder / "h.jsonl").read_text().splitlines()) == 250
    assert (await trisect.json("hits", "--output", "h.xls")).code == 4


async def test_a_ref_is_no_formula_in_a_spreadsheet_and_comes_back(trisect: Command, node: FakeNode) -> None:
    refs = [
        "=1+1",
        "+1",
        "-A1",
        "@SUM(A1)",
        "\tx",
        "\nx",
        "＝1",
        "'quoted",
        "'=1+1",
        "T/1",
        "a=b",
        "O'Neil",
        "",
    ]
    _hits(node, len(refs))
    for hit, ref in zip(node.hits, refs, strict=True):
        hit.ref = ref
    assert (await trisect.text("hits", "--output", "h.csv")).code == 0
    assert (await trisect.text("hits", "--output", "h.jsonl")).code == 0
    with (trisect.folder / "h.csv").open(newline="", encoding="utf-8") as stream:
        cells = [row["ref"] for row in csv.DictReader(stream)]
    assert not [cell for cell in cells if cell[:1] in {*"=+-@＝\t\r\n"}]
    assert [cell.removeprefix("'") for cell in cells] == refs
    assert [cell for cell in cells if cell in refs] == ["'=1+1", "T/1", "a=b", "O'Neil", ""]
    lines = (trisect.folder / "h.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["ref"] for line in lines] == refs
    node.hits[0].ref = "\rx"
    assert (await trisect.text("hits", "--output", "h.csv")).code == 0
    with (trisect.folder / "h.csv").open(newline="", encoding="utf-8") as stream:
        assert next(csv.DictReader(stream))["ref"] == "'\rx"


async def test_hits_that_break_off_leave_the_old_file(trisect: Command, node: FakeNode) -> None:
    (trisect.folder / "h.csv").write_text("old")
    node.failures["ListHits"] = UnreachableError("gone")
    assert (await trisect.json("hits", "--output", "h.csv")).code == 2
    assert [path.name for path in trisect.folder.iterdir()] == ["h.csv"]
    assert (trisect.folder / "h.csv").read_text() == "old"


async def test_control_characters_of_others_do_not_reach_a_terminal(trisect: Command, node: FakeNode) -> None:
    _hits(node, 1)
    node.hits[0].ref = "x\x1b[2J\u202ey"
    assert "x?[2J?y" in (await trisect.text("hits")).out
    assert (await trisect.json("hits")).data["hits"][0]["ref"] == "x\x1b[2J\u202ey"


async def test_several_commands_at_once(trisect: Command, node: FakeNode) -> None:
    node.ending = [exchange()]
    ended = await asyncio.gather(*(trisect.json(*MATCH) for _ in range(3)))
    assert [one.code for one in ended] == [0, 0, 0]


@pytest.mark.parametrize("columns", [40, 80, 100])
async def test_what_is_copied_is_never_folded(columns: int, trisect: Command, node: FakeNode) -> None:
    ids = [f"{number:032x}" for number in (2**127, 2**127 + 2**76, 2**126)]
    node.ending = [exchange(exchange_id=one, state="unconfirmed") for one in ids]
    node.parties = {"first-national-bank": party("first-national-bank", key_check="none")}
    _hits(node, 3)
    for hit, one in zip(node.hits, ids, strict=True):
        hit.exchange_id = one
    for command in (("exchange", "list"), ("hits",), ("party", "list")):
        process = await trisect.start("--home", trisect.home, *command, columns=columns)
        out = (await trisect.ended(process)).out
        assert all(len(line) <= max(columns, 80) for line in out.splitlines())
        words = set(out.split())
        assert (
            {FINGERPRINT, "STATE"} <= words if command[0] == "party" else {one[:13] for one in ids} <= words
        )


async def test_an_exchange_is_known_by_the_beginning_of_its_id(trisect: Command, node: FakeNode) -> None:
    other = f"{EXCHANGE[:14]}{'0' * 18}"
    node.ending = [exchange(), exchange(exchange_id=other)]
    shown = (await trisect.text("exchange", "list")).out.splitlines()[1].split()[0]
    assert shown == EXCHANGE[:15]
    assert (await trisect.json("exchange", "list")).data["exchanges"][1]["exchange_id"] == other
    for command, method in (
        (("exchange", "show"), "ListExchanges"),
        (("exchange", "watch"), "WatchExchange"),
        (("--yes", "exchange", "cancel"), "CancelExchange"),
        (("hits", "--exchange"), "ListHits"),
    ):
        assert (await trisect.json(*command, shown)).code == 0
        assert node.saw(method)[-1].exchange_id == EXCHANGE
        for beginning in (EXCHANGE[:14], "ffffffffffff", EXCHANGE[:7], f"{EXCHANGE}0", "+14255550187"):
            sent = len(node.saw(method))
            ended = await trisect.json(*command, beginning)
            assert ended.code == 4
            assert ended.error["hint"]
            assert method == "ListExchanges" or len(node.saw(method)) == sent


async def test_a_permit_is_shown_with_its_signers(trisect: Command, node: FakeNode) -> None:
    data = (await trisect.json("permit", "show", EXCHANGE)).data
    assert (data["rules"], data["exchange"], data["asked_padded"]) == ("a-rule", EXCHANGE, 1_024)
    assert len(data["signed_by"]) == 2
    assert data["terms_of_sharing"]["use"] == "review,warn"
    assert "a-rule" in (await trisect.text("permit", "show", EXCHANGE)).out


async def test_hits_are_held_and_released(trisect: Command, node: FakeNode) -> None:
    order = ("--by", "court", "--reason", "case 7", "--until", "2027-01-01T00:00:00Z")
    data = (await trisect.json("exchange", "hold", EXCHANGE, *order)).data
    assert data["hold"] == {"placed_by": "court", "reason": "case 7", "until": "2027-01-01T00:00:00Z"}
    data = (await trisect.json("exchange", "release", EXCHANGE)).data
    assert (data["hold"], data["keep_until"]) == (None, NOW)
    assert [request.HasField("hold") for request in node.saw("HoldHits")] == [True, False]
