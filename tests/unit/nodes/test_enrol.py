"""What `join` refuses before it calls anybody, and what it leaves untouched then."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
from pathlib import Path

import pytest

from nodes import enrol
from nodes.config import Config
from nodes.keys import NodeKeys
from trisect.clock import system_clock, system_randomness, to_text
from trisect.config import to_toml
from trisect.errors import BadInputError, ConflictError, UnreachableError
from trisect.home import Home
from trisect.store import keystore
from trisect.store.keystore import KEYSTORE_FILE
from trisect.trust import certificates
from trisect.trust.certificates import Caller, Principal
from trisect.trust.invitations import Invitation
from trisect.trust.keys import fingerprint

FOUNDER = fingerprint(b"founder")


@pytest.fixture(scope="module")
def invitation() -> Invitation:
    """An invitation to telco whose coordinator answers nowhere."""
    now = system_clock()
    authority, key = certificates.new_authority("anti-fraud", now), certificates.new_tls_key()
    leaf = certificates.issue(
        authority,
        certificates.signing_request(key),
        Principal("anti-fraud", Caller.INVITATION, "ab" * 16),
        now=now,
        life=dt.timedelta(days=1),
    )
    return Invitation(
        consortium="anti-fraud",
        coordinator="127.0.0.1:1",
        party="telco",
        role="provider",
        expires_at=to_text(now + dt.timedelta(hours=1)),
        authority=authority.certificate.decode(),
        authority_fingerprint=certificates.authority_fingerprint(authority.certificate),
        founder_fingerprint=FOUNDER,
        certificate=leaf.decode(),
        key=key.decode(),
    )


def join(home: Path, invitation: Invitation, **changes: str) -> None:
    changed = dataclasses.replace(invitation, **changes)
    asyncio.run(enrol.join(Home(home), changed, {}, "", clock=system_clock, randomness=system_randomness))


def cut(home: Path, invitation: Invitation, **changes: str) -> None:
    """Join as far as one comes without a coordinator: keys are made, and nothing is written after that."""
    with pytest.raises(UnreachableError):
        join(home, invitation, **changes)


def contents(home: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in home.iterdir() if path.is_file()}


def configured(home: Path, invitation: Invitation) -> None:
    cut(home, invitation)
    fields = {key: getattr(invitation, key) for key in ("consortium", "party", "role", "coordinator")}
    (home / "config.toml").write_text(to_toml(fields | {"founder": FOUNDER}))


@pytest.mark.parametrize("role", ["provider", "proxy"])
def test_an_invitation_without_a_founder_is_the_founders_own_only(
    tmp_path: Path, invitation: Invitation, role: str
) -> None:
    home = tmp_path / "home"
    with pytest.raises(BadInputError, match="founder_fingerprint is missing") as caught:
        join(home, invitation, role=role, founder_fingerprint="")
    assert "new invitation" in caught.value.hint
    assert not home.exists()
    cut(home, invitation, role="government", founder_fingerprint="")


@pytest.mark.parametrize(
    "changes",
    [
        {"founder_fingerprint": "aaaa"},
        {"founder_fingerprint": FOUNDER.upper()},
        {"founder_fingerprint": "aaaa", "role": "government"},
        {"role": "king"},
        {"party": "../telco"},
    ],
)
def test_an_invitation_that_no_node_could_run_with(
    tmp_path: Path, invitation: Invitation, changes: dict[str, str]
) -> None:
    with pytest.raises(BadInputError):
        join(tmp_path / "home", invitation, **changes)
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(("key", "value"), [("party", "bank"), ("role", "proxy"), ("consortium", "other")])
def test_a_home_is_not_given_to_another(tmp_path: Path, invitation: Invitation, key: str, value: str) -> None:
    home = tmp_path / "home"
    configured(home, invitation)
    before = contents(home)
    with pytest.raises(ConflictError, match=f"another {key}"):
        join(home, invitation, **{key: value})
    assert contents(home) == before
    cut(home, invitation)


def test_nor_are_the_keys_of_a_join_that_was_cut(tmp_path: Path, invitation: Invitation) -> None:
    home = tmp_path / "home"
    cut(home, invitation)
    before = contents(home)
    with pytest.raises(ConflictError, match="keys of another party"):
        join(home, invitation, party="bank")
    assert contents(home) == before
    cut(home, invitation)
    assert contents(home) == before


def test_nobody_joins_into_a_home_from_which_a_node_runs(tmp_path: Path, invitation: Invitation) -> None:
    home = tmp_path / "home"
    configured(home, invitation)
    with Home(home).locked(), pytest.raises(ConflictError, match="runs from") as caught:
        join(home, invitation)
    assert "stop it" in caught.value.hint
    cut(home, invitation)


@pytest.mark.parametrize("missing", ["party", "identity", "sealing", "storage", "tls_key", "authority"])
def test_a_keystore_without_a_key_is_told_with_its_cure(
    tmp_path: Path, invitation: Invitation, missing: str
) -> None:
    NodeKeys.generate("telco", invitation.authority.encode(), system_randomness).save(tmp_path)
    kept = keystore.load(tmp_path / KEYSTORE_FILE)
    del kept[missing]
    keystore.save(tmp_path / KEYSTORE_FILE, kept)
    with pytest.raises(BadInputError, match=f"lacks {missing}") as caught:
        NodeKeys.load(tmp_path)
    assert "backup" in caught.value.hint


def config(**changes: str) -> Config:
    fields = {"consortium": "anti-fraud", "party": "telco", "role": "provider", "coordinator": "relay:7443"}
    return Config(**fields | {"founder": FOUNDER} | changes)  # type: ignore[arg-type]


def test_a_configuration_names_the_founder_unless_it_is_the_founders(tmp_path: Path) -> None:
    config().check()
    config(role="government", founder="").check()
    for role in ("provider", "proxy"):
        with pytest.raises(BadInputError, match="founder is missing"):
            config(role=role, founder="").check()
    for founder in ("aaaa", FOUNDER.upper(), FOUNDER.replace("-", " ")):
        with pytest.raises(BadInputError, match="founder must have"):
            config(role="government", founder=founder).check()
