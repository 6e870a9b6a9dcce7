"""Which heads count, and what an entry of the record is."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from support.membership import CONSORTIUM, GOVERNMENT, Consortium, identity, signed

from trisect.errors import VerificationError
from trisect.record import entries
from trisect.record.checkpoint import Checkpoint, origin, witness_key
from trisect.record.notes import Note
from trisect.record.quorum import Witnesses, cosigned, eldest
from trisect.trust.keys import PartyName
from trisect.trust.statements import Role, Standing

NOW = 1_700_000_000
PARTIES = [
    ("telco", Role.PROVIDER),
    ("bank", Role.PROVIDER),
    ("platform", Role.PROVIDER),
    ("proxy", Role.PROXY),
]


@pytest.fixture
def consortium() -> Consortium:
    return Consortium.founded(*PARTIES)


def head(*cosigners: str) -> Note:
    note = Checkpoint(origin(CONSORTIUM), 3, bytes(32)).note
    for at, name in enumerate(cosigners):
        key = witness_key(CONSORTIUM, name, identity(name).public)
        note = note.cosigned(key, identity(name), NOW + at)
    return note


def named(**roles: str) -> Witnesses:
    return {Role(role): tuple(PartyName(name) for name in names.split()) for role, names in roles.items()}


@pytest.mark.parametrize(
    ("cosigners", "roles", "counts"),
    [
        ((), set(), False),
        (("proxy",), {Role.PROXY}, False),
        (("telco", "government"), {Role.PROVIDER, Role.GOVERNMENT}, False),
        (("telco", "proxy"), {Role.PROVIDER, Role.PROXY}, True),
        (("government", "proxy"), {Role.GOVERNMENT, Role.PROXY}, True),
        (("bank", "proxy"), {Role.PROXY}, False),
        (("bank", "platform", "telco", "proxy", "government"), set(Role), True),
    ],
)
def test_a_head_counts_with_two_roles_the_proxies_among_them(
    consortium: Consortium, cosigners: tuple[str, ...], roles: set[Role], counts: bool
) -> None:
    found = cosigned(head(*cosigners), consortium.membership, eldest(consortium.membership))
    assert (found.roles, found.counts) == (roles, counts)
    assert found.times == {name: NOW + at for at, name in enumerate(cosigners)}


@pytest.mark.parametrize(
    ("cosigners", "has"),
    [
        (("telco",), False),
        (("telco", "bank"), True),
        (("telco", "platform", "bank"), True),
        (("government",), False),
    ],
)
def test_a_role_has_cosigned_when_most_of_its_witnesses_have(
    consortium: Consortium, cosigners: tuple[str, ...], has: bool
) -> None:
    witnesses = named(provider="telco bank platform", proxy="proxy")
    found = cosigned(head(*cosigners), consortium.membership, witnesses)
    assert (Role.PROVIDER in found.roles) == has


def test_a_role_without_witnesses_never_cosigns(consortium: Consortium) -> None:
    found = cosigned(head("government", "proxy"), consortium.membership, named(proxy="proxy", government=""))
    assert found.roles == {Role.PROXY}


def test_the_eldest_active_party_of_a_role_witnesses_where_none_is_named(consortium: Consortium) -> None:
    assert eldest(consortium.membership) == named(government="government", provider="telco", proxy="proxy")
    consortium.take(consortium.standing("telco", Standing.SUSPENDED))
    assert eldest(consortium.membership)[Role.PROVIDER] == ("bank",)


def test_a_strangers_line_is_left_alone_and_a_forged_one_is_told(consortium: Consortium) -> None:
    found = cosigned(head("stranger", "proxy"), consortium.membership, eldest(consortium.membership))
    assert set(found.times) == {"proxy"}
    note = head("proxy")
    (line,) = note.signatures
    forged = Note(note.text, (replace(line, body=line.body[:8] + head("bank").signatures[0].body[8:]),))
    with pytest.raises(VerificationError):
        cosigned(forged, consortium.membership, eldest(consortium.membership))


def test_statements_stand_in_the_record_as_they_are_and_grants_by_their_hash(consortium: Consortium) -> None:
    admission = signed(consortium.admission("shop"), GOVERNMENT)
    assert entries.of_document(admission) == entries.document(admission) == admission
    assert entries.kind(admission) == "admission.v1"
    grant = signed(consortium.grant("telco", 0), GOVERNMENT)
    entry = entries.of_document(grant)
    assert entries.document(entry) is None
    assert entries.kind(entry) == "pepper-grant.v1"
    assert hashlib.sha256(grant).hexdigest().encode() in entry
    assert len(entry) < 200


@pytest.mark.parametrize(
    "entry",
    [
        b"",
        b"{}",
        b'{"commitment":{}}',
        b'{"commitment":"x"}',
        b'{"commitment":{"kind":"a"}}',
        b'{"commitment":{"kind":"a","sha256":"b","more":1}}',
        b'{"commitment":{"kind":"a","sha256":"b"}} ',
    ],
)
def test_what_is_no_entry(entry: bytes) -> None:
    with pytest.raises(VerificationError):
        entries.kind(entry)
