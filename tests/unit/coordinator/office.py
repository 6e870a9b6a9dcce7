"""A registry with its authority, whose clock a test moves, and parties that join it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from support.membership import GOVERNMENT, Consortium, identity, keys, signed

from coordinator.registry import Registry
from trisect.clock import from_text, system_randomness
from trisect.store.database import Database
from trisect.trust import certificates
from trisect.trust.authority import Authority
from trisect.trust.certificates import Caller
from trisect.trust.invitations import Invitation

HOUR = dt.timedelta(hours=1)

PARTY_LIFE = dt.timedelta(days=1)


@dataclass
class Office:
    """A registry whose clock a test moves."""

    database: Database
    authority: Authority
    now: dt.datetime
    registry: Registry
    consortium: Consortium

    def reopened(self) -> Registry:
        return Registry(
            self.database,
            self.authority,
            identity("coordinator").public,
            clock=lambda: self.now,
            randomness=system_randomness,
            party_life=PARTY_LIFE,
        )

    def invite(self, party: str, role: str = "provider", ttl: dt.timedelta = HOUR) -> Invitation:
        return self.registry.invite(party, role, ttl, address="relay.example:7443")

    def invited(self, party: str, role: str = "provider") -> str:
        """Invite a party, and give the id in the invitation's certificate."""
        invitation = self.invite(party, role)
        return invitation_id(invitation)

    def join(self, party: str, role: str = "provider", *, key: str = "") -> bytes:
        return redeem(self.registry, self.invited(party, role), key or party)

    def publish(self, statement: Any, *signers: str, by: str = "") -> int:
        envelope = signed(statement, *(signers or (statement.issuer,)))
        sequence = self.registry.publish(by or (signers or (statement.issuer,))[0], envelope)
        self.consortium.membership.apply(envelope)
        return sequence

    def expel(self, party: str) -> None:
        for statement in self.consortium.expulsion(party):
            self.now = max(self.now, from_text(statement.issued))
            self.publish(statement)

    def founded(self) -> Office:
        self.join(GOVERNMENT, "government")
        self.publish(self.consortium.founding())
        return self


def invitation_id(invitation: Invitation) -> str:
    leaf = x509.load_pem_x509_certificate(invitation.certificate.encode())
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    (uri,) = names.get_values_for_type(x509.UniformResourceIdentifier)
    found = certificates.principal(uri)
    assert found.caller is Caller.INVITATION
    return found.name


REQUESTS: dict[str, bytes] = {}


def csr(name: str) -> bytes:
    """Give the certificate request of a name, always with the same key."""
    if name not in REQUESTS:
        REQUESTS[name] = certificates.signing_request(certificates.new_tls_key())
    return REQUESTS[name]


def redeem(registry: Registry, invitation: str, key: str, *, tls: str = "") -> bytes:
    request = csr(tls or key)
    return registry.redeem(invitation, request, keys(key), identity(key).private.sign(request))[0]
