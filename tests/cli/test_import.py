"""Imports against a fake node: counts, rejects, resumption, backpressure, and what is refused at once."""

from __future__ import annotations

import asyncio
import csv
import json
import signal
import stat
from pathlib import Path

import pytest
from support.fake_node import FakeNode

from trisect.cli.acts.imports import LARGE_DROP
from trisect.cli.acts.sending import MAX_BATCH_BYTES, messages
from trisect.errors import DeniedError
from trisect.indicators.readers import BATCH_ROWS, Batch, Reason, Unreadable

from .conftest import Command

PLANTED = "planted-scam.example"


def _list(folder: Path, rows: int, *, bad: int = 0, name: str = "l.csv") -> Path:
    path = folder / name
    lines = ["ref,domain", *(f"r{number},d{number}.example" for number in range(rows))]
    lines += [f"b{number},bad{number}.{PLANTED}" for number in range(bad)]
    path.write_text("\n".join(lines) + "\n")
    return path


def _names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def test_an_import_counts_and_lists_what_it_rejects(trisect: Command, node: FakeNode) -> None:
    path = _list(trisect.folder, 100, bad=3)
    with path.open("a") as stream:
        stream.write("r1,d1.example\nragged\n")
    found = (await trisect.json("import", "l.csv", "--collection", "sites", "--kind", "domain")).data
    assert found == {
        "encoding": "utf-8",
        "collection": "sites",
        "rows": 105,
        "accepted": 100,
        "duplicates": 1,
        "rejected": 4,
        "rejects_file": "l.csv.rejects.csv",
        "retracted": 0,
        "version": 1,
    }
    rejects = trisect.folder / "l.csv.rejects.csv"
    assert stat.S_IMODE(rejects.stat().st_mode) == 0o600
    rows = list(csv.reader(rejects.read_text().splitlines()))
    assert rows[0] == ["line", "kind", "reason"]
    assert sorted(rows[1:]) == sorted(
        [[str(number), "domain", "malformed"] for number in (102, 103, 104)] + [["106", "", "ragged"]]
    )
    assert PLANTED not in rejects.read_text()
    assert [name for name in _names(trisect.folder) if name.startswith(".")] == []
    assert node.lists["sites"]["d7.example"] == "r7"


async def test_no_rejects_no_file(trisect: Command) -> None:
    _list(trisect.folder, 3)
    ended = await trisect.text("import", "l.csv", "--collection", "sites")
    assert ended.code == 0
    assert "accepted    3" in ended.out
    assert _names(trisect.folder) == ["l.csv"]
    assert (await trisect.json("import", "l.csv", "--collection", "sites")).data["rejects_file"] is None


async def test_rejects_without_a_place_end_the_import_and_no_row_is_lost(
    trisect: Command, node: FakeNode
) -> None:
    (trisect.folder / "l.csv.rejects.csv").mkdir()
    arguments = ("import", "l.csv", "--collection", "sites")
    _list(trisect.folder, 3)
    assert (await trisect.json(*arguments)).data["rejects_file"] is None
    path = _list(trisect.folder, BATCH_ROWS * 2, bad=2)
    ended = await trisect.json(*arguments)
    assert ended.code == 4
    assert "--rejects PATH" in ended.error["hint"]
    assert "l.csv.rejects.csv" in ended.error["message"]
    found = (await trisect.json(*arguments, "--rejects", "r.csv")).data
    rows = len(path.read_text().splitlines()) - 1
    assert (found["rows"], found["rejected"]) == (rows, 2)
    assert found["rows"] == found["accepted"] + found["duplicates"] + found["rejected"]
    assert len((trisect.folder / "r.csv").read_text().splitlines()) == 3
    assert len(node.lists["sites"]) == rows - 2
    assert sorted(_names(trisect.folder)) == ["l.csv", "l.csv.rejects.csv", "r.csv"]


async def test_stdin_needs_a_place_only_for_rejects(trisect: Command) -> None:
    (trisect.folder / "sites.rejects.csv").mkdir()
    arguments = ("import", "-", "--collection", "sites", "--reader", "lines")
    assert (await trisect.json(*arguments, stdin="d1.example\n")).data["accepted"] == 1
    rejected = f"bad.{PLANTED}\n"
    ended = await trisect.json(*arguments, stdin=rejected)
    assert ended.code == 4
    assert "--rejects PATH" in ended.error["hint"]
    found = (await trisect.json(*arguments, "--rejects", "r.csv", stdin=rejected)).data
    assert (found["rejected"], found["rejects_file"]) == (1, "r.csv")


async def test_strict_makes_rejects_partial(trisect: Command) -> None:
    _list(trisect.folder, 3, bad=1)
    ended = await trisect.json("import", "l.csv", "--collection", "sites", "--strict", "--rejects", "r.csv")
    assert ended.code == 7
    assert ended.error["code"] == "TRI-PARTIAL"
    assert ended.whole["data"]["accepted"] == 3
    assert ended.whole["data"]["rejects_file"] == "r.csv"
    assert (trisect.folder / "r.csv").exists()


