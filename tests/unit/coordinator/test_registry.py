"""Enrolment and membership at the coordinator: who may be invited, by which key, and what is published."""

from __future__ import annotations

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.membership import GOVERNMENT, Consortium, drawn, identity, keys, signed
from unit.coordinator.office import HOUR, Office, csr, invitation_id, redeem

from coordinator.authority import new_invitation_id
from trisect.clock import to_text
from trisect.errors import (
    BadInputError,
    ConflictError,
    DeniedError,
    StaleError,
    TrisectError,
    UnauthenticatedError,
    VerificationError,
)
from trisect.trust import certificates
from trisect.trust.certificates import Caller, Principal
from trisect.trust.filings import VettingFiling
from trisect.trust.invitations import Invitation
from trisect.trust.statements import KeyCheck, PartyKeys, Role, Standing

ROLES = {GOVERNMENT: Role.GOVERNMENT, "telco": Role.PROVIDER, "office": Role.GOVERNMENT}


def test_the_founding_government_comes_first(office: Office) -> None:
    for role in ("provider", "proxy"):
        with pytest.raises(ConflictError, match="first party must be the government") as caught:
            office.invite("telco", role)
        assert "--role government" in caught.value.hint
    invitation = office.invite(GOVERNMENT, "government")
    assert invitation.founder is None
    with pytest.raises(ConflictError, match="another government party"):
        office.invite("office", "government")
    office.invite(GOVERNMENT, "government")
    redeem(office.registry, invitation_id(invitation), GOVERNMENT)
    with pytest.raises(ConflictError):
        office.invite("telco")
    office.publish(office.consortium.founding())
    assert office.invite("telco").founder == keys(GOVERNMENT).identity.fingerprint


def test_an_invitation_carries_all_that_a_node_checks(office: Office) -> None:
    office.founded()
    found = Invitation.from_text(office.invite("telco").to_text())
    assert (found.consortium, found.party, found.role) == ("anti-fraud", "telco", "provider")
    assert found.coordinator == "relay.example:7443"
    assert found.authority_fingerprint == office.authority.fingerprint
    assert found.expires_at == "2026-11-01T01:00:00Z"
    certificates.check_client_leaf(found.certificate.encode())
    assert invitation_id(office.invite("telco")) != invitation_id(office.invite("telco"))


@pytest.mark.parametrize(
    ("party", "role", "ttl"),
    [
        ("Telco", "government", HOUR),
        ("", "government", HOUR),
        ("a/b", "government", HOUR),
        ("telco", "king", HOUR),
        ("telco", "", HOUR),
        ("telco", "government", dt.timedelta()),
        ("telco", "government", -HOUR),
        ("telco", "government", dt.timedelta(days=30, seconds=1)),
    ],
)
def test_a_wrong_invitation_is_refused_in_words(
    office: Office, party: str, role: str, ttl: dt.timedelta
) -> None:
    with pytest.raises(BadInputError) as caught:
        office.invite(party, role, ttl)
    assert caught.value.hint


def test_a_member_is_not_invited_in_another_role(office: Office) -> None:
    office.founded().join("telco")
    office.publish(office.consortium.admission("telco"))
    with pytest.raises(ConflictError, match="provider already"):
        office.invite("telco", "proxy")


def test_redeeming_gives_a_leaf_in_the_name_of_the_invitation(office: Office) -> None:
    office.founded()
    leaf = office.join("telco")
    certificates.check_client_leaf(leaf)
    request = csr("telco")
    again = Principal("anti-fraud", Caller.PARTY, "telco")
    assert certificates.request_key(request)
    from cryptography import x509

    names = x509.load_pem_x509_certificate(leaf).extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    assert names.value.get_values_for_type(x509.UniformResourceIdentifier) == [again.uri]
    assert [(party.party, state) for party, state in office.registry.enrolled()] == [
        (GOVERNMENT, "active"),
        ("telco", "applicant"),
    ]
    assert [party.party for party in office.registry.applicants()] == ["telco"]


def test_the_same_key_gets_the_same_certificate_until_the_invitation_expires(office: Office) -> None:
    office.founded()
    invitation = office.invited("telco")
    leaf = redeem(office.registry, invitation, "telco")
    office.now += HOUR - dt.timedelta(seconds=1)
    assert redeem(office.reopened(), invitation, "telco") == leaf
    office.now += dt.timedelta(seconds=1)
    with pytest.raises(DeniedError, match="expired at 2026-11-01T01:00:00Z"):
        redeem(office.registry, invitation, "telco")
    assert office.registry.contested() == []


