"""`trisect breach` and `trisect supervise`."""

from __future__ import annotations

import pytest
from support.fake_node import FakeNode
from support.membership import GOVERNMENT

from trisect.clock import system_clock, to_text
from trisect.rules.breaches import Appeal, Reply
from trisect.trust.filings import AppealFiling, BreachReplyFiling

from .conftest import Command

UNTIL = "2027-11-01T00:00:00Z"
ORDER = ("breach", "sanction", "telco/1", "--until", UNTIL, "--reason", "it has done so twice")


@pytest.fixture
async def opened(trisect: Command, node: FakeNode) -> None:
    """Have a breach of a party, opened by command."""
    node.consortium.take(node.consortium.admission("telco"))
    done = await trisect.json("breach", "open", "telco", "--text", "an inspection has found it")
    assert (done.data["breach"], done.data["state"], done.data["ground"]) == ("telco/1", "open", "finding")


def says(node: FakeNode, kind, content) -> None:
    """Have the party say something in its own breach, from its own node."""
    issued = to_text(system_clock())
    node.consortium.take(node.consortium.filing(kind, "telco", content.to_body(), issued=issued))


async def test_a_file_from_its_opening_to_its_end(trisect: Command, node: FakeNode, opened: None) -> None:
    refused = await trisect.json(*ORDER, "--act", "suspend", "--yes")
    assert (refused.code, "has not been heard" in refused.error["message"]) == (1, True)
    says(node, BreachReplyFiling, Reply(1, "we have mended it"))
    done = await trisect.json(*ORDER, "--act", "suspend", "--yes")
    assert done.code == 0, done.error
    (order,) = done.data["orders"]
    assert (order["order"], order["act"], order["until"], order["in_force"]) == (
        "sanction/1",
        "suspend",
        UNTIL,
        True,
    )
    assert done.data["replies"][0]["text"] == "we have mended it"
    says(node, AppealFiling, Appeal("sanction.v1", 1, "too hard"))
    refused = await trisect.json("breach", "decide", "telco/1", "--appeal", 1, "--lift", "--reason", "so")
    assert "other officers" in refused.error["hint"]
    done = await trisect.text("breach", "show", "telco/1")
    for text in ("telco/1", "appealed", "an inspection has found it", "we have mended it", "sanction/1: suspend",
                 "in force, ordered by government: it has done so twice", "appeal 1: too hard"):  # fmt: skip
        assert text in done.out, text
    done = await trisect.json("breach", "close", "telco/1", "--text", "mended")
    assert (done.data["state"], done.data["closing"], done.data["closed_by"]) == (
        "closed",
        "mended",
        GOVERNMENT,
    )
    assert [one["state"] for one in (await trisect.json("breach", "list")).data["breaches"]] == ["closed"]
    assert (await trisect.json("breach", "list", "--party", GOVERNMENT)).data["breaches"] == []


async def test_a_measure_needs_no_officers(trisect: Command, opened: None) -> None:
    done = await trisect.json(*ORDER, "--act", "throttle", "--factor", 10, "--yes")
    assert done.data["orders"][0]["order"] == "measure/1"
    assert done.data["orders"][0]["factor"] == 10


@pytest.mark.parametrize(
    "wrong",
    [
        (*ORDER, "--act", "punish", "--yes"),
        (*ORDER, "--act", "throttle", "--yes"),
        (*ORDER, "--act", "warn", "--only", "rights", "--yes"),
        (*ORDER, "--act", "suspend-purpose", "--only", "revenge", "--yes"),
        ("breach", "sanction", "telco/1", "--act", "warn", "--until", "soon", "--reason", "x", "--yes"),
        ("breach", "show", "telco"),
        ("breach", "show", "telco/2"),
        ("breach", "open", "telco", "--text", " "),
        ("breach", "appeal", "telco/1", "--order", "1", "--text", "no"),
        ("supervise", "meter", "--days", "0"),
    ],
)
async def test_what_cannot_be_read_is_told(trisect: Command, opened: None, wrong: tuple[str, ...]) -> None:
    done = await trisect.json(*wrong)
    assert done.code == 4, (done.code, done.error)
    assert done.error["hint"]


async def test_the_meter_and_the_duties(trisect: Command, node: FakeNode, opened: None) -> None:
    done = await trisect.json("supervise", "meter")
    telco = next(one for one in done.data["parties"] if one["party"] == "telco")
    assert (telco["breaches"], telco["open_breaches"], telco["orders"]) == (1, 1, [])
    assert done.data["days"] == 30
    assert "1 open of 1" in (await trisect.text("supervise", "meter")).out
    found = (await trisect.json("supervise", "duties")).data["duties"]
    assert {"party": "telco", "duty": "reply to the breach telco/1"}.items() <= {
        key: value for one in found if "reply" in one["duty"] for key, value in one.items()
    }.items()
    overdue = (await trisect.json("supervise", "duties", "--overdue")).data["duties"]
    assert overdue
    assert all(one["overdue"] for one in overdue)
    assert "publish a notice" in (await trisect.text("supervise", "duties")).out
