"""A node's authority for its party's own programs: kept, told when it cannot be read, and never wider than it says."""

from __future__ import annotations

import datetime as dt
import stat
from pathlib import Path
from typing import Any

import pytest
from unit.coordinator.test_who_may_call_what import certified

from nodes.clients import FILE, MAX_DAYS, Clients
from trisect.clock import system_randomness
from trisect.errors import BadInputError, ConflictError, UnauthenticatedError, VerificationError
from trisect.rpc.authorisation import Access
from trisect.store import keystore
from trisect.store.credentials import Credentials
from trisect.store.database import Database
from trisect.trust import certificates
from trisect.trust.certificates import Caller, Principal

NOW = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
REQUEST = certificates.signing_request(certificates.new_tls_key())


def clients(home: Path, database: Database) -> Clients:
    server = Principal("anti-fraud", Caller.NODE, "aid")
    return Clients(home, server, Credentials(database), lambda: NOW, system_randomness)


def test_the_authority_is_made_once_and_kept_for_the_node_alone(tmp_path: Path, database: Database) -> None:
    first = clients(tmp_path, database).authority
    assert clients(tmp_path, database).authority.fingerprint == first.fingerprint
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [{}, {"key": b"k"}, {"key": b"k", "certificate": b"no certificate"}])
def test_a_file_that_holds_no_authority_is_told(
    tmp_path: Path, database: Database, content: dict[str, bytes]
) -> None:
    keystore.save(tmp_path / FILE, content)
    with pytest.raises(BadInputError, match="no authority") as caught:
        _ = clients(tmp_path, database).authority
    assert "backup" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "days", "told"),
    [("", 1, "name"), ("n" * 65, 1, "name"), ("a\nb", 1, "name"), ("app", 0, "1 to"), ("app", MAX_DAYS + 1, "1 to"),
     ("app", 2**32 - 1, "1 to")],
)  # fmt: skip
async def test_a_credential_within_bounds_alone(
    tmp_path: Path, database: Database, name: str, days: int, told: str
) -> None:
    with pytest.raises(BadInputError, match=told):
        await clients(tmp_path, database).issue(name, REQUEST, days)


async def test_a_name_is_given_again_only_after_its_end(tmp_path: Path, database: Database) -> None:
    office = clients(tmp_path, database)
    credential, certificate = await office.issue("app", REQUEST, 1)
    assert certificates.validity(certificate)[1] == NOW + dt.timedelta(days=1)
    with pytest.raises(ConflictError, match="that holds"):
        await office.issue("app", REQUEST, 1)
    await office.revoke(credential.id)
    again, _ = await office.issue("app", REQUEST, 1)
    assert again.id != credential.id
    with pytest.raises(VerificationError):
        await office.issue("other", b"no request", 1)


async def test_none_slips_in_while_it_is_revoked(
    tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its row was read before it was revoked, and it is let in after whoever ran was cut."""
    office = clients(tmp_path, database)
    credential, _ = await office.issue("app", REQUEST, 1)
    before = Credentials(database).get(credential.id)
    await office.revoke(credential.id)
    monkeypatch.setattr(Credentials, "get", lambda _self, _id: before)
    context: Any = certified(Principal("anti-fraud", Caller.APP, credential.id), NOW)
    with pytest.raises(UnauthenticatedError, match="revoked"):
        await office.authorise(Access.APP, context)
