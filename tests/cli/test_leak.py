"""`trisect leak`."""

from __future__ import annotations

import pytest
from support.fake_node import FakeNode

from .conftest import PLANTED, Command

REPORT = ("leak", "report", "--cause", "negligent", "--kind", "phone", "--kind", "iban", "--persons", 900,
          "--discovered", "2026-10-01T00:00:00Z")  # fmt: skip


async def test_a_leak_from_its_report_to_a_step(trisect: Command, node: FakeNode) -> None:
    node.consortium.take(node.consortium.admission("telco"))
    done = await trisect.json(
        *REPORT, "--party", "telco", "--text", "a laptop was lost on 2026-09-30, file 17/26"
    )
    found = done.data
    assert (found["leak"], found["persons"], found["kinds"]) == ("telco/1", 1_024, ["iban", "phone"])
    assert (found["late"], found["closed"], found["steps"]) == (True, False, [])
    assert ("telco", "contained") in {(one["party"], one["act"]) for one in found["owed"]}
    done = await trisect.json("leak", "step", "telco/1", "taken-up", "--text", "an inspector was sent")
    assert [(one["act"], one["text"]) for one in done.data["steps"]] == [
        ("taken-up", "an inspector was sent")
    ]
    assert [one["leak"] for one in (await trisect.json("leak", "list")).data["leaks"]] == ["telco/1"]
    shown = (await trisect.text("leak", "show", "telco/1")).out
    for text in ("negligent", "iban, phone", "at most 1,024", "late", "a laptop was lost on 2026-09-30, file 17/26",
                 "taken-up (government", "an inspector was sent", "telco owes: contained, by "):  # fmt: skip
        assert text in shown, text


async def test_nobody_has_leaked(trisect: Command) -> None:
    assert (await trisect.json("leak", "list")).data == {"leaks": []}
    assert "No leak has been reported." in (await trisect.text("leak", "list")).out
    assert (await trisect.json("leak", "show", "telco/1")).code == 4
    misnamed = (await trisect.json("leak", "show", "telco")).error
    assert ("a leak is named" in misnamed["message"], "leak list" in misnamed["hint"]) == (True, True)


@pytest.mark.parametrize("value", PLANTED)
async def test_words_that_name_somebody_are_refused_before_they_are_filed(
    trisect: Command, node: FakeNode, value: str
) -> None:
    for words in ([*REPORT], ["leak", "step", "telco/1", "contained"]):
        done = await trisect.json(*words, "--text", f"it began with {value}, they say")
        assert (done.code, "taken out" in done.error["hint"]) == (4, True)
    assert not node.saw("FileDocument")


@pytest.mark.parametrize(
    "arguments",
    [
        (*REPORT[:-4], "--persons", -1, *REPORT[-2:], "--text", "x"),
        (
            "leak",
            "report",
            "--cause",
            "luck",
            "--kind",
            "phone",
            "--discovered",
            "2026-11-01T00:00:00Z",
            "--text",
            "x",
        ),
        (
            "leak",
            "report",
            "--cause",
            "negligent",
            "--kind",
            "fax",
            "--discovered",
            "2026-11-01T00:00:00Z",
            "--text",
            "x",
        ),
        ("leak", "step", "telco/1", "forgotten", "--text", "x"),
        ("leak", "step", "telco", "contained", "--text", "x"),
        ("leak", "step", "telco/1", "contained", "--text", " "),
    ],
)
async def test_what_is_none_is_refused_with_a_cure(
    trisect: Command, node: FakeNode, arguments: tuple
) -> None:
    done = await trisect.json(*arguments)
    assert done.code == 4
    assert done.error["hint"]
    assert not node.saw("FileDocument")