async def test_stdin(trisect: Command, node: FakeNode) -> None:
    text = f"d1.example\nbad.{PLANTED}\n"
    found = (await trisect.json("import", "-", "--collection", "sites", "--reader", "lines", stdin=text)).data
    assert (found["rows"], found["rejected"]) == (2, 1)
    assert found["rejects_file"] == "sites.rejects.csv"
    assert node.saw("Import")[0].fingerprint == b""
    assert node.lists["sites"] == {"d1.example": "stdin:1"}


async def test_options_reach_the_node(trisect: Command, node: FakeNode) -> None:
    _list(trisect.folder, 3)
    options = (
        "--kind",
        "domain",
        "--region",
        "us",
        "--plus-optional",
        "--trust-plus",
        "--upgrade-legacy",
        "--replace",
        "--source",
        "desk",
        "--yes",
    )
    more = (
        "--legal-basis",
        "contract",
        "--retention-days",
        "30",
        "--map",
        "value=domain",
        "--map",
        "ref=ref",
    )
    assert (await trisect.json("import", "l.csv", "--collection", "sites", *options, *more)).code == 0
    sent = node.saw("Import")[0]
    assert (sent.kind, sent.region, sent.source, sent.legal_basis) == ("domain", "US", "desk", "contract")
    assert sent.plus_optional
    assert sent.trust_plus
    assert sent.upgrade_legacy
    assert sent.replace
    assert sent.allow_large_drop
    assert sent.retention_days == 30
    assert len(sent.fingerprint) == 32


async def test_a_drop_that_needs_a_yes(trisect: Command, node: FakeNode) -> None:
    _list(trisect.folder, 3)
    refusal = DeniedError("too much would be dropped")
    refusal.code = LARGE_DROP
    node.failures["ImportFinish"] = refusal
    refused = await trisect.json("import", "l.csv", "--collection", "sites", "--replace")
    assert refused.code == 4
    node.failures.clear()
    assert (await trisect.json("import", "l.csv", "--collection", "sites", "--replace", "--yes")).code == 0
    without, with_yes = node.saw("Import")
    assert not without.allow_large_drop
    assert with_yes.allow_large_drop
    assert without.fingerprint == with_yes.fingerprint


async def test_a_cut_import_goes_on_and_lists_all_rejects(trisect: Command, node: FakeNode) -> None:
    rows = BATCH_ROWS * 3
    path = _list(trisect.folder, 0, bad=5)
    with path.open("a") as stream:
        stream.writelines(f"r{number},d{number}.example\n" for number in range(rows))
    node.lost_after = 2
    cut = await trisect.json("import", "l.csv", "--collection", "sites")
    assert cut.code == 2
    assert _names(trisect.folder) == ["l.csv"]
    (kept,) = node.imports.values()
    assert kept.batches == 2
    found = (await trisect.json("import", "l.csv", "--collection", "sites")).data
    assert (found["rows"], found["accepted"], found["rejected"]) == (rows + 5, rows, 5)
    assert kept.duplicates == 0
    assert len((trisect.folder / "l.csv.rejects.csv").read_text().splitlines()) == 6
    assert len(node.imports) == 1


async def test_another_file_or_option_is_another_import(trisect: Command, node: FakeNode) -> None:
    path = _list(trisect.folder, 3)
    base = ("import", "l.csv", "--collection", "sites")
    others = ("--replace", "--plus-optional", "--trust-plus", "--upgrade-legacy")
    for more in ((), ("--kind", "domain"), ("--map", "value=domain"), *((option,) for option in others)):
        assert (await trisect.json(*base, *more)).code == 0
    path.write_text("domain\nx.example\n")
    assert (await trisect.json(*base)).code == 0
    assert len(node.imports) == 8


async def test_a_slow_node_stops_the_sender_and_nobody_for_ever(trisect: Command, node: FakeNode) -> None:
    rows = 400_000
    path = trisect.folder / "l.txt"
    path.write_text("".join(f"bad{number}.{'x' * 60}.example\n" for number in range(rows)))
    node.gate = asyncio.Event()
    process = await trisect.start(
        "--home", trisect.home, "--format", "json", "import", "l.txt", "--collection", "s"
    )
    await node.arrived["Import"].wait()
    node.gate.set()
    ended = await trisect.ended(process)
    assert ended.data["rejected"] == rows
    assert len((trisect.folder / "l.txt.rejects.csv").read_text().splitlines()) == rows + 1


async def test_ctrl_c_ends_an_import_that_waits_for_stdin(trisect: Command, node: FakeNode) -> None:
    process = await trisect.start(
        "--home", trisect.home, "--format", "json", "import", "-", "--collection", "s"
    )
    assert process.stdin is not None
    process.stdin.write(b"d1.example\n" * (BATCH_ROWS * 9))
    await node.arrived["Import"].wait()
    process.send_signal(signal.SIGINT)
    async with asyncio.timeout(30):
        code = await process.wait()
        assert process.stdout is not None
        out = await process.stdout.read()
    assert code == 130
    assert json.loads(out)["error"]["code"] == "TRI-CTRL-C"
    process.stdin.close()


