"""Which heads count, and what an entry of the record is."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import replace

import pytest
from support.membership import CONSORTIUM, GOVERNMENT, Consortium, identity, signed
from support.rulebooks import texts

from trisect.clock import from_seconds
from trisect.errors import StaleError, VerificationError
from trisect.record import entries
from trisect.record.checkpoint import Checkpoint, origin, witness_key
from trisect.record.notes import Note
from trisect.record.quorum import Witnesses, appointed, cosigned, require_fresh
from trisect.rules.rulebook import Rulebook
from trisect.trust.filings import RulebookFiling
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
    found = cosigned(head(*cosigners), consortium.membership)
    assert (set(found.roles), found.counts) == (roles, counts)
    assert found.times == {name: NOW + at for at, name in enumerate(cosigners)}


def witnesses_named(consortium: Consortium, **roles: list[str]) -> None:
    """Have a rulebook in force that names witnesses."""
    toml, policies = texts(begins=from_seconds(NOW), approvals=1)
    lines = "".join(f"{role} = {json.dumps(names)}\n" for role, names in roles.items())
    found = Rulebook.parse(f"{toml}\n[witnesses]\n{lines}", policies)
    consortium.take(consortium.filing(RulebookFiling, GOVERNMENT, found.content))


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
    witnesses_named(consortium, provider=["telco", "bank", "platform"])
    found = cosigned(head(*cosigners), consortium.membership)
    assert (Role.PROVIDER in found.roles) == has


def test_who_is_not_named_does_not_cosign_for_its_role(consortium: Consortium) -> None:
    witnesses_named(consortium, provider=["bank"])
    assert not cosigned(head("telco", "proxy"), consortium.membership).counts
    assert cosigned(head("bank", "proxy"), consortium.membership).counts


def test_witnesses_are_those_of_the_rulebook_that_has_begun_last(consortium: Consortium) -> None:
    eldest = named(government="government", provider="telco", proxy="proxy")
    witnesses_named(consortium, provider=["bank"])
    assert appointed(consortium.membership, from_seconds(NOW - 1)) == eldest
    long_after = from_seconds(NOW) + dt.timedelta(days=3_000)
    for moment in (from_seconds(NOW), long_after):
        assert appointed(consortium.membership, moment) == {**eldest, Role.PROVIDER: ("bank",)}


def test_the_eldest_active_party_of_a_role_witnesses_where_none_is_named(consortium: Consortium) -> None:
    moment = from_seconds(NOW)
    expected = named(government="government", provider="telco", proxy="proxy")
    assert appointed(consortium.membership, moment) == expected
    consortium.take(consortium.standing("telco", Standing.SUSPENDED))
    assert appointed(consortium.membership, moment)[Role.PROVIDER] == ("bank",)


@pytest.mark.parametrize(
    ("cosigners", "counted"),
    [
        (("proxy", "telco"), 0),
        (("telco", "proxy"), 0),
        (("telco", "proxy", "government"), 1),
        (("government", "telco", "proxy"), 1),
        (("telco", "government"), None),
    ],
)
def test_a_head_counted_last_when_the_older_of_two_roles_cosigned_it(
    consortium: Consortium, cosigners: tuple[str, ...], counted: int | None
) -> None:
    expected = None if counted is None else from_seconds(NOW + counted)
    assert cosigned(head(*cosigners), consortium.membership).counted_at == expected


def test_of_several_witnesses_the_middle_time_is_that_of_their_role(consortium: Consortium) -> None:
    witnesses_named(consortium, provider=["telco", "bank", "platform"])
    found = cosigned(head("telco", "proxy", "bank", "platform"), consortium.membership)
    assert found.roles[Role.PROVIDER] == NOW + 2


@pytest.mark.parametrize(
    ("age_s", "refusal"),
    [(0, ""), (3_600, ""), (3_601, "did so last at"), (-60, ""), (-61, "and here it is")],
)
def test_a_head_is_gone_by_for_as_long_as_the_rulebook_allows(age_s: int, refusal: str) -> None:
    now = from_seconds(NOW)
    if not refusal:
        require_fresh(now - dt.timedelta(seconds=age_s), 3_600, now)
        return
    with pytest.raises(StaleError, match=refusal):
        require_fresh(now - dt.timedelta(seconds=age_s), 3_600, now)


def test_without_a_head_that_counts_nothing_goes_on() -> None:
    with pytest.raises(StaleError, match="no head"):
        require_fresh(None, 3_600, from_seconds(NOW))


def test_a_strangers_line_is_left_alone_and_a_forged_one_is_told(consortium: Consortium) -> None:
    found = cosigned(head("stranger", "proxy"), consortium.membership)
    assert set(found.times) == {"proxy"}
    note = head("proxy")
    (line,) = note.signatures
    forged = Note(note.text, (replace(line, body=line.body[:8] + head("bank").signatures[0].body[8:]),))
    with pytest.raises(VerificationError):
        cosigned(forged, consortium.membership)


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