@pytest.mark.parametrize(("key", "tls"), [("thief", "thief"), ("telco", "thief"), ("thief", "telco")])
def test_a_second_key_is_refused_and_the_inviter_is_told(office: Office, key: str, tls: str) -> None:
    office.founded()
    invitation = office.invited("telco")
    leaf = redeem(office.registry, invitation, "telco")
    with pytest.raises(DeniedError, match="redeemed with another key") as caught:
        redeem(office.registry, invitation, key, tls=tls)
    assert "administrator at once" in caught.value.hint
    assert office.registry.contested() == ["telco"]
    assert redeem(office.registry, invitation, "telco") == leaf
    assert [party.identity for party in office.registry.applicants()] == [keys("telco").identity.raw]


def test_an_expired_and_an_unknown_invitation(office: Office) -> None:
    office.founded()
    invitation = office.invited("telco")
    office.now += HOUR
    with pytest.raises(DeniedError, match="expired"):
        redeem(office.registry, invitation, "telco")
    with pytest.raises(DeniedError, match="does not know"):
        redeem(office.registry, "ab" * 16, "telco")
    assert office.registry.applicants() == []


def test_who_joins_is_told_whether_the_party_is_admitted(office: Office) -> None:
    """Also by an invitation that it has redeemed before."""
    office.founded()
    invitation = office.invited("telco")
    redeemed = invitation, csr("telco"), keys("telco"), identity("telco").private.sign(csr("telco"))
    assert [office.registry.redeem(*redeemed)[1] for _ in range(2)] == ["applicant"] * 2
    office.publish(office.consortium.admission("telco", Role.PROVIDER))
    assert office.registry.redeem(*redeemed)[1] == "active"
    anew = office.invited("telco")
    assert office.registry.redeem(anew, *redeemed[1:])[1] == "active"


def test_the_identity_key_must_have_signed_the_request(office: Office) -> None:
    office.founded()
    invitation = office.invited("telco")
    request = csr("telco")
    for proof in (
        b"",
        bytes(64),
        identity("thief").private.sign(request),
        identity("telco").private.sign(b"x"),
    ):
        with pytest.raises(VerificationError):
            office.registry.redeem(invitation, request, keys("telco"), proof)
    mixed = PartyKeys(keys("telco").identity, keys("thief").sealing, keys("telco").sealing_signature)
    with pytest.raises(VerificationError):
        office.registry.redeem(invitation, request, mixed, identity("telco").private.sign(request))
    proof = identity("telco").private.sign(b"junk")
    with pytest.raises(VerificationError):
        office.registry.redeem(invitation, b"junk", keys("telco"), proof)
    assert redeem(office.registry, invitation, "telco"), "none of these used the invitation up"


def test_of_fifty_joins_that_race_exactly_one_wins(office: Office) -> None:
    office.founded()
    invitation = office.invited("telco")
    names = [f"racer-{number}" for number in range(50)]
    for name in names:
        keys(name), csr(name)
    start = threading.Barrier(len(names))

    def race(name: str) -> str | None:
        start.wait()
        try:
            redeem(office.registry, invitation, name)
        except DeniedError:
            return None
        return name

    with ThreadPoolExecutor(len(names)) as pool:
        won = [name for name in pool.map(race, names) if name]
    assert len(won) == 1
    assert [party.identity for party in office.registry.applicants()] == [keys(won[0]).identity.raw]
    assert office.registry.contested() == ["telco"]


def test_renewal_is_for_whoever_holds_the_identity_key(office: Office) -> None:
    office.founded().join("telco")
    request = certificates.signing_request(certificates.new_tls_key())
    leaf = office.registry.renew("telco", request, identity("telco").private.sign(request))
    certificates.check_client_leaf(leaf)
    with pytest.raises(VerificationError):
        office.registry.renew("telco", request, identity("thief").private.sign(request))
    with pytest.raises(UnauthenticatedError):
        office.registry.renew("nobody", request, identity("telco").private.sign(request))
    office.publish(office.consortium.admission("telco"))
    office.publish(office.consortium.succession("telco", "telco2"), "telco", "telco2", by="telco")
    with pytest.raises(VerificationError):
        office.registry.renew("telco", request, identity("telco").private.sign(request))
    assert office.registry.renew("telco", request, identity("telco2").private.sign(request))


def test_an_admission_must_name_the_key_and_role_that_enrolled(office: Office) -> None:
    office.founded().join("telco")
    for admission, reason in (
        (office.consortium.admission("telco", keys=keys("thief")), "has not enrolled with"),
        (office.consortium.admission("stranger"), "has not enrolled with"),
        (office.consortium.admission("telco", Role.PROXY), "invited as provider"),
    ):
        with pytest.raises(VerificationError, match=reason):
            office.publish(admission)
    assert office.registry.newest == 1
    assert office.publish(office.consortium.admission("telco")) == 2
    assert office.registry.applicants() == []


