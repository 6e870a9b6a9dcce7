"""Who belongs, by signed statements alone: a table of attempts, most of them forged."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.membership import CONSORTIUM, GOVERNMENT, Consortium, identity, keys, signed

from trisect.errors import ConflictError, NotFoundError, TrisectError, VerificationError
from trisect.trust import documents
from trisect.trust import membership as module
from trisect.trust.filings import Statement
from trisect.trust.keys import PartyName
from trisect.trust.membership import Membership
from trisect.trust.statements import KeyCheck, PartyKeys, Role, Standing

PARTIES = (("telco", Role.PROVIDER), ("bank", Role.PROVIDER), ("office", Role.GOVERNMENT))


@pytest.fixture
def found() -> Consortium:
    return Consortium.founded(*PARTIES)


def test_a_founder_founds_and_others_follow(found: Consortium) -> None:
    parties = found.membership.parties
    assert list(parties) == [GOVERNMENT, "telco", "bank", "office"]
    assert {party.standing for party in parties.values()} == {Standing.ACTIVE}
    assert parties[PartyName(GOVERNMENT)].key_check is KeyCheck.FOUNDER
    assert parties[PartyName("telco")].keys == keys("telco")
    assert found.membership.next_serial(PartyName("telco")) == 2
    assert found.membership.next_serial(PartyName("nobody")) == 1


def test_another_founder_than_the_pinned_one_is_refused() -> None:
    found = Consortium()
    with pytest.raises(VerificationError, match="the invitation names"):
        found.take(found.founding("impostor"), "impostor")
    with pytest.raises(VerificationError, match="the invitation names"):
        found.take(found.founding(keys=keys("impostor")), "impostor")
    assert found.membership.founder == keys(GOVERNMENT).identity.fingerprint
    assert not found.membership.parties
    found.take(found.founding())


def test_the_pinned_founder_must_have_signed() -> None:
    found = Consortium()
    with pytest.raises(VerificationError, match="not signed by whom it must be"):
        found.take(found.founding(), "impostor")
    assert not found.membership.parties


def test_without_a_pin_the_first_founder_is_pinned() -> None:
    found = Consortium(Membership(CONSORTIUM))
    found.take(found.founding())
    assert found.membership.founder == keys(GOVERNMENT).identity.fingerprint


@pytest.mark.parametrize(
    "first",
    [
        lambda found: found.founding(role=Role.PROVIDER),
        lambda found: found.founding(key_check=KeyCheck.FINGERPRINT),
        lambda found: found.founding(issuer=PartyName("telco")),
        lambda found: found.admission("telco"),
        lambda found: found.standing(GOVERNMENT, Standing.SUSPENDED),
        lambda found: found.grant(GOVERNMENT, 0),
    ],
)
def test_only_a_founding_admission_comes_first(first: Callable[[Consortium], Statement]) -> None:
    found = Consortium()
    with pytest.raises(VerificationError, match="not a founding admission"):
        found.take(first(found), GOVERNMENT)
    with pytest.raises(NotFoundError):
        found.take(found.succession(GOVERNMENT, "new"), GOVERNMENT, "new")
    assert not found.membership.parties


def statements(found: Consortium) -> dict[str, Statement]:
    return {
        "admission": found.admission("newcomer"),
        "suspension": found.standing("telco", Standing.SUSPENDED),
        "expulsion": found.standing("telco", Standing.EXPELLED),
        "grant": found.grant("telco", 0),
        "coordinator's key": found.coordinator_key(),
    }


KINDS = list(statements(Consortium()))


@pytest.mark.parametrize("kind", KINDS)
def test_each_statement_passes_when_a_government_signs(found: Consortium, kind: str) -> None:
    found.take(statements(found)[kind])
    other = Consortium.founded(*PARTIES)
    other.take(other.grant("bank", 0))
    other.take(dataclasses.replace(statements(other)[kind], issuer=PartyName("office")), "office")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("signers", [(), ("telco",), ("impostor",), ("office",), ("telco", "bank", "office")])
def test_nobody_signs_for_the_issuer(found: Consortium, kind: str, signers: tuple[str, ...]) -> None:
    before = found.state()
    with pytest.raises(VerificationError):
        found.membership.apply(signed(statements(found)[kind], *signers))
    assert found.state() == before


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("issuer", ["telco", "bank"])
def test_a_provider_makes_no_statements(found: Consortium, kind: str, issuer: str) -> None:
    before = found.state()
    statement = dataclasses.replace(statements(found)[kind], issuer=PartyName(issuer))
    with pytest.raises(VerificationError, match="no government party"):
        found.take(statement, issuer)
    assert found.state() == before


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("standing", [Standing.SUSPENDED, Standing.EXPELLED])
def test_a_government_out_of_standing_makes_none_either(
    found: Consortium, kind: str, standing: Standing
) -> None:
    found.take(found.standing("office", standing))
    statement = dataclasses.replace(statements(found)[kind], issuer=PartyName("office"))
    with pytest.raises(VerificationError, match=standing.value):
        found.take(statement, "office")


def test_a_stranger_makes_none(found: Consortium) -> None:
    with pytest.raises(NotFoundError):
        found.take(found.admission("impostor", issuer=PartyName("impostor")), "impostor")


@pytest.mark.parametrize("kind", KINDS)
def test_statements_of_another_consortium_are_refused(found: Consortium, kind: str) -> None:
    with pytest.raises(VerificationError, match="another consortium"):
        found.take(dataclasses.replace(statements(found)[kind], consortium="another"))


def test_a_signed_document_of_another_kind_is_no_statement(found: Consortium) -> None:
    body = found.admission("newcomer").to_body()
    from support.membership import identity

    with pytest.raises(VerificationError, match="no kind that this version knows"):
        found.membership.apply(documents.sign("offer.v1", body, [identity(GOVERNMENT)]))
    for other in ("succession.v1", "standing.v1", "pepper-grant.v1"):
        with pytest.raises(TrisectError):
            found.membership.apply(documents.sign(other, body, [identity(GOVERNMENT)]))
    assert "newcomer" not in found.membership.parties


def test_the_payload_type_is_signed_too(found: Consortium) -> None:
    """An admission relabelled as a succession does not verify, though its fields would do."""
    envelope = json.loads(
        signed(found.admission("telco", keys=keys("newcomer")), GOVERNMENT, "telco", "newcomer")
    )
    envelope["payloadType"] = documents.payload_type("succession.v1")
    with pytest.raises(VerificationError):
        found.membership.apply(json.dumps(envelope).encode())


def test_a_second_founder_is_refused(found: Consortium) -> None:
    with pytest.raises(VerificationError, match="one founder only"):
        found.take(found.admission("second", Role.GOVERNMENT, key_check=KeyCheck.FOUNDER))
    with pytest.raises(NotFoundError):
        found.take(found.founding("second"), "second")
    with pytest.raises(VerificationError, match="one founder only"):
        found.take(found.founding())


@pytest.mark.parametrize("offset", [-1, 1, 100])
@pytest.mark.parametrize("kind", ["standing", "admission", "succession"])
def test_serials_rise_one_by_one(found: Consortium, kind: str, offset: int) -> None:
    due = found.membership.next_serial(PartyName("telco"))
    made: Statement
    signers: tuple[str, ...] = (GOVERNMENT,)
    match kind:
        case "standing":
            made = found.standing("telco", Standing.SUSPENDED, serial=due + offset)
        case "admission":
            made = found.admission("telco", serial=due + offset)
        case _:
            made = found.succession("telco", "telco2", serial=due + offset)
            signers = ("telco", "telco2")
    with pytest.raises(ConflictError, match=f"expected {due}"):
        found.take(made, *signers)


def test_an_old_statement_is_not_played_again(found: Consortium) -> None:
    old = [
        signed(found.founding(serial=1), GOVERNMENT),
        signed(found.admission("telco", serial=1), GOVERNMENT),
        signed(found.standing("telco", Standing.SUSPENDED), GOVERNMENT),
    ]
    found.membership.apply(old[2])
    reinstated = signed(found.standing("telco", Standing.ACTIVE), GOVERNMENT)
    found.membership.apply(reinstated)
    found.take(found.standing("telco", Standing.EXPELLED))
    before = found.state()
    for envelope in (*old, reinstated):
        with pytest.raises((ConflictError, VerificationError)):
            found.membership.apply(envelope)
    assert found.state() == before


def test_a_party_keeps_its_role(found: Consortium) -> None:
    with pytest.raises(VerificationError, match="admitted as provider before"):
        found.take(found.admission("telco", Role.GOVERNMENT))


def test_a_sealing_key_that_the_identity_has_not_signed_is_refused(found: Consortium) -> None:
    mixed = PartyKeys(keys("newcomer").identity, keys("bank").sealing, keys("newcomer").sealing_signature)
    with pytest.raises(VerificationError, match="signature"):
        found.take(found.admission("newcomer", keys=mixed))


def test_only_the_eldest_active_government_begins_an_epoch_and_only_the_next(found: Consortium) -> None:
    office = {"issuer": PartyName("office")}
    assert (found.membership.pepper_keeper, found.membership.pepper_epoch) == ("government", -1)
    for grant in (found.grant("telco", 1), found.grant("telco", 0, **office)):
        with pytest.raises(VerificationError, match="only government begins the next"):
            found.take(grant, grant.issuer)
    found.take(found.grant("telco", 0))
    found.take(found.grant("bank", 0, **office), "office")
    with pytest.raises(VerificationError, match="only government begins the next"):
        found.take(found.grant("bank", 1, **office), "office")
    found.take(found.standing("government", Standing.SUSPENDED, **office), "office")
    assert found.membership.pepper_keeper == "office"
    found.take(found.grant("bank", 1, **office), "office")
    assert found.membership.pepper_epoch == 1


def test_a_founder_admitted_anew_makes_peppers_again(found: Consortium) -> None:
    found.take(found.grant("government", 0))
    office = {"issuer": PartyName("office")}
    again = found.admission("government", Role.GOVERNMENT, keys=keys("newcomer"), **office)
    found.take(again, "office")
    assert found.membership.pepper_keeper == "government"
    assert found.membership.party("government").pepper_epoch == -1


def test_peppers_are_granted_forwards_only(found: Consortium) -> None:
    for epoch in range(4):
        found.take(found.grant("bank", epoch))
    found.take(found.grant("telco", 0))
    found.take(found.grant("telco", 3))
    with pytest.raises(ConflictError, match="granted pepper epoch 3"):
        found.take(found.grant("telco", 3))
    assert found.membership.party("telco").pepper_epoch == 3
    with pytest.raises(ConflictError, match="granted pepper epoch 3"):
        found.take(found.grant("telco", 2))
    with pytest.raises(NotFoundError):
        found.take(found.grant("nobody", 0))
    with pytest.raises(VerificationError, match="serial"):
        found.take(found.grant("telco", -1))
    assert found.membership.next_serial(PartyName("telco")) == 2, "a grant does not use a serial up"


def test_the_coordinators_keys_follow_one_another(found: Consortium) -> None:
    found.take(found.coordinator_key("first"))
    before = found.state()
    for serial in (0, 1, 3):
        with pytest.raises((ConflictError, VerificationError)):
            found.take(found.coordinator_key("second", serial=serial))
    for again in (found.coordinator_key("first"), found.coordinator_key("second", party=PartyName("telco"))):
        with pytest.raises(VerificationError):
            found.take(again)
    assert found.state() == before
    found.take(found.coordinator_key("second", issuer=PartyName("office")), "office")
    assert found.membership.coordinator_keys == (identity("first").public, identity("second").public)


def test_a_consortium_is_not_endless(found: Consortium, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_PARTIES", 4)
    with pytest.raises(ConflictError, match="at most 4"):
        found.take(found.admission("newcomer"))


@pytest.mark.parametrize(
    "changes",
    [
        {"serial": 0},
        {"serial": True},
        {"serial": "1"},
        {"party": "../etc"},
        {"role": "king"},
        {"issuer": 7},
        {"identity": "?"},
        {"identity": ""},
        {"sealing": None},
        {"key_check": "yes"},
        {"issued": 5},
    ],
    ids=str,
)
def test_malformed_statements_are_refused(found: Consortium, changes: dict[str, Any]) -> None:
    body = found.admission("newcomer").to_body() | changes
    before = found.state()
    with pytest.raises(TrisectError):
        found.membership.apply(documents.sign("admission.v1", body, [identity(GOVERNMENT)]))
    assert found.state() == before


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["admit", "suspend", "reinstate", "expel", "succeed", "grant", "forge", "copy"]),
        st.sampled_from(["telco", "bank", "office", "newcomer"]),
        st.integers(-1, 1),
    ),
    max_size=25,
)


@settings(deadline=None, max_examples=60)
@given(ACTS)
def test_copies_never_alias_and_a_refusal_changes_nothing(acts: list[tuple[str, str, int]]) -> None:
    found = Consortium.founded(*PARTIES)
    holders = {name: name for name, _ in PARTIES} | {"newcomer": "newcomer"}
    kept: list[tuple[Membership, object]] = []
    for act, name, offset in acts:
        if act == "copy":
            kept.append((found.membership, found.state()))
            found = Consortium(found.membership.copy())
            continue
        before, serial = found.state(), found.membership.next_serial(PartyName(name)) + offset
        successor = f"{holders[name]}+" if len(holders[name]) < 12 else name
        made: Statement
        signers: tuple[str, ...] = (GOVERNMENT,)
        match act:
            case "admit":
                made = found.admission(name, dict(PARTIES).get(name, Role.PROXY), serial=max(1, serial))
            case "suspend" | "reinstate" | "expel":
                standing = {"suspend": "suspended", "reinstate": "active", "expel": "expelled"}[act]
                made = found.standing(name, Standing(standing), serial=max(1, serial))
            case "succeed":
                made = found.succession(name, successor, serial=max(1, serial))
                signers = (holders[name], successor)
            case "grant":
                made = found.grant(name, 1 + offset)
            case _:
                made, signers = found.standing(name, Standing.ACTIVE), ("impostor",)
        try:
            found.take(made, *signers)
        except TrisectError:
            assert found.state() == before
        else:
            assert act != "forge"
            assert offset == 0 or act == "grant" or serial < 1
            if act == "succeed":
                holders[name] = successor
            if act == "admit":
                holders[name] = name
        for membership, state in kept:
            assert Consortium(membership).state() == state
    assert found.membership.party(GOVERNMENT).standing is Standing.ACTIVE


def test_the_view_of_parties_cannot_be_written(found: Consortium) -> None:
    with pytest.raises(TypeError):
        found.membership.parties[PartyName("x")] = found.membership.party("telco")  # type: ignore[index]
