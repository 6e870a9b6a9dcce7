"""Consents as a proxy keeps them: numbered once, told in order, committed to without a gap."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from support.consents import NOW
from support.membership import identity

from trisect.clock import to_text
from trisect.errors import ConflictError, NotFoundError
from trisect.indicators.kinds import Kind
from trisect.rules.consent_frames import Effect, Granted, Revoked
from trisect.rules.consents import Consent, Language, commitment, withdrawal
from trisect.rules.delegations import Delegation
from trisect.rules.vocabulary import Purpose
from trisect.store import granting as module
from trisect.store.consent_epochs import ConsentEpochs
from trisect.store.database import Database
from trisect.store.delegating import Delegations
from trisect.store.granting import Draft, GrantedConsents
from trisect.store.proxy_tables import granted_consents
from trisect.trust.keys import PartyName

LATER = to_text(NOW)
SALT = bytes(32)


def said(number: int, parties: Sequence[str]) -> dict[str, Any]:
    return {
        "consortium": "c",
        "proxy": PartyName("aid"),
        "id": number.to_bytes(16, "big"),
        "subject": f"aid-{number}",
        "purposes": (Purpose.SCAM_PREVENTION,),
        "kinds": (Kind.PHONE,),
        "parties": tuple(PartyName(name) for name in parties or ("bank", "telco")),
        "notice": bytes(32),
        "language": Language.ENGLISH,
        "method": "a form",
        "pressures": (),
        "given": "2026-11-01T00:00:00Z",
        "expires": "2027-01-01T00:00:00Z",
    }


def consent(number: int, *parties: str) -> Consent:
    """Make the consent of the person of a number."""
    return Consent(**said(number, parties))


def delegation(number: int, *parties: str) -> Delegation:
    """Make the delegation of the person of a number."""
    return Delegation(**said(number, parties))


def draft(number: int, *parties: str, under: bytes = b"") -> Draft:
    """Draft a consent."""
    found = consent(number, *parties)
    subjects = {name: f"{name}-{number}" for name in ("aid", *found.parties)}
    return Draft(found, found.sign(identity("aid")), SALT, subjects, under)


def grant(database: Database, number: int, *parties: str, under: bytes = b"") -> int:
    """Keep a consent; gives its number."""
    (outcome,) = GrantedConsents(database).grant(draft(number, *parties, under=under))
    assert isinstance(outcome, int)
    return outcome


def test_numbers_are_used_once_for_what_is_given_and_taken_back(node: Database) -> None:
    store = GrantedConsents(node)
    assert [grant(node, 1), grant(node, 2)] == [1, 2]
    assert store.revoke(consent(1).id, LATER) == 3
    assert store.revoke(consent(1).id, LATER) == 3, "once"
    assert grant(node, 3) == store.newest == 4


def test_a_party_is_told_what_concerns_it_by_its_own_pseudonym(node: Database) -> None:
    grant(node, 1)
    grant(node, 2, "bank")
    grant(node, 3, "bankers")
    store = GrantedConsents(node)

    def subjects(party: str) -> list[str]:
        events, upto = store.events(party, "aid", after=0, limit=10)
        assert upto == 3
        return [event.subject for event in events if isinstance(event, Granted)]

    assert subjects("bank") == ["bank-1", "bank-2"]
    assert subjects("telco") == ["telco-1"]
    assert subjects("aid") == ["aid-1", "aid-2", "aid-3"]
    assert subjects("bankers") == ["bankers-3"]
    assert subjects("government") == []


def test_what_was_taken_back_is_told_as_that_alone(node: Database) -> None:
    grant(node, 1)
    grant(node, 2)
    store = GrantedConsents(node)
    store.revoke(consent(1).id, LATER)
    events, _ = store.events("bank", "aid", after=0, limit=10)
    assert [event.sequence for event in events] == [2, 3]
    assert events[1] == Revoked(3, consent(1).id)


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5, 6])
def test_page_by_page_nothing_is_left_out(node: Database, limit: int) -> None:
    store = GrantedConsents(node)
    for number in range(1, 5):
        grant(node, number)
        grant(node, 10 + number, "telco")
    for number in (2, 11, 3):
        store.revoke(consent(number).id, LATER)
    whole, upto = store.events("bank", "aid", after=0, limit=100)
    found, after = [], 0
    while after < upto:
        page, after = store.events("bank", "aid", after=after, limit=limit)
        assert len(page) <= limit
        found += page
    assert found == whole


def test_erasure_leaves_numbers_alone(node: Database) -> None:
    grant(node, 1, under=delegate(node, 9))
    store = GrantedConsents(node)
    with pytest.raises(ConflictError, match="in force"):
        store.erase(consent(1).id)
    store.revoke(consent(1).id, LATER)
    store.erase(consent(1).id)
    found = store.get(consent(1).id)
    assert (found.record, found.salt, found.sequence, found.revoked_sequence) == (None, None, 1, 2)
    with node.read() as connection:
        (row,) = connection.execute(granted_consents.select()).all()
    assert "aid-1" not in str(row)
    assert (row.delegation, found.delegation) == (None, b""), "which would name the person"
    assert store.of_subject("aid-1") == []
    assert store.events("bank", "aid", after=0, limit=9)[0] == [Revoked(2, consent(1).id)]


@pytest.mark.parametrize("act", ["get", "erase", "revoke"])
def test_an_unknown_consent_is_named_as_such(node: Database, act: str) -> None:
    store = GrantedConsents(node)
    with pytest.raises(NotFoundError, match="no such consent"):
        store.revoke(bytes(16), LATER) if act == "revoke" else getattr(store, act)(bytes(16))


def test_acknowledgements_are_kept_as_they_came_first(node: Database) -> None:
    grant(node, 1)
    store = GrantedConsents(node)
    store.revoke(consent(1).id, LATER)
    first, second = Effect(2, (("list", 7),), LATER), Effect(2, (), LATER)
    store.acknowledge("bank", [first])
    store.acknowledge("bank", [second])
    store.acknowledge("telco", [second])
    assert store.get(consent(1).id).effects == {"bank": first, "telco": second}


def test_an_epoch_commits_to_all_that_its_numbers_cover(
    node: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_LISTED", 3)  # what is shown at once bounds nothing else
    store, epochs = GrantedConsents(node), ConsentEpochs(node)
    for number in range(1, 9):
        grant(node, number)
    store.revoke(consent(2).id, LATER)
    records = {number: store.get(consent(number).id).record for number in range(1, 9)}
    wanted = {commitment(record or b"", SALT) for record in records.values()}
    upto, found = epochs.uncommitted(limit=100)
    assert (upto, set(found)) == (9, wanted | {withdrawal(consent(2).id, SALT)})
    upto, found = epochs.uncommitted(limit=5)
    assert (upto, len(found)) == (5, 5)
    epochs.keep_epoch(1, upto, b"".join(found))
    assert epochs.epoch(1) == (5, found)
    assert epochs.epoch(2) is None
    upto, rest = epochs.uncommitted(limit=100)
    assert (upto, len(rest)) == (9, 4)
    assert set(found) | set(rest) == wanted | {withdrawal(consent(2).id, SALT)}
    assert epochs.epoch_of(5) == (1, found)
    assert epochs.epoch_of(6) is None


def test_what_was_erased_is_committed_to_no_more(node: Database) -> None:
    grant(node, 1)
    store, epochs = GrantedConsents(node), ConsentEpochs(node)
    store.revoke(consent(1).id, LATER)
    store.erase(consent(1).id)
    assert epochs.uncommitted(limit=10) == (2, [])


def test_pseudonyms_are_kept_as_they_were_told(node: Database) -> None:
    grant(node, 1, "bank")
    with node.read() as connection:
        (row,) = connection.execute(granted_consents.select()).all()
    assert json.loads(row.subjects) == {"aid": "aid-1", "bank": "bank-1"}


def delegate(database: Database, number: int) -> bytes:
    """Keep a delegation; gives its id."""
    found = delegation(number)
    Delegations(database).keep(found, found.sign(identity("aid")))
    return found.id


def test_a_delegation_takes_what_was_given_under_it_along(node: Database) -> None:
    store, delegations, under = GrantedConsents(node), Delegations(node), delegate(node, 9)
    for number in (1, 2, 3):
        grant(node, number, under=under)
    grant(node, 4)
    store.revoke(consent(2).id, LATER)
    assert delegations.revoke(under, LATER) == [consent(1).id, consent(3).id]
    assert [store.get(consent(number).id).revoked_sequence for number in (1, 2, 3, 4)] == [6, 5, 7, None]
    assert delegations.get(under).revoked_at == LATER
    assert delegations.revoke(under, "2026-12-24T00:00:00Z") == []
    assert delegations.get(under).revoked_at == LATER, "the first time counts"


def test_nothing_is_given_under_a_delegation_that_was_taken_back_meanwhile(node: Database) -> None:
    store, under = GrantedConsents(node), delegate(node, 9)
    Delegations(node).revoke(under, LATER)
    first, late, unknown, last = store.grant(
        draft(1), draft(2, under=under), draft(3, under=bytes(16)), draft(4)
    )
    assert (first, last) == (1, 2) == (store.newest - 1, store.newest), "the others are kept"
    for refused in (late, unknown):
        assert isinstance(refused, ConflictError)
        assert "taken back" in refused.message


def test_many_are_kept_together_or_not_at_all(node: Database) -> None:
    store = GrantedConsents(node)
    assert store.grant(*(draft(number) for number in (1, 2, 3))) == [1, 2, 3]
    with pytest.raises(ConflictError):
        store.grant(draft(4), draft(1))
    assert store.newest == 3
    assert store.all_of([consent(2).id, consent(4).id]).keys() == {consent(2).id}


def test_delegations_are_listed_and_forgotten(node: Database) -> None:
    delegations, ids = Delegations(node), [delegate(node, number) for number in (2, 1)]
    assert [one.id for one in delegations.latest()] == ids
    assert [one.id for one in delegations.of_subject("aid-1")] == [ids[1]]
    with pytest.raises(ConflictError, match="not erased"):
        delegations.erase(ids[1])
    delegations.revoke(ids[1], LATER)
    delegations.erase(ids[1])
    assert delegations.get(ids[1]).record is None
    assert delegations.of_subject("aid-1") == []
    for act in (delegations.get, lambda one: delegations.revoke(one, LATER)):
        with pytest.raises(NotFoundError, match="no such delegation"):
            act(bytes(16))
