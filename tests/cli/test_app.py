"""`trisect app`, as a script and as a person see it."""

from __future__ import annotations

import json
import stat

from support.fake_credentials import ID
from support.fake_node import FakeNode

from trisect.trust import certificates

from .conftest import Command


async def test_a_credential_is_written_for_its_app_alone(trisect: Command, node: FakeNode) -> None:
    file = trisect.folder / "app.json"
    done = await trisect.json("app", "issue", "the app", "--output", "app.json", "--days", "30")
    assert (done.data["id"], done.data["address"]) == (ID, "aid.example:7444")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    fields = json.loads(file.read_text())
    assert (fields["id"], fields["server_name"], fields["authority"]) == (ID, "node.trisect", "an authority")
    (request,) = node.saw("IssueCredential")
    assert (request.name, request.days) == ("the app", 30)
    made = certificates.request_key(certificates.signing_request(fields["key"].encode()))
    assert certificates.request_key(request.request) == made, "the key was made here"
    assert "PRIVATE" not in done.out
    text = (await trisect.text("app", "issue", "the app", "--output", "app.json")).out
    assert "aid.example:7444" in text
    assert "PRIVATE" not in text


async def test_credentials_are_listed_and_ended(trisect: Command, node: FakeNode) -> None:
    (row,) = (await trisect.json("app", "list")).data["credentials"]
    assert (row["id"], row["revoked_at"]) == (ID, "")
    assert ID in (await trisect.text("app", "list")).out
    assert (await trisect.json("app", "revoke", ID)).code == 4, "it asks first"
    done = await trisect.json("app", "revoke", ID, "--yes")
    assert (done.code, done.data["revoked_at"]) == (0, "2026-11-02T00:00:00Z")
    assert "revoked" in (await trisect.text("app", "list")).out
