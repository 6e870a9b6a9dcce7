"""What an asker makes of an answer before it sends an element: one changed field of the permit, and there is no exchange."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from types import SimpleNamespace
from typing import Any

import pytest
from support.membership import GOVERNMENT, Consortium, identity, keys
from support.rulebooks import NOTICE, NOW, TERMS, offer, rulebook

from nodes.exchanges import terms
from nodes.exchanges.asking import Asking
from nodes.exchanges.means import Limits
from trisect.clock import to_text
from trisect.errors import StaleError, TrisectError, VerificationError
from trisect.indicators.kinds import Kind
from trisect.rules import terms as sharing_terms
from trisect.rules.notices import Notice
from trisect.rules.offers import Accept, Offer
from trisect.rules.permit import LIFE, Answer, Permit, propose
from trisect.rules.regime import Regime
from trisect.trust import canonical_json, documents
from trisect.trust.filings import NoticeFiling, RulebookFiling
from trisect.trust.statements import COORDINATOR, Role, Vetting
from trisect.wire.v1 import relay_pb2


class Telco:
    """A node that has made an offer to the bank, and reads what comes back."""

    def __init__(self) -> None:
        consortium = Consortium.founded()
        for name in ("telco", "bank"):
            vetting = Vetting("licensing", "file 7", to_text(NOW + dt.timedelta(days=30)))
            consortium.take(consortium.admission(name, vetting=vetting))
            notice = Notice.parse(NOTICE, Role.PROVIDER)
            consortium.take(consortium.filing(NoticeFiling, name, notice.content))
        consortium.review("telco", "bank")
        consortium.take(consortium.filing(RulebookFiling, GOVERNMENT, rulebook(approvals=1).content))
        self.regime = Regime(consortium.membership)
        self.bank = consortium.membership.party("bank")
        self.now = NOW
        means: Any = SimpleNamespace(
            limits=Limits(64, 5_000_000),
            link=SimpleNamespace(keys=SimpleNamespace(identities=[identity("telco").public])),
            members=SimpleNamespace(
                require_coordinator_key=lambda: identity(COORDINATOR).public, role=Role.PROVIDER
            ),
            regime=self.regime,
            clock=lambda: self.now,
        )
        self.asking = Asking(means)
        self.offer: Offer = offer(
            notice=self.regime.notice_hash("telco"),
            asker_key=keys("telco").identity.fingerprint,
            answerer_key=keys("bank").identity.fingerprint,
        )
        self.envelope = self.offer.sign(identity("telco"))
        self.hash = documents.payload_hash(self.envelope)
        self.terms = TERMS
        answer = Answer(
            b"p" * 16, "c2", 5, frozenset({Kind.PHONE}), "statutory-duty: ATOFL 16", 2_048, 90,
            terms=documents.payload_hash(self.terms.sign(identity("bank"))),
        )  # fmt: skip
        self.permit = propose(self.offer, self.hash, answer, self.regime)

    def answered(
        self,
        permit: Permit,
        *,
        signers: tuple[str, ...] = ("bank", COORDINATOR),
        accepts: Permit | None = None,
    ) -> terms.Terms:
        """Read an answer under a permit, which is signed and accepted unless the test says otherwise."""
        envelope = documents.sign(Permit.KIND, permit.to_body(), [identity(name) for name in signers])
        named = envelope if accepts is None else accepts.sign(identity("bank"))
        accept = Accept(
            self.offer.exchange, self.hash, documents.payload_hash(named), permit.answered_padded, "", b"s" * 32, to_text(self.now)
        )  # fmt: skip
        reply = relay_pb2.OfferReply(
            answer=accept.sign(identity("bank")), permit=envelope, terms=self.terms.sign(identity("bank"))
        )
        return self.asking._read_reply(reply, self.offer, self.envelope, self.bank)


def other(value: Any) -> Any:
    match value:
        case bytes():
            return bytes(value[:-1]) + bytes([value[-1] ^ 1])
        case int():
            return value - 1
        case _:
            return value + "x"


def test_an_answer_that_fits_is_taken() -> None:
    telco = Telco()
    assert telco.answered(telco.permit).permit == telco.permit


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(Permit)])
def test_any_field_changed_under_the_same_signatures_is_refused(field: str) -> None:
    """Whoever stands between, the coordinator too, has no signature of the answerer's under another permit."""
    telco = Telco()
    changed = dataclasses.replace(telco.permit, **{field: other(getattr(telco.permit, field))})
    body = changed.to_body()
    genuine = json.loads(documents.sign(Permit.KIND, telco.permit.to_body(), [identity("bank")]))
    forged = json.loads(documents.sign(Permit.KIND, body, [identity(COORDINATOR)]))
    forged["signatures"] += genuine["signatures"]
    accept = Accept(
        telco.offer.exchange, telco.hash, documents.payload_hash(canonical_json.encode(forged)), changed.answered_padded, "",
        b"s" * 32, to_text(NOW),
    )  # fmt: skip
    reply = relay_pb2.OfferReply(answer=accept.sign(identity("bank")), permit=canonical_json.encode(forged))
    with pytest.raises(TrisectError):
        telco.asking._read_reply(reply, telco.offer, telco.envelope, telco.bank)


