"""Delegations: a consent that a proxy gives in a person's name lies within what the person has delegated."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from contract.test_granting import consent, delegation, said
from support.membership import GOVERNMENT, Consortium, identity

from trisect.errors import DeniedError, VerificationError
from trisect.indicators.kinds import Kind
from trisect.record import commitments
from trisect.record.receipts import ConsentReceipt
from trisect.rules.consents import Consent, EpochCommitment, Pressure, commitment
from trisect.rules.delegations import Delegation
from trisect.rules.vocabulary import Purpose
from trisect.trust import documents
from trisect.trust.filings import ConsentsFiling
from trisect.trust.keys import PartyName
from trisect.trust.statements import Role

DELEGATION = delegation(1)


def test_a_delegation_reads_back_and_is_no_consent() -> None:
    key = identity("aid")
    envelope = DELEGATION.sign(key)
    assert Delegation.verify(envelope, key.public) == DELEGATION
    with pytest.raises(VerificationError):
        Consent.verify(envelope, key.public)
    with pytest.raises(VerificationError):
        Delegation.verify(consent(1).sign(key), key.public)


def test_a_consent_within_it_may_be_given() -> None:
    wide = delegation(1, "bank", "telco", "third")
    for given in (consent(1), consent(1, "bank"), replace(consent(1), pressures=(Pressure.BUNDLED,))):
        wide.require(given)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"purposes": (Purpose.CALL_SCREENING, Purpose.SCAM_PREVENTION)}, "the purpose call-screening"),
        ({"kinds": (Kind.EMAIL, Kind.PHONE)}, "the kind email"),
        ({"parties": (PartyName("bank"), PartyName("stranger"))}, "the party stranger"),
        ({"expires": "2027-01-01T00:00:01Z"}, "when the delegation ends"),
        ({"given": "2026-10-31T23:59:59Z"}, "before the delegation"),
        ({"subject": "aid-2"}, "of another person"),
        ({"proxy": PartyName("other")}, "to another proxy"),
        ({"consortium": "d"}, "of another person"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_proxy_out_of_scope_is_refused(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(DeniedError, match=told) as caught:
        DELEGATION.require(replace(consent(1), **changes))
    assert caught.value.rule == "delegation"


def test_a_consent_is_not_freer_than_what_it_rests_on() -> None:
    pressed = replace(DELEGATION, pressures=(Pressure.POWER_IMBALANCE,))
    with pytest.raises(DeniedError, match="power-imbalance"):
        pressed.require(consent(1))
    pressed.require(replace(consent(1), pressures=(Pressure.BUNDLED, Pressure.POWER_IMBALANCE)))


class Proxy:
    """A proxy that commits to one consent, and hands out receipts of it."""

    def __init__(self, given: Consent) -> None:
        self.consortium = Consortium.founded(("aid", Role.PROXY))
        self.key = identity("aid")
        self.record = replace(given, consortium=self.consortium.membership.consortium).sign(self.key)
        leaves = commitments.padded(
            [commitment(self.record, bytes(32))], lambda size: bytes(size - 1) + b"\x01"
        )
        index, path = commitments.proof(leaves, commitment(self.record, bytes(32)))
        content = EpochCommitment(1, 1, len(leaves), commitments.root(leaves)).to_content()
        self.consortium.take(self.consortium.filing(ConsentsFiling, "aid", content))
        self.receipt = ConsentReceipt(self.record, bytes(32), 1, index, len(leaves), path)

    def check(self, under: bytes) -> Consent:
        return replace(self.receipt, delegation=under).check(self.consortium.membership)


def signed(consortium: str, **changes: Any) -> bytes:
    return Delegation(**{**said(1, ()), "consortium": consortium} | changes).sign(identity("aid"))


def test_whoever_has_a_receipt_sees_a_proxy_that_went_beyond() -> None:
    name = Consortium.founded(("aid", Role.PROXY)).membership.consortium
    enough, narrow = signed(name), signed(name, parties=(PartyName("bank"),))
    for under, message in ((enough, ""), (narrow, "has gone beyond its delegation: .* the party telco")):
        proxy = Proxy(replace(consent(1), delegation=documents.payload_hash(under)))
        if not message:
            assert proxy.check(under).delegation == documents.payload_hash(under)
            continue
        with pytest.raises(VerificationError, match=message):
            proxy.check(under)


def test_a_receipt_brings_the_delegation_that_its_consent_names() -> None:
    name = Consortium.founded(("aid", Role.PROXY)).membership.consortium
    under = signed(name)
    proxy = Proxy(replace(consent(1), delegation=documents.payload_hash(under)))
    forged = Delegation(**said(1, ()) | {"consortium": name}).sign(identity(GOVERNMENT))
    for wrong in (b"", signed(name, method="another form"), forged):
        with pytest.raises(VerificationError):
            proxy.check(wrong)
    with pytest.raises(VerificationError):
        Proxy(consent(1)).check(under)