async def test_what_is_refused_before_anything_is_sent(trisect: Command, node: FakeNode) -> None:
    _list(trisect.folder, 3)
    base = ("import", "l.csv", "--collection", "sites")
    for arguments in (
        ("import", "absent.csv", "--collection", "sites"),
        ("import", ".", "--collection", "sites"),
        ("import", "l.csv", "--collection", "Not A Name"),
        (*base, "--kind", "phoney"),
        (*base, "--kind", "script"),
        (*base, "--map", "value"),
        (*base, "--map", "colour=1"),
        (*base, "--map", "value=1", "--map", "value=2"),
        (*base, "--reader", "xls"),
        (*base, "--region", "USA"),
        (*base, "--retention-days", "-1"),
        (*base, "--rejects", "no/folder/r.csv"),
    ):
        ended = await trisect.json(*arguments)
        assert ended.code == 4, arguments
        assert ended.error["hint"]
    assert not node.calls


async def test_a_file_that_cannot_be_understood_ends_with_4(trisect: Command, node: FakeNode) -> None:
    (trisect.folder / "l.csv").write_text("a,b,c\n1,2,3\n4,5,6\n")
    ended = await trisect.json("import", "l.csv", "--collection", "sites")
    assert ended.code == 4
    assert "--map" in ended.error["hint"]


async def test_an_empty_file_is_no_error(trisect: Command) -> None:
    (trisect.folder / "l.csv").write_text("")
    assert (await trisect.json("import", "l.csv", "--collection", "sites")).data["rows"] == 0


def test_batches_fit_the_wire_and_always_alike() -> None:
    size = 200
    batch = Batch(
        {"value": ["v" * 60_000] * size, "ref": [str(number) for number in range(size)]},
        [str(number) for number in range(size)],
        [Unreadable(str(number), Reason.RAGGED) for number in range(3)],
    )
    found = [request.batch for request in messages(iter([batch]))]
    assert all(message.ByteSize() <= MAX_BATCH_BYTES for message in found)
    assert [ref for message in found for ref in message.ref] == batch.columns["ref"]
    assert sum(len(message.unreadable) for message in found) == 3
    assert [request.batch for request in messages(iter([batch]))] == found


@pytest.mark.parametrize("unreadable", [0, 2])
def test_one_huge_row_goes_as_it_is(unreadable: int) -> None:
    lost = [Unreadable("9", Reason.RAGGED)] * unreadable
    found = list(messages(iter([Batch({"value": ["v" * 3_200_000]}, ["1"], lost)])))
    assert [len(request.batch.where) for request in found] == [1, 0][: 1 + bool(unreadable)]


async def test_an_import_that_the_node_refuses(trisect: Command, node: FakeNode) -> None:
    _list(trisect.folder, 20_000)
    node.failures["Import"] = DeniedError("not admitted yet")
    for _ in range(3):
        assert (await trisect.json("import", "l.csv", "--collection", "sites")).code == 6


async def test_an_import_into_a_dead_socket(trisect: Command) -> None:
    _list(trisect.folder, 3)
    (trisect.home / "admin.sock").unlink()
    ended = await trisect.json("import", "l.csv", "--collection", "sites")
    assert ended.code == 2
    assert ended.error["code"] == "TRI-UNREACHABLE"


async def test_a_status_that_a_failing_write_would_hide(trisect: Command, node: FakeNode) -> None:
    _list(trisect.folder, 30_000)
    for number in range(8):
        node.lost_after = 1
        ended = await trisect.json("import", "l.csv", "--collection", f"s{number}")
        assert (ended.code, ended.error["message"]) == (2, "killed")


@pytest.mark.parametrize(
    ("said", "taken", "noted"),
    [
        ((), "cp1252", True),
        (("--encoding", "cp1251"), "cp1251", False),
        (("--encoding", "cp1252"), "cp1252", False),
    ],
)
async def test_an_encoding_that_nothing_tells_is_noted_and_can_be_named(
    trisect: Command, said: tuple[str, ...], taken: str, noted: bool
) -> None:
    """Any bytes are text in a one-byte encoding: what is guessed wrong is another value."""
    (trisect.folder / "l.csv").write_bytes("domain\nмосква.example\n".encode("cp1251"))
    done = await trisect.json("import", "l.csv", "--collection", "sites", "--kind", "domain", *said)
    assert (done.code, done.data["encoding"]) == (0, taken)
    assert ("--encoding" in done.err) == noted
    assert "москва" not in done.out + done.err


@pytest.mark.parametrize("name", ["none-such", "rot13", "hex", "idna\0"])
async def test_an_encoding_that_there_is_not_is_told(trisect: Command, name: str) -> None:
    _list(trisect.folder, 1)
    done = await trisect.json(
        "import", "l.csv", "--collection", "sites", "--encoding", name.replace("\0", "x")
    )
    assert (done.code, "no encoding of that name" in done.error["message"]) == (4, True)
    assert "cp1251" in done.error["hint"]
