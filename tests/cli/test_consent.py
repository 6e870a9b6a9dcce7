"""`trisect consent`, as a script and as a person see it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.fake_consents import ID, SUBJECTS
from support.fake_node import FakeNode

from trisect.record.receipts import ConsentReceipt

from .conftest import Command

SCOPE = (
    *("--purpose", "scam-prevention", "--kind", "phone", "--party", "bank", "--party", "telco"),
    *("--method", "a form"),
)


async def test_a_consent_is_recorded_and_its_pseudonyms_are_told(
    trisect: Command, node: FakeNode, tmp_path: Path
) -> None:
    receipt = tmp_path / "receipt.json"
    more = ("--days", "30", "--pressure", "bundled", "--language", "zh", "--receipt", receipt)
    done = await trisect.json("consent", "grant", *SCOPE, *more, stdin="member 7\n")
    assert (done.data["id"], done.data["subjects"], done.data["in_force"]) == (ID.hex(), SUBJECTS, True)
    (request,) = node.saw("GrantConsent")
    assert (request.person, request.days, request.language) == ("member 7", 30, "zh")
    assert (list(request.parties), list(request.pressures)) == (["bank", "telco"], ["bundled"])
    assert ConsentReceipt.parse(receipt.read_text()).epoch == 0
    text = (await trisect.text("consent", "grant", *SCOPE, stdin="member 7\n")).out
    assert f"consent {ID.hex()} is recorded" in text
    assert all(subject in text for subject in SUBJECTS.values())
    assert "member 7" not in text


@pytest.mark.parametrize("stdin", ["", "one\ntwo\n"])
async def test_one_person_at_a_time(trisect: Command, node: FakeNode, stdin: str) -> None:
    done = await trisect.json("consent", "grant", *SCOPE, stdin=stdin)
    assert (done.code, node.saw("GrantConsent")) == (4, [])


async def test_a_consent_is_shown_and_listed(trisect: Command, node: FakeNode) -> None:
    shown = (await trisect.json("consent", "show", ID.hex())).data
    assert (shown["purposes"], shown["kinds"], shown["parties"]) == (
        ["scam-prevention"],
        ["phone"],
        ["bank", "telco"],
    )
    assert (await trisect.json("consent", "list")).data["consents"] == [shown]
    assert (await trisect.json("consent", "list", "--person", "-", stdin="member 7\n")).code == 0
    assert [request.person for request in node.saw("ListConsents")][-1] == "member 7"
    for words in (("show", ID.hex()), ("list",)):
        text = (await trisect.text("consent", *words)).out
        assert ID.hex() in text
        assert "scam-prevention" in text
    assert (await trisect.json("consent", "show", "00" * 16)).code == 4
    assert (await trisect.json("consent", "show", "no id")).code == 4


async def test_a_revocation_that_somebody_has_not_acknowledged_is_partial(
    trisect: Command, node: FakeNode
) -> None:
    assert (await trisect.json("consent", "revoke", ID.hex())).code == 4, "it asks first"
    assert node.saw("RevokeConsent") == []
    done = await trisect.json("consent", "revoke", ID.hex(), "--wait", "3", "--yes")
    assert (done.code, "not acknowledged yet by telco" in done.error["message"]) == (7, True)
    told = json.loads(done.out)["data"]["acknowledged"]
    assert [(one["party"], bool(one["at"])) for one in told] == [("bank", True), ("telco", False)]
    assert told[0]["versions"] == [{"collection": "opaque", "version": 7}]
    assert node.saw("RevokeConsent")[0].wait_s == 3
    text = (await trisect.text("consent", "show", ID.hex())).out
    assert "not acknowledged yet" in text
    assert "it was taken back" in text


async def test_after_erasure_nothing_but_the_id_is_left(trisect: Command, node: FakeNode) -> None:
    done = await trisect.json("consent", "revoke", ID.hex(), "--erase", "--wait", "0", "--yes")
    assert (done.code, node.saw("RevokeConsent")[0].erase) == (0, True)
    assert (done.data["erased"], done.data["id"], done.data["purposes"]) == (True, ID.hex(), [])
    assert "subject" not in str({name: value for name, value in done.data.items() if value})
    for words in (("show", ID.hex()), ("list",)):
        assert (await trisect.text("consent", *words)).code == 0
