"""Status, invitations, parties, pepper and schedules against a fake node."""

from __future__ import annotations

import stat
from itertools import chain
from pathlib import Path
from typing import Any

from support.fake_coordinator import FINGERPRINT, INVITATION
from support.fake_node import EXCHANGE, SUCCESSOR, FakeNode, party
from support.membership import GOVERNMENT, Consortium, signed

from trisect.cli.acts import status
from trisect.errors import UnreachableError
from trisect.trust.statements import Role, Standing, StandingChange
from trisect.wire.v1 import node_admin_pb2

from .conftest import Command


async def test_status_of_a_node(trisect: Command) -> None:
    found = (await trisect.json("status")).data
    assert found["party"] == "telco"
    assert found["role"] == "provider"
    assert found["admitted"] is True
    assert found["http"].startswith("http://")
    assert found["links"] == [{"to": "coordinator", "connected": True, "detail": None}]
    ended = await trisect.text("status")
    assert "telco (provider)" in ended.out
    assert ended.err == ""


async def test_status_tells_what_is_announced(trisect: Command, node: FakeNode) -> None:
    assert (await trisect.json("status")).data["announcements"] == []
    node.announcements = ["rulebook 3 ends within a day"]
    assert (await trisect.json("status")).data["announcements"] == node.announcements
    assert "rulebook 3 ends within a day" in (await trisect.text("status")).out


async def test_status_tells_the_founders_fingerprint(trisect: Command, node: FakeNode) -> None:
    assert (await trisect.json("status")).data["founder_fingerprint"] is None
    node.parties = {"bank": party("bank"), "ministry": party("ministry", key_check="founder")}
    found = (await trisect.json("status")).data
    assert (found["founder"], found["founder_fingerprint"]) == ("ministry", FINGERPRINT)
    assert f"ministry, {FINGERPRINT}" in (await trisect.text("status")).out
    node.failures["ListParties"] = UnreachableError("cannot reach the coordinator")
    assert (await trisect.json("status")).data["founder"] is None
    assert "not known now" in (await trisect.text("status")).out


async def test_status_of_a_government_does_not_wait_for_a_lost_coordinator() -> None:
    lost = node_admin_pb2.GetStatusReply(
        role="government", links=[node_admin_pb2.Link(to="coordinator", connected=False)]
    )
    nobody: Any = None
    assert await status.founder_of(nobody, lost) is None


async def test_status_of_the_coordinator(coordinator: Command) -> None:
    found = (await coordinator.json("status")).data
    assert found["party"] == found["role"] == "coordinator"
    assert found["links"][0]["to"] == "bank"
    assert "bank" in (await coordinator.text("status")).out


async def test_invite(coordinator: Command, node: FakeNode) -> None:
    found = (await coordinator.json("invite", "--party", "bank", "--role", "provider", "--ttl", "30m")).data
    assert found["invitation"] == INVITATION
    assert (found["party"], found["role"]) == ("bank", "provider")
    assert found["expires_at"]
    assert node.saw("Invite")[0].ttl_s == 1800
    ended = await coordinator.text("invite", "--party", "bank", "--role", "provider")
    assert ended.out == f"{INVITATION}\n"
    assert node.saw("Invite")[1].ttl_s == 86_400


async def test_invite_into_a_file(coordinator: Command) -> None:
    arguments = ("invite", "--party", "bank", "--role", "provider", "--output", "i.txt")
    ended = await coordinator.text(*arguments)
    assert ended.code == 0
    path = coordinator.folder / "i.txt"
    assert path.read_text() == f"{INVITATION}\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    ended_json = await coordinator.json(*arguments)
    assert ended_json.data["output"] == "i.txt"
    assert INVITATION not in ended.out + ended.err + ended_json.out


async def test_invite_refuses_a_bad_span_or_place_before_it_invites(
    coordinator: Command, node: FakeNode
) -> None:
    base = ("invite", "--party", "bank", "--role", "provider")
    for more in (("--ttl", "soon"), ("--ttl", "0h"), ("--output", "no/such/folder"), ("--output", "/")):
        assert (await coordinator.json(*base, *more)).code == 4
    assert not node.calls


async def test_parties(trisect: Command, node: FakeNode) -> None:
    node.parties = {"bank": party("bank"), "proxy": party("proxy", "applicant", "")}
    found = (await trisect.json("party", "list")).data["parties"]
    assert [one["name"] for one in found] == ["bank", "proxy"]
    assert found[1]["key_check"] is None
    shown = (await trisect.json("party", "show", "bank")).data
    assert shown["fingerprint"] == FINGERPRINT
    assert (await trisect.json("party", "show", "nobody")).code == 4
    assert "applicant" in (await trisect.text("party", "list")).out


async def test_admission_says_what_an_unchecked_key_costs(trisect: Command, node: FakeNode) -> None:
    unchecked = await trisect.text("party", "admit", "bank")
    assert "coordinator swapped the key" in " ".join(unchecked.out.split())
    checked = await trisect.text("party", "admit", "bank", "--fingerprint", FINGERPRINT)
    assert checked.out == "bank is admitted as provider.\n"
    assert node.saw("Admit")[1].fingerprint == FINGERPRINT
    await trisect.text("party", "admit", "bank", "--role", "government")
    assert [asked.role for asked in node.saw("Admit")] == ["", "", "government"]
    assert (await trisect.json("party", "admit", "proxy")).data["key_check"] == "none"


