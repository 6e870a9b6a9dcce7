"""Whose key is whose: no key under two names, and no rights for a key that nobody has admitted."""

from __future__ import annotations

import pytest
from support.membership import GOVERNMENT, keys, signed
from unit.coordinator.office import Office, redeem

from coordinator.registry import stored_keys
from trisect.errors import ConflictError, DeniedError, VerificationError
from trisect.trust.membership import Membership
from trisect.trust.statements import Standing


def test_a_key_is_not_enrolled_under_a_second_name(office: Office) -> None:
    office.founded().join("telco")
    invitation = office.invited("bank")
    with pytest.raises(ConflictError, match="under another name") as caught:
        redeem(office.registry, invitation, "telco")
    assert "empty folder" in caught.value.hint
    assert redeem(office.registry, invitation, "bank"), "the attempt did not use the invitation up"


def test_nor_is_a_key_that_was_another_partys_once(office: Office) -> None:
    office.founded().join("telco")
    office.publish(office.consortium.admission("telco"))
    office.publish(office.consortium.succession("telco", "telco2"), "telco", "telco2", by="telco")
    office.join("telco", key="telco3")
    for key in ("telco", "telco2", "telco3"):
        with pytest.raises(ConflictError, match="under another name"):
            office.join("bank", key=key)


def test_the_same_party_joins_again_with_its_own_key(office: Office) -> None:
    office.founded().join("telco")
    office.publish(office.consortium.admission("telco"))
    office.join("telco")
    assert office.registry.require_member("telco").keys == keys("telco")


def test_a_party_with_a_new_key_is_no_member_before_it_is_admitted_anew(office: Office) -> None:
    registry = office.founded().registry
    office.join("telco")
    office.publish(office.consortium.admission("telco"))
    office.join("telco", key="telco-new")
    for found in (registry, office.reopened()):
        with pytest.raises(
            DeniedError, match="not been admitted with the key that it joined with last"
        ) as no:
            found.require_member("telco")
        assert "party admit telco" in no.value.hint
        found.require_enrolled("telco")
    office.publish(office.consortium.admission("telco", keys=keys("telco-new")))
    assert registry.require_member("telco").keys == keys("telco-new")
    office.publish(office.consortium.standing("telco", Standing.SUSPENDED))
    with pytest.raises(DeniedError, match="suspended"):
        registry.require_member("telco")


def test_a_party_whose_key_was_succeeded_stays_a_member(office: Office) -> None:
    office.founded().join("telco")
    office.publish(office.consortium.admission("telco"))
    office.publish(office.consortium.succession("telco", "telco2"), "telco", "telco2", by="telco")
    assert office.registry.require_member("telco").keys == keys("telco2")


def test_an_enrolment_follows_its_succession(office: Office) -> None:
    office.founded().join("telco")
    office.publish(office.consortium.admission("telco"))
    office.publish(office.consortium.succession("telco", "telco2"), "telco", "telco2", by="telco")
    office.publish(office.consortium.succession("telco", "telco3"), "telco2", "telco3", by="telco")
    for registry in (office.registry, office.reopened()):
        assert [stored_keys(party) for party, _ in registry.enrolled() if party.party == "telco"] == [
            keys("telco3")
        ]
        assert registry.applicants() == []
        assert registry.require_member("telco").keys == keys("telco3")


def test_a_node_that_has_not_seen_its_succession_yet_may_join_again(office: Office) -> None:
    """It was killed when the statement was published, and its certificate has expired meanwhile."""
    office.founded().join("telco")
    office.publish(office.consortium.admission("telco"))
    office.publish(office.consortium.succession("telco", "telco2"), "telco", "telco2", by="telco")
    office.join("telco")
    assert office.registry.require_member("telco").keys == keys("telco2")
    assert office.registry.applicants() == []


def test_a_succession_does_not_push_out_a_party_that_has_joined_anew(office: Office) -> None:
    """Whoever holds the lost key cannot keep the government from admitting the new one."""
    office.founded().join("telco")
    office.publish(office.consortium.admission("telco"))
    office.join("telco", key="telco-new")
    office.publish(office.consortium.succession("telco", "thief"), "telco", "thief", by="telco")
    for registry in (office.registry, office.reopened()):
        assert [party.identity for party in registry.applicants()] == [keys("telco-new").identity.raw]
        with pytest.raises(DeniedError, match="joined with last"):
            registry.require_member("telco")
    office.publish(office.consortium.admission("telco", keys=keys("telco-new")))
    assert office.registry.require_member("telco").keys == keys("telco-new")


def test_nobody_succeeds_to_another_partys_key(office: Office) -> None:
    office.founded().join("telco")
    office.publish(office.consortium.admission("telco"))
    office.join("bank")
    before = office.registry.newest
    with pytest.raises(ConflictError, match="under another name"):
        office.publish(office.consortium.succession("telco", "bank"), "telco", "bank", by="telco")
    assert office.registry.newest == before
    assert office.registry.require_member("telco").keys == keys("telco")


def test_only_the_party_itself_publishes_its_succession(office: Office) -> None:
    office.founded().join("telco")
    office.publish(office.consortium.admission("telco"))
    with pytest.raises(DeniedError, match="its issuer only"):
        office.publish(office.consortium.succession("telco", "telco2"), "telco", "telco2", by=GOVERNMENT)


def test_an_invitation_names_the_founders_first_key_for_ever(office: Office) -> None:
    office.founded()
    succession = office.consortium.succession(GOVERNMENT, "successor")
    office.publish(succession, GOVERNMENT, "successor", by=GOVERNMENT)
    for registry in (office.registry, office.reopened()):
        assert registry.membership.founder == keys(GOVERNMENT).identity.fingerprint
    newcomer = Membership("anti-fraud", office.invite("telco").founder)
    for _, envelope in office.registry.statements_after(0):
        newcomer.apply(envelope)
    assert newcomer.party(GOVERNMENT).keys == keys("successor")
    office.join("telco")
    envelope = signed(office.consortium.admission("telco"), "successor")
    assert office.registry.publish(GOVERNMENT, envelope) == 3
    newcomer.apply(envelope)
    with pytest.raises(VerificationError):
        office.publish(office.consortium.standing("telco", Standing.SUSPENDED))