OWN = {
    "permit",
    "terms",
    "answered_collection",
    "answered_version",
    "answered_padded",
    "answered_basis",
    "retention_days",
}
"""What the answerer alone has to say; all else follows from the offer, the rulebook and the notices."""


@pytest.mark.parametrize(
    "field", [field.name for field in dataclasses.fields(Permit) if field.name not in OWN]
)
def test_what_does_not_follow_from_the_offer_is_refused_though_both_have_signed_it(field: str) -> None:
    telco = Telco()
    with pytest.raises(TrisectError):
        telco.answered(dataclasses.replace(telco.permit, **{field: other(getattr(telco.permit, field))}))


@pytest.mark.parametrize("field", sorted(OWN))
def test_an_accept_is_under_the_permit_that_comes_with_it(field: str) -> None:
    telco = Telco()
    changed = dataclasses.replace(telco.permit, **{field: other(getattr(telco.permit, field))})
    with pytest.raises(TrisectError):
        telco.answered(changed, accepts=telco.permit)


@pytest.mark.parametrize(
    "signers", [("bank",), (COORDINATOR,), ("bank", "telco"), ("telco", COORDINATOR), ()]
)
def test_a_permit_has_both_signatures(signers: tuple[str, ...]) -> None:
    telco = Telco()
    with pytest.raises(TrisectError):
        telco.answered(telco.permit, signers=signers)


@pytest.mark.parametrize(("seconds", "holds"), [(-61, False), (-60, True), (3_599, True), (3_600, False)])
def test_a_permit_holds_for_its_hour(seconds: int, *, holds: bool) -> None:
    telco = Telco()
    assert dt.timedelta(hours=1) == LIFE
    telco.now += dt.timedelta(seconds=seconds)
    if holds:
        telco.answered(telco.permit)
    else:
        with pytest.raises(StaleError, match="a permit holds from"):
            telco.answered(telco.permit)


@pytest.mark.parametrize(
    "changes",
    [
        {"consortium": "another"},
        {"owner": "shop"},
        {"collection": "c3"},
        {"recipient": "shop"},
        {"recipient": "role:government"},
        {"purpose": "supervision"},
        {"modes": "count,lookup"},
        {"retention_days": 89},
        {"onward": "all"},
        {"use": "review,warn,sell"},
        {"use": "warn,review"},
        {"use": "review," * 600 + "warn"},
        {"issued": "never"},
    ],
    ids=str,
)
def test_terms_that_do_not_cover_the_permit_are_refused(changes: dict[str, Any]) -> None:
    """Though the answerer has signed them and the permit names them."""
    telco = Telco()
    telco.terms = dataclasses.replace(TERMS, **changes)
    named = documents.payload_hash(telco.terms.sign(identity("bank")))
    with pytest.raises(VerificationError, match="terms"):
        telco.answered(dataclasses.replace(telco.permit, terms=named))


@pytest.mark.parametrize("recipient", ["telco", "role:provider", "all"])
def test_terms_are_for_whoever_is_meant(recipient: str) -> None:
    telco = Telco()
    telco.terms = dataclasses.replace(TERMS, recipient=recipient, retention_days=365)
    named = documents.payload_hash(telco.terms.sign(identity("bank")))
    telco.answered(dataclasses.replace(telco.permit, terms=named))


def test_terms_come_from_the_owner_and_are_those_of_the_permit() -> None:
    telco = Telco()
    telco.terms = dataclasses.replace(TERMS, use="hold")
    with pytest.raises(VerificationError, match="other terms"):
        telco.answered(telco.permit)
    leave, keys_of_bank = telco.permit, telco.bank.identities
    with pytest.raises(VerificationError):
        sharing_terms.check(TERMS.sign(identity("shop")), leave, Role.PROVIDER, *keys_of_bank)
    with pytest.raises(VerificationError):
        sharing_terms.check(b"", leave, Role.PROVIDER, *keys_of_bank)
