"""Whose key is whose: no key under two names, and no rights for a key that nobody has admitted."""

from __future__ import annotations

import pytest
from support.membership import keys
from unit.coordinator.office import Office, redeem

from trisect.errors import ConflictError, DeniedError
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