async def test_succession_asks_and_tells_both_fingerprints(trisect: Command, node: FakeNode) -> None:
    refused = await trisect.json("party", "succeed")
    assert refused.code == 4
    assert FINGERPRINT in refused.error["message"]
    assert not node.saw("SucceedKeys")
    done = await trisect.json("party", "succeed", "--yes")
    assert done.data == {"party": "telco", "fingerprint": SUCCESSOR, "former_fingerprint": FINGERPRINT}
    assert [asked.fingerprint for asked in node.saw("SucceedKeys")] == [FINGERPRINT]
    told = await trisect.text("party", "succeed", "--yes")
    assert (FINGERPRINT in told.out, SUCCESSOR in told.out) == (True, True)
    assert "a government first" in told.err
    node.parties = {"bank": party("bank")}
    node.parties["bank"].former_fingerprints.append(SUCCESSOR)
    assert (await trisect.json("party", "show", "bank")).data["former_fingerprints"] == [SUCCESSOR]
    assert SUCCESSOR in (await trisect.text("party", "show", "bank")).out


async def test_standing(trisect: Command, node: FakeNode) -> None:
    for act in ("suspend", "expel"):
        refused = await trisect.json("party", act, "bank")
        assert refused.code == 4
        assert "--yes" in refused.error["hint"]
    assert not node.saw("ChangeStanding")
    suspended = await trisect.json("party", "suspend", "bank", "--reason", "audit", "--yes")
    assert suspended.data["state"] == "suspended"
    assert node.saw("ChangeStanding")[0].reason == "audit"
    assert (await trisect.json("party", "reinstate", "bank")).data["state"] == "active"
    for ask in (trisect.json, trisect.text):
        node.parties = {"bank": party("bank")}
        expelled = await ask("party", "expel", "bank", "--yes")
        assert "expelled" in expelled.out
        assert "bank still knows the pepper" in expelled.err
        assert "`trisect pepper rotate`" in expelled.err
    assert node.epoch == 0, "an expulsion does not rotate"
    assert "pepper" not in (await trisect.text("party", "suspend", "bank", "--yes")).err


async def test_an_expulsion_that_waited_for_officers_tells_what_is_left(
    trisect: Command, node: FakeNode, tmp_path: Path
) -> None:
    file = tmp_path / "proposal.json"
    node.consortium = found = Consortium.founded(("telco", Role.PROVIDER))
    for statement in chain([found.standing("telco", Standing.SUSPENDED)], found.expulsion("telco")):
        if statement.issuer != GOVERNMENT:
            found.take(statement)
            continue
        told = isinstance(statement, StandingChange) and statement.standing is Standing.EXPELLED
        file.write_bytes(signed(statement, GOVERNMENT))
        published = await trisect.json("approval", "publish", file)
        assert published.data["state"] == "published"
        assert ("telco still knows the pepper" in published.err) == told


async def test_pepper(trisect: Command, node: FakeNode) -> None:
    assert (await trisect.json("pepper", "status")).data == {"epoch": 0, "rolling": False, "rows_to_roll": 0}
    assert (await trisect.json("pepper", "rotate")).code == 4
    assert node.epoch == 0
    assert (await trisect.json("--yes", "pepper", "rotate")).data == {"epoch": 1, "parties_granted": 4}


async def test_schedules(trisect: Command, node: FakeNode) -> None:
    Path(trisect.folder / "l.csv").write_text("domain\nplanted-scam.example\n")
    match = ("--collection", "a", "--peer", "bank", "--with", "b", "--purpose", "scam-prevention")
    first = (await trisect.json("schedule", "add", "match", "--every", "24h", *match)).data
    assert first["every_s"] == 86_400
    assert first["match"]["peer"] == "bank"
    second = (
        await trisect.json(
            "schedule",
            "add",
            "import",
            "l.csv",
            "--every",
            "30m",
            "--collection",
            "a",
            "--map",
            "value=1",
            "--trust-plus",
            "--upgrade-legacy",
            "--yes",
        )
    ).data
    assert second["import"]["path"] == str(trisect.folder / "l.csv")
    assert second["import"]["mapping"] == {"value": "1"}
    sent = getattr(node.saw("AddSchedule")[1], "import")
    assert not sent.begin.allow_large_drop
    assert sent.begin.trust_plus
    assert sent.begin.upgrade_legacy
    listed = await trisect.text("schedule", "list")
    assert "match a with bank's b" in listed.out
    assert (await trisect.json("schedule", "remove", "s0")).data == {"id": "s0"}
    assert (await trisect.json("schedule", "remove", "s0")).code == 4
    assert (
        await trisect.json("schedule", "add", "import", "-", "--every", "1h", "--collection", "a")
    ).code == 4
    assert EXCHANGE not in listed.out


async def test_a_source_is_reviewed_and_shown_with_who_has_looked_into_it(
    trisect: Command, node: FakeNode
) -> None:
    node.parties = {"bank": party("bank")}
    node.consortium.take(node.consortium.admission("bank"))
    what = (
        "party",
        "review",
        "bank",
        "--reviewer",
        "fraud desk",
        "--evidence",
        "file 9",
        "--until",
        "2030-01-01T00:00:00Z",
    )
    done = await trisect.json(*what)
    assert done.data == {
        "source": "bank",
        "reviewer": "fraud desk",
        "evidence": "file 9",
        "expires": "2030-01-01T00:00:00Z",
    }
    (review,) = (await trisect.json("party", "show", "bank")).data["reviews"]
    assert (review["recipient"], review["reviewer"], review["in_force"]) == ("government", "fraud desk", True)
    assert (
        "reviewed by government until 2030-01-01T00:00:00Z: fraud desk, file 9"
        in (await trisect.text("party", "show", "bank")).out
    )
    refused = await trisect.json(*what[:-1], "tomorrow")
    assert (refused.code, "--until" in refused.error["hint"]) == (4, True)
