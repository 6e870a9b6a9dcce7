"""A permit traced to what it rests on, by whoever holds the public record and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from trisect.errors import VerificationError
from trisect.rules.notices import Notice
from trisect.rules.permit import Permit
from trisect.rules.policies import Rule
from trisect.rules.regime import Regime
from trisect.rules.rulebook import Rulebook
from trisect.trust.membership import Membership


@dataclass(frozen=True, slots=True)
class Traced:
    """A permit, and what it rests on.

    Attributes:
        permit: as answerer and coordinator have signed it.
        rulebook: that it goes by.
        rules: of that rulebook, which allow it.
        asker_notice: the asker's notice that it names.
        answerer_notice: the answerer's.
    """

    permit: Permit
    rulebook: Rulebook
    rules: tuple[Rule, ...]
    asker_notice: Notice
    answerer_notice: Notice


def trace(envelope: bytes, membership: Membership) -> Traced:
    """Check a permit's signatures, and find its rules and notices among what was filed before it.

    Args:
        envelope: the permit as it stands in the record.
        membership: the directory as it follows from the entries before.

    Raises:
        VerificationError: it is not signed by both, or names what was never filed.
    """
    named = Permit.peek(envelope)
    regime = Regime(membership)
    answerer = membership.party(named.answerer).identities_since(named.answerer_key)
    permit, _ = Permit.verify(envelope, *answerer)
    Permit.verify(envelope, *membership.coordinator_keys)
    if permit.consortium != membership.consortium:
        raise VerificationError("a permit is of another consortium")
    rulebook = next((one for one in regime.rulebooks if one.hash == permit.rulebook), None)
    if rulebook is None:
        raise VerificationError("a permit names a rulebook that was never published")
    by_id = {rule.id: rule for rule in rulebook.policies.rules if not rule.is_red_line}
    names = permit.rules.split(",")
    if not set(names) <= set(by_id):
        raise VerificationError("a permit names rules that its rulebook does not have")
    return Traced(
        permit,
        rulebook,
        tuple(by_id[name] for name in names),
        _notice(regime, permit.asker, permit.asker_notice),
        _notice(regime, permit.answerer, permit.answerer_notice),
    )


def _notice(regime: Regime, party: str, wanted: bytes) -> Notice:
    for notice, filed in regime.notices(party):
        if filed.hash == wanted:
            return notice
    raise VerificationError(f"a permit names a notice of {party} that was never filed")
