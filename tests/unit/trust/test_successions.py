"""Successions: the same party under new keys, and what the former ones are still good for."""

from __future__ import annotations

import json

import pytest
from support.membership import CONSORTIUM, GOVERNMENT, Consortium, keys, signed

from trisect.errors import VerificationError
from trisect.trust.keys import IdentityPublic
from trisect.trust.membership import Membership
from trisect.trust.statements import Role


@pytest.fixture
def found() -> Consortium:
    return Consortium.founded(("telco", Role.PROVIDER))


def test_a_succession_needs_both_keys(found: Consortium) -> None:
    succession = found.succession("telco", "telco2")
    for signers in (("telco",), ("telco2",), ("telco", "telco"), (GOVERNMENT,), (GOVERNMENT, "telco2")):
        with pytest.raises(VerificationError):
            found.membership.apply(signed(succession, *signers))
    assert found.membership.party("telco").keys == keys("telco")
    found.take(succession, "telco", "telco2")
    telco = found.membership.party("telco")
    assert telco.keys == keys("telco2")
    assert telco.former_identities == (keys("telco").identity.raw,)
    with pytest.raises(VerificationError):
        found.take(found.succession("telco", "telco3"), "telco", "telco3")
    found.take(found.succession("telco", "telco3"), "telco2", "telco3")


def test_a_succession_to_the_same_key_does_not_count_one_key_twice(found: Consortium) -> None:
    with pytest.raises(VerificationError):
        found.take(found.succession("telco", "telco"), "telco")


def test_a_founder_that_was_succeeded_goes_on_signing_with_the_new_key(found: Consortium) -> None:
    found.take(found.succession(GOVERNMENT, "successor"), GOVERNMENT, "successor")
    with pytest.raises(VerificationError):
        found.take(found.admission("newcomer"), GOVERNMENT)
    found.take(found.admission("newcomer"), "successor")
    assert found.membership.founder == keys(GOVERNMENT).identity.fingerprint


def test_a_succession_cannot_be_put_behind_another_founder(found: Consortium) -> None:
    """A coordinator takes the new key's signature out of the true statement, and signs for the old key itself."""
    genuine = json.loads(signed(found.succession(GOVERNMENT, "successor", serial=2), GOVERNMENT, "successor"))
    theirs = keys("successor").identity.raw.hex()
    forged = Consortium(Membership(CONSORTIUM))
    forged.take(forged.founding(keys=keys("impostor")), "impostor")
    # The same statement but for the former key: whoever has not signed that has not signed this.
    made = json.loads(
        signed(
            forged.succession(GOVERNMENT, "successor", former=keys(GOVERNMENT).identity),
            "impostor",
            "successor",
        )
    )
    made["signatures"] = [
        *(one for one in made["signatures"] if one["keyid"] != theirs),
        *(one for one in genuine["signatures"] if one["keyid"] == theirs),
    ]
    assert made["payload"] == genuine["payload"], "the genuine signature is over these very bytes"
    with pytest.raises(VerificationError, match="another former key"):
        forged.membership.apply(json.dumps(made).encode())
    assert forged.membership.party(GOVERNMENT).keys == keys("impostor")


def test_a_key_that_was_given_up_does_not_come_back(found: Consortium) -> None:
    found.take(found.succession("telco", "telco2"), "telco", "telco2")
    with pytest.raises(VerificationError, match="does not come back"):
        found.take(found.succession("telco", "telco"), "telco2", "telco")
    found.take(found.succession("telco", "telco3"), "telco2", "telco3")
    assert found.membership.party("telco").keys == keys("telco3")


def test_who_may_sign_what_an_exchange_needs_after_its_end(found: Consortium) -> None:
    for before, after in (("telco", "telco2"), ("telco2", "telco3")):
        found.take(found.succession("telco", after), before, after)
    telco = found.membership.party("telco")

    def since(name: str) -> list[IdentityPublic]:
        return list(telco.identities_since(keys(name).identity.fingerprint))

    line = [keys(name).identity for name in ("telco", "telco2", "telco3")]
    assert [since(name) for name in ("telco", "telco2", "telco3")] == [line, line[1:], line[2:]]
    assert since("stranger") == line[2:]
    again = found.admission("telco", keys=keys("telco4"))
    found.take(again)
    telco = found.membership.party("telco")
    assert since("telco") == [keys("telco4").identity], "a new admission begins a new line"