def test_a_statement_is_published_by_its_issuer_only(office: Office) -> None:
    office.founded().join("telco")
    envelope = signed(office.consortium.admission("telco"), GOVERNMENT)
    with pytest.raises(DeniedError, match="its issuer only"):
        office.registry.publish("telco", envelope)
    assert office.registry.newest == 1
    assert "telco" not in office.registry.membership.parties
    assert office.registry.publish(GOVERNMENT, envelope) == 2


def test_a_forged_statement_leaves_no_trace(office: Office) -> None:
    office.founded().join("telco")
    for envelope in (b"", b"{}", signed(office.consortium.admission("telco"), "telco")):
        with pytest.raises(TrisectError):
            office.registry.publish(GOVERNMENT, envelope)
    assert office.registry.newest == 1
    assert len(office.registry.statements_after(0)) == 1


def test_where_the_store_refuses_the_directory_stays(office: Office) -> None:
    """Two coordinators over one database: the later one is behind and must not show what was not stored."""
    office.founded().join("telco")
    other = office.reopened()
    office.publish(office.consortium.admission("telco"))
    late = Consortium(other.membership.copy())
    with pytest.raises(ConflictError):
        other.publish(GOVERNMENT, signed(late.admission("telco", key_check=KeyCheck.NONE), GOVERNMENT))
    assert "telco" not in other.membership.parties
    assert other.newest == 1


def test_a_restart_comes_to_the_same_directory(office: Office) -> None:
    office.founded().join("telco")
    office.publish(office.consortium.admission("telco"))
    office.publish(office.consortium.standing("telco", Standing.SUSPENDED))
    again = office.reopened()
    assert again.newest == office.registry.newest == 3
    assert again.membership.parties == office.registry.membership.parties
    assert again.membership.founder == office.registry.membership.founder


def test_standing_decides_what_a_party_may_do(office: Office) -> None:
    registry = office.founded().registry
    with pytest.raises(UnauthenticatedError):
        registry.require_enrolled("telco")
    with pytest.raises(DeniedError, match="not been admitted"):
        registry.require_member("telco")
    office.join("telco")
    registry.require_enrolled("telco")
    with pytest.raises(DeniedError, match="not been admitted"):
        registry.require_member("telco")
    office.publish(office.consortium.admission("telco"))
    assert registry.require_member("telco").keys == keys("telco")
    office.publish(office.consortium.standing("telco", Standing.SUSPENDED))
    registry.require_enrolled("telco")
    with pytest.raises(DeniedError, match="suspended"):
        registry.require_member("telco")
    office.expel("telco")
    for check in (registry.require_enrolled, registry.require_member):
        with pytest.raises(DeniedError, match="expelled"):
            check("telco")
    assert {party.party: state for party, state in registry.enrolled()}["telco"] == "expelled"


def test_a_lost_key_comes_back_by_a_new_invitation_and_a_new_admission(office: Office) -> None:
    office.founded().join("telco")
    office.publish(office.consortium.admission("telco"))
    office.join("telco", key="telco-new")
    assert [party.identity for party in office.registry.applicants()] == [keys("telco-new").identity.raw]
    office.publish(office.consortium.admission("telco", keys=keys("telco-new")))
    assert office.registry.applicants() == []
    assert office.registry.require_member("telco").keys == keys("telco-new")


def test_the_coordinators_own_certificate_renews_itself(office: Office) -> None:
    first = office.authority.own()
    assert office.authority.own() is first
    office.now += dt.timedelta(days=19)
    assert office.authority.own() is first
    office.now += dt.timedelta(days=2)
    second = office.authority.own()
    assert second.certificate != first.certificate
    assert certificates.validity(second.certificate)[1] > certificates.validity(first.certificate)[1]


def test_an_invitation_id_is_sixteen_random_bytes() -> None:
    assert new_invitation_id(drawn("x")) == drawn("x")(16).hex()


@pytest.mark.parametrize(("ahead_s", "taken"), [(-86_400, True), (60, True), (61, False)])
def test_a_filing_of_a_time_that_has_not_come_is_refused(office: Office, ahead_s: int, taken: bool) -> None:
    office.founded()
    issued = to_text(office.now + dt.timedelta(seconds=ahead_s))
    content = {
        "reviewer": "licensing",
        "evidence": "file 7",
        "expires": to_text(office.now + dt.timedelta(9)),
    }
    filing = office.consortium.filing(VettingFiling, GOVERNMENT, content, issued=issued)
    if taken:
        office.publish(filing)
        return
    with pytest.raises(StaleError, match="and here it is"):
        office.publish(filing)
