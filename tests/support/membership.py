"""A whole consortium's keys, and statements about it, honest or forged, for tests of who may say what."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from trisect.rules.breaches import Ground, Opening, Order, Reply
from trisect.rules.reviews import SourceReview
from trisect.rules.vocabulary import Sanction
from trisect.trust import documents
from trisect.trust.filings import (
    FILINGS,
    BreachFiling,
    BreachReplyFiling,
    Filing,
    SanctionFiling,
    SourceReviewFiling,
    Statement,
)
from trisect.trust.keys import IdentityKey, PartyName, SealingKey
from trisect.trust.membership import Membership
from trisect.trust.statements import (
    COORDINATOR,
    Admission,
    CoordinatorKey,
    KeyCheck,
    PartyKeys,
    PepperGrant,
    Role,
    Standing,
    StandingChange,
    Succession,
)

CONSORTIUM = "anti-fraud"
ISSUED = "2026-11-01T00:00:00Z"
EXPELLED = "2026-12-09T00:00:00Z"
"""When the time to appeal against a sanction of that moment has passed."""
GOVERNMENT = "government"


def drawn(seed: str) -> Callable[[int], bytes]:
    """Give a source of bytes that is the same each time."""
    return lambda size: hashlib.shake_256(seed.encode()).digest(size)


@lru_cache
def identity(name: str) -> IdentityKey:
    """Make the identity key of that name, always the same."""
    return IdentityKey.generate(drawn(f"identity {name}"))


@lru_cache
def sealing(name: str) -> SealingKey:
    """Make the sealing key of that name, always the same."""
    return SealingKey.generate(drawn(f"sealing {name}"))


@lru_cache
def keys(name: str) -> PartyKeys:
    """Give the public keys of that name."""
    return PartyKeys.bind(identity(name), sealing(name).public)


def signed(statement: Statement, *signers: str) -> bytes:
    """Sign a statement with the keys of those names."""
    return documents.sign(statement.KIND, statement.to_body(), [identity(name) for name in signers])


@dataclass
class Consortium:
    """A directory, and statements that fit it unless a test says otherwise."""

    membership: Membership = field(
        default_factory=lambda: Membership(CONSORTIUM, keys(GOVERNMENT).identity.fingerprint)
    )

    @classmethod
    def founded(cls, *others: tuple[str, Role]) -> Consortium:
        """Found one, and admit others."""
        found = cls()
        found.take(found.founding(), GOVERNMENT)
        for name, role in others:
            found.take(found.admission(name, role), GOVERNMENT)
        return found

    def take(self, statement: Statement, *signers: str) -> Statement:
        """Sign a statement and apply it."""
        return self.membership.apply(signed(statement, *(signers or (statement.issuer,))))

    def _common(self, party: str, changes: dict[str, Any]) -> dict[str, Any]:
        return {
            "consortium": CONSORTIUM,
            "party": PartyName(party),
            "serial": self.membership.next_serial(PartyName(party)),
            "issuer": PartyName(GOVERNMENT),
            "issued": ISSUED,
        } | changes

    def founding(self, name: str = GOVERNMENT, **changes: Any) -> Admission:
        """Make the statement that founds a consortium."""
        fields = {"role": Role.GOVERNMENT, "keys": keys(name), "key_check": KeyCheck.FOUNDER, "issuer": name}
        return Admission(**self._common(name, fields | changes))

    def admission(self, name: str, role: Role = Role.PROVIDER, **changes: Any) -> Admission:
        """Make an admission."""
        fields = {"role": role, "keys": keys(name), "key_check": KeyCheck.FINGERPRINT}
        return Admission(**self._common(name, fields | changes))

    def standing(self, name: str, standing: Standing, **changes: Any) -> StandingChange:
        """Make a suspension, a reinstatement or an expulsion."""
        until = "2026-11-15T00:00:00Z" if standing is Standing.SUSPENDED else ""
        fields = {"standing": standing, "reason": "a reason", "until": until} | changes
        return StandingChange(**self._common(name, fields))

    def succession(self, name: str, successor: str, **changes: Any) -> Succession:
        """Make a statement by which a party's keys become those of another name."""
        holder = self.membership.parties.get(PartyName(name))
        former = holder.keys.identity if holder else keys(name).identity
        fields = {"former": former, "keys": keys(successor), "issuer": name}
        return Succession(**self._common(name, fields | changes))

    def grant(self, name: str, epoch: int, **changes: Any) -> PepperGrant:
        """Make a pepper grant."""
        return PepperGrant(**self._common(name, {"box": b"sealed", "serial": epoch + 1} | changes))

    def coordinator_key(self, name: str = COORDINATOR, **changes: Any) -> CoordinatorKey:
        """Make a statement of the key by which the coordinator signs."""
        fields = {"key": identity(name).public, "serial": len(self.membership.coordinator_keys) + 1}
        return CoordinatorKey(**self._common(COORDINATOR, fields | changes))

    def filing(self, kind: type[Filing], party: str, content: Mapping[str, Any], **changes: Any) -> Filing:
        """Make a filing; by the party itself unless a test says otherwise."""
        known = len(self.membership.filed(kind, party))
        fields = {"content": dict(content), "issuer": PartyName(party), "serial": known + 1}
        return kind(**self._common(party, fields | changes))

    def expulsion(self, name: str) -> Iterator[Statement]:
        """Make what leads to an expulsion, and it; each is made once the one before was taken."""
        opening = Opening(Ground.FINDING, "", "an inspection has found it", b"", b"")
        by: dict[str, Any] = {"issuer": PartyName(GOVERNMENT)}
        yield self.filing(BreachFiling, name, opening.to_body(), **by)
        number = len(self.membership.filed(BreachFiling, name))
        yield self.filing(BreachReplyFiling, name, Reply(number, "it is so").to_body())
        order = Order(number, Sanction.EXPEL, "", 0, "it cannot stay", "", "2027-11-01T00:00:00Z")
        yield self.filing(SanctionFiling, name, order.to_body(), **by)
        yield self.standing(name, Standing.EXPELLED, issued=EXPELLED)

    def review(self, recipient: str, *sources: str) -> None:
        """Have a recipient review sources."""
        for source in sources:
            content = SourceReview(source, "a desk", "file 8", "2030-01-01T00:00:00Z").to_body()
            self.take(self.filing(SourceReviewFiling, recipient, content))

    def state(self) -> Sequence[object]:
        """Give all that the directory holds."""
        membership = self.membership
        filed = [membership.filed(kind) for kind in FILINGS.values()]
        officers = [membership.officers(name).keys for name in membership.parties]
        return (
            membership.founder,
            membership.coordinator_keys,
            membership.approvals,
            filed,
            officers,
            *membership.parties.values(),
        )
