"""`trisect delegation`, as a script and as a person see it."""

from __future__ import annotations

import json
from pathlib import Path

from support.fake_consents import DELEGATION, ID
from support.fake_node import FakeNode

from .conftest import Command
from .test_consent import SCOPE


async def test_a_delegation_is_recorded_and_listed(trisect: Command, node: FakeNode) -> None:
    done = await trisect.json("delegation", "give", *SCOPE, "--days", "30", stdin="member 7\n")
    assert (done.data["id"], done.data["in_force"], done.data["kinds"]) == (DELEGATION.hex(), True, ["phone"])
    (request,) = node.saw("GiveDelegation")
    assert (request.person, request.days, list(request.parties)) == ("member 7", 30, ["bank", "telco"])
    text = (await trisect.text("delegation", "give", *SCOPE, stdin="member 7\n")).out
    assert f"delegation {DELEGATION.hex()} is recorded" in text
    assert "member 7" not in text
    (row,) = (await trisect.json("delegation", "list")).data["delegations"]
    assert row == done.data
    assert (await trisect.json("delegation", "list", "--person", "-", stdin="member 7\n")).code == 0
    assert [request.person for request in node.saw("ListDelegations")] == ["", "member 7"]
    assert DELEGATION.hex() in (await trisect.text("delegation", "list")).out


async def test_a_consent_may_be_given_under_one(trisect: Command, node: FakeNode, tmp_path: Path) -> None:
    under = ("--delegation", DELEGATION.hex())
    assert (await trisect.json("consent", "grant", *SCOPE, *under, stdin="member 7\n")).code == 0
    line = {
        "person": "member 8",
        "purposes": ["rights"],
        "kinds": ["phone"],
        "parties": ["bank"],
        "method": "a form",
    }
    file = tmp_path / "consents.jsonl"
    file.write_text(json.dumps(line | {"delegation": DELEGATION.hex()}))
    assert (await trisect.json("consent", "import", file, "--output", tmp_path / "subjects")).code == 0
    assert [request.delegation for request in node.saw("GrantConsent")] == [DELEGATION, DELEGATION]
    wrong = await trisect.json("consent", "grant", *SCOPE, "--delegation", "no id", stdin="member 7\n")
    assert (wrong.code, "hexadecimal" in wrong.error["message"]) == (4, True)


async def test_it_is_taken_back_with_what_was_given_under_it(trisect: Command, node: FakeNode) -> None:
    assert (await trisect.json("delegation", "revoke", DELEGATION.hex())).code == 4, "it asks first"
    assert node.saw("RevokeDelegation") == []
    text = (await trisect.text("delegation", "revoke", DELEGATION.hex(), "--yes")).out
    assert "1 consent with it" in text
    done = await trisect.json("delegation", "revoke", DELEGATION.hex(), "--erase", "--yes")
    assert (done.data["consents"], done.data["erased"], done.data["purposes"]) == ([ID.hex()], True, [])
    assert [request.erase for request in node.saw("RevokeDelegation")] == [False, True]
