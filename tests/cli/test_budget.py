"""`trisect budget`."""

from __future__ import annotations

import json

import pytest
from support.fake_node import FakeNode
from support.membership import GOVERNMENT

from .conftest import Command

WHAT = (
    *("--peer", GOVERNMENT, "--purpose", "scam-prevention", "--elements", "500"),
    *("--from", "2026-11-01", "--until", "2026-11-03", "--reason", "a wave of calls"),
)


@pytest.fixture(autouse=True)
def telco(node: FakeNode) -> None:
    """Admit the party that wants to ask more."""
    node.consortium.take(node.consortium.admission("telco"))


async def test_a_grant_says_who_may_ask_more(trisect: Command, node: FakeNode) -> None:
    done = await trisect.json("budget", "grant", "telco", *WHAT)
    assert done.data == {
        "state": "granted",
        "party": "telco",
        "answerer": GOVERNMENT,
        "purpose": "scam-prevention",
        "elements": 500,
        "from": "2026-11-01",
        "until": "2026-11-03",
        "reason": "a wave of calls",
    }
    (request,) = node.saw("FileDocument")
    assert (request.kind, request.party) == ("budget-grant.v1", "telco")
    assert json.loads(request.content)["elements"] == 500


async def test_what_was_spent_and_granted_is_shown(trisect: Command, node: FakeNode) -> None:
    await trisect.json("budget", "grant", "telco", *WHAT)
    found = (await trisect.json("budget", "show")).data
    (spent,), (given,) = found["spent"], found["allowances"]
    assert (spent["elements"], spent["limit"], spent["nearly_spent"]) == (900, 1_000, True)
    assert (given["state"], given["asker"], given["issuer"]) == ("granted", "telco", GOVERNMENT)
    text = (await trisect.text("budget", "show")).out
    assert "900 of 1,000" in text
    assert "a wave of calls" in text


async def test_days_and_purposes_that_are_none(trisect: Command) -> None:
    for place, word in ((7, "tomorrow"), (3, "curiosity")):
        what = [*WHAT]
        what[place] = word
        done = await trisect.json("budget", "request", *what)
        assert done.code == 4
