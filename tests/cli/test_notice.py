"""`trisect notice` and `party vet`."""

from __future__ import annotations

from pathlib import Path

from support.fake_node import FakeNode
from support.membership import GOVERNMENT
from support.rulebooks import NOTICE

from trisect.rules.notices import Notice
from trisect.trust.filings import VettingFiling
from trisect.trust.statements import Role
from trisect.wire.v1 import collections_pb2

from .conftest import Command


async def test_a_draft_says_what_the_node_holds(trisect: Command, node: FakeNode, tmp_path: Path) -> None:
    node.collections["scams"] = collections_pb2.Collection(
        name="scams",
        legal_basis="statutory-duty: ATOFL 16",
        retention_days=90,
        kinds=["phone", "url"],
        sharings=[collections_pb2.Sharing(purpose="payment-check", modes=["match"], **{"with": "bank"})],
    )
    file = tmp_path / "notice.toml"
    assert (await trisect.json("notice", "draft", file)).data["party"] == "telco"
    text = file.read_text()
    assert "TODO" in text
    found = Notice.parse(text, Role.PROVIDER).declaration
    (processing,) = found.processing
    assert (processing.purpose, processing.kinds, processing.recipients) == (
        "payment-check",
        ("phone", "url"),
        ("bank",),
    )
    assert processing.retention_days == 90
    assert (await trisect.json("notice", "draft", file)).code == 4, "nothing is overwritten"
    done = await trisect.json("notice", "publish", file)
    assert (done.code, "TODO" in done.error["message"]) == (4, True)


async def test_a_notice_is_published_and_shown(trisect: Command, node: FakeNode, tmp_path: Path) -> None:
    assert (await trisect.json("notice", "show", GOVERNMENT)).code == 4
    file = tmp_path / "notice.toml"
    file.write_text('mandate = "ATOFL 6"\n' + NOTICE)
    assert (await trisect.json("notice", "publish", file)).data["valid_until"] == "2027-05-26T12:00:00Z"
    (found,) = (await trisect.json("notice", "show")).data["notices"]
    assert (found["party"], found["version"], found["toml"]) == (GOVERNMENT, 1, file.read_text())
    assert "ATOFL 6" in (await trisect.text("notice", "show", GOVERNMENT)).out


async def test_a_notice_that_is_not_sound_is_told_before_it_is_sent(
    trisect: Command, node: FakeNode, tmp_path: Path
) -> None:
    file = tmp_path / "notice.toml"
    file.write_text(NOTICE.replace('contact = "', '# "'))
    done = await trisect.json("notice", "publish", file)
    assert (done.code, "contact is missing" in done.error["message"]) == (4, True)
    assert node.saw("FileDocument") == []
    assert (await trisect.json("notice", "publish", tmp_path / "absent")).code == 4


async def test_a_party_is_vetted_anew(trisect: Command, node: FakeNode) -> None:
    vet = ("party", "vet", GOVERNMENT, "--reviewer", "audit", "--evidence", "file 7")
    done = await trisect.json(*vet, "--vetted-until", "2027-01-01T00:00:00Z")
    assert done.data["expires"] == "2027-01-01T00:00:00Z"
    assert len(node.consortium.membership.filed(VettingFiling)) == 1


async def test_an_admission_carries_its_vetting(trisect: Command, node: FakeNode) -> None:
    given = ("--reviewer", "audit", "--evidence", "file 7", "--vetted-until", "2027-01-01T00:00:00Z")
    await trisect.json("party", "admit", "bank", *given)
    (request,) = node.saw("Admit")
    assert (request.reviewer, request.evidence, request.vetted_until) == (given[1], given[3], given[5])


async def test_words_are_compared_with_deeds(trisect: Command, node: FakeNode) -> None:
    text = "declares 90 days; oldest entry 143 days"
    assert (await trisect.json("notice", "check")).data == {"drift": [{"collection": "nums", "text": text}]}
    assert text in (await trisect.text("notice", "check")).out
