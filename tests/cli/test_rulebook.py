"""`trisect rulebook`, `officer` and `approval`: from a template to a published rulebook that officers have approved."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.fake_node import FakeNode
from support.membership import GOVERNMENT

from trisect.trust.filings import OfficerFiling, RulebookFiling

from .conftest import Command


async def drafted(trisect: Command, folder: Path, *options: object) -> Path:
    done = await trisect.json("rulebook", "draft", folder, "--template", "demo", "--approvals", "1", *options)
    assert done.code == 0
    return folder


async def officer(trisect: Command, folder: Path, name: str, *more: object) -> Path:
    """Make a key, and name its owner an officer."""
    file = folder / f"{name}.pem"
    public = (await trisect.json("officer", "key", file)).data["public_key"]
    done = await trisect.json("officer", "add", name, "--public-key", public, *more)
    assert done.code == 0, done.error
    return file


async def test_a_rulebook_from_its_template_to_everybody(
    trisect: Command, node: FakeNode, tmp_path: Path
) -> None:
    folder = await drafted(trisect, tmp_path / "rules")
    data = (await trisect.json("rulebook", "lint", folder)).data
    assert {found["level"] for found in data["findings"]} == {"warning"}
    assert (await trisect.json("rulebook", "publish", folder, "--yes")).code == 4
    signed = (await trisect.json("rulebook", "sign", folder)).data
    assert signed["signatures"] == 1
    assert (await trisect.json("rulebook", "publish", folder, "--no-input")).code == 4
    assert (await trisect.json("rulebook", "publish", folder, "--yes")).data["hash"] == data["hash"]
    (found,) = (await trisect.json("rulebook", "show")).data["rulebooks"]
    assert (found["hash"], found["in_force"]) == (data["hash"], True)
    text = await trisect.text("rulebook", "show")
    assert "Demonstration" in text.out


@pytest.mark.parametrize(("language", "word"), [("en", "Red line"), ("zh", "红线")])
async def test_a_rulebook_is_explained_before_it_is_published_and_after(
    trisect: Command, node: FakeNode, tmp_path: Path, language: str, word: str
) -> None:
    folder = await drafted(trisect, tmp_path / "rules")
    lines = (await trisect.json("rulebook", "explain", folder, "--in", language)).data["lines"]
    assert any(line.startswith(word) for line in lines)
    assert (await trisect.json("rulebook", "explain", "--in", language)).code == 4
    for act in (("sign", folder), ("publish", folder, "--yes")):
        assert (await trisect.json("rulebook", *act)).code == 0
    assert (await trisect.json("rulebook", "explain", "--in", language)).data["lines"] == lines


async def test_what_lint_calls_an_error_is_not_signed(
    trisect: Command, node: FakeNode, tmp_path: Path
) -> None:
    folder = await drafted(trisect, tmp_path / "rules")
    policies = folder / "policies.cedar"
    policies.write_text(
        policies.read_text()
        + '@id("never") @sentence("x") permit (principal, action, resource) when { context.purpose == "x" };'
    )
    done = await trisect.json("rulebook", "lint", folder)
    assert (done.code, done.error["code"]) == (1, "TRI-LINT")
    assert any(found["about"] == "never" for found in done.whole["data"]["findings"])
    assert "never" in (await trisect.json("rulebook", "sign", folder)).error["message"]
    assert node.saw("FileDocument") == []


async def test_a_folder_changed_after_it_was_signed_is_not_published(
    trisect: Command, node: FakeNode, tmp_path: Path
) -> None:
    folder = await drafted(trisect, tmp_path / "rules")
    await trisect.json("rulebook", "sign", folder)
    toml = folder / "rulebook.toml"
    toml.write_text(toml.read_text().replace("min_set = 10", "min_set = 1"))
    done = await trisect.json("rulebook", "publish", folder, "--yes")
    assert (done.code, "changed after" in done.error["message"]) == (4, True)
    assert (await trisect.json("rulebook", "sign", folder)).data["signatures"] == 1
    assert (await trisect.json("rulebook", "publish", folder, "--yes")).code == 0
    assert "min_set = 1\n" in (await trisect.json("rulebook", "show", "1")).data["toml"]


async def test_two_versions_are_compared(trisect: Command, node: FakeNode, tmp_path: Path) -> None:
    for version, folder in ((1, tmp_path / "one"), (2, tmp_path / "two")):
        await drafted(trisect, folder, "--version", version)
        toml = folder / "rulebook.toml"
        toml.write_text(toml.read_text().replace("min_set = 10", f"min_set = {version * 7}"))
        for act in (("sign", folder), ("publish", folder, "--yes")):
            assert (await trisect.json("rulebook", *act)).code == 0
    data = (await trisect.json("rulebook", "show", "2", "--diff", "1")).data
    assert {"-min_set = 7", "+min_set = 14"} <= set(data["diff"])
    assert (await trisect.json("rulebook", "show", "3")).code == 4
    copy = tmp_path / "copy"
    await trisect.json("rulebook", "show", "1", "--output", copy)
    assert (copy / "rulebook.toml").read_text() == (tmp_path / "one" / "rulebook.toml").read_text()
    assert [row["in_force"] for row in (await trisect.json("rulebook", "show")).data["rulebooks"]] == [
        False,
        True,
    ]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("draft", "{}", "--from", "tomorrow"), "--from"),
        (("lint", "{}"), "rulebook.toml"),
        (("sign", "{}"), "rulebook.toml"),
        (("publish", "{}", "--yes"), "no signed rulebook"),
    ],
)
async def test_what_is_not_there_is_told(
    trisect: Command, node: FakeNode, tmp_path: Path, arguments: tuple[str, ...], told: str
) -> None:
    done = await trisect.json("rulebook", *(word.format(tmp_path) for word in arguments))
    assert (done.code, told in done.error["message"]) == (4, True)


async def test_a_draft_overwrites_nothing(trisect: Command, node: FakeNode, tmp_path: Path) -> None:
    folder = await drafted(trisect, tmp_path / "rules")
    assert (await trisect.json("rulebook", "draft", folder)).code == 4


async def test_officers_approve_with_their_own_keys(trisect: Command, node: FakeNode, tmp_path: Path) -> None:
    ann = await officer(trisect, tmp_path, "ann")
    bea = await officer(trisect, tmp_path, "bea", "--officer-key", ann)
    folder = await drafted(trisect, tmp_path / "rules")
    assert (await trisect.json("rulebook", "sign", folder)).data["signatures"] == 1
    done = await trisect.json("rulebook", "publish", folder, "--yes")
    assert (done.code, done.error["rule"]) == (6, "approvals")
    for key in (ann, bea):
        signed = await trisect.json("rulebook", "sign", folder, "--officer-key", key)
    assert signed.data["signatures"] == 3
    assert (await trisect.json("rulebook", "publish", folder, "--yes")).code == 0
    listed = (await trisect.json("officer", "list")).data
    assert [one["name"] for one in listed["officers"]] == ["ann", "bea"]
    assert node.consortium.membership.filed(RulebookFiling)


async def test_a_proposal_waits_for_officers_elsewhere(
    trisect: Command, node: FakeNode, tmp_path: Path
) -> None:
    ann = await officer(trisect, tmp_path, "ann")
    file = tmp_path / "proposal.json"
    bea = (await trisect.json("officer", "key", tmp_path / "bea.pem")).data
    add = ("officer", "add", "bea", "--public-key", bea["public_key"])
    denied = await trisect.json(*add)
    assert (denied.code, denied.error["rule"]) == (6, "approvals")
    assert (await trisect.json(*add, "--proposal", file)).data["state"] == "proposed"
    shown = (await trisect.json("approval", "show", file)).data
    assert (shown["kind"], shown["statement"]["content"]["officer"]) == (OfficerFiling.KIND, "bea")
    assert (await trisect.json("approval", "publish", file)).error["rule"] == "approvals"
    assert (await trisect.json("approval", "sign", file, "--key", ann, "--no-input")).code == 4
    assert (await trisect.json("approval", "sign", file, "--key", ann, "--yes")).data["signatures"] == 2
    assert (await trisect.json("approval", "publish", file)).data["state"] == "published"
    again = await trisect.json("approval", "publish", file)
    assert again.code == 1, "an old proposal is not published twice"
    assert set(node.consortium.membership.officers(GOVERNMENT).keys) == {"ann", "bea"}


async def test_an_officer_is_dismissed(trisect: Command, node: FakeNode, tmp_path: Path) -> None:
    ann = await officer(trisect, tmp_path, "ann")
    await officer(trisect, tmp_path, "bea", "--officer-key", ann)
    done = await trisect.json("officer", "dismiss", "bea", "--officer-key", ann)
    assert done.data["state"] == "dismissed"


async def test_a_key_that_others_can_read_is_refused(
    trisect: Command, node: FakeNode, tmp_path: Path
) -> None:
    ann = await officer(trisect, tmp_path, "ann")
    assert ann.stat().st_mode & 0o777 == 0o600
    assert (await trisect.json("officer", "key", ann)).code == 4, "a key is never replaced"
    ann.chmod(0o644)
    done = await trisect.json("officer", "dismiss", "ann", "--officer-key", ann)
    assert (done.code, "chmod 600" in done.error["hint"]) == (4, True)
    ann.chmod(0o600)
    ann.write_text("no key")
    assert (await trisect.json("officer", "dismiss", "ann", "--officer-key", ann)).code == 4


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", json.dumps({"payload": "", "payloadType": "x", "signatures": []})]
)
async def test_a_file_that_is_no_proposal_is_told(
    trisect: Command, node: FakeNode, tmp_path: Path, content: str
) -> None:
    file = tmp_path / "proposal.json"
    file.write_text(content)
    for act in ("show", "publish"):
        assert (await trisect.json("approval", act, file)).code == 4


async def test_past_exchanges_are_judged_by_a_draft(trisect: Command, node: FakeNode, tmp_path: Path) -> None:
    folder = tmp_path / "book"
    await trisect.json("rulebook", "draft", folder, "--template", "telco-bank")
    found = (await trisect.json("rulebook", "simulate", folder, "--against", "2d")).data
    assert (found["permits"], found["against_s"], found["version"]) == (7, 172_800, 1)
    assert [(one["times"], one["rule"]) for one in found["denials"]] == [(3, "no-rule")]
    sent = node.saw("SimulateRulebook")[0]
    assert (sent.seconds, "policies" in sent.toml or bool(sent.policies)) == (172_800, True)
    said = (await trisect.text("rulebook", "simulate", folder)).out
    assert "3 of 7 exchanges would have been denied" in said
    assert "what helps: write one" in said
    assert (await trisect.json("rulebook", "simulate", folder, "--against", "soon")).code == 4
