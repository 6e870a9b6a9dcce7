"""What an exchange must meet besides its rulebook's rules: notices, limits, consents, and what no rulebook can allow.

Not here: the rules and red lines themselves (`trisect.rules.policies`), and the order in which all is judged
(`trisect.rules.permit`).
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from trisect.errors import DeniedError, VerificationError
from trisect.indicators.kinds import KINDS
from trisect.rules import consent_epochs
from trisect.rules.facts import Facts
from trisect.rules.regime import Regime
from trisect.rules.rulebook import Rulebook
from trisect.rules.sharing import meant
from trisect.rules.vocabulary import BasisName

if TYPE_CHECKING:
    from trisect.rules.permit import Permit

_PADDING = 17 / 16


def check_declared(facts: Facts, regime: Regime) -> None:
    """Check that both have told people what they are about to do, and the answerer to whom it tells of it."""
    for party, kinds in ((facts.asker, facts.kinds), (facts.answerer, facts.answered_kinds)):
        found = regime.notice(party.name)
        told = found[0].processing(facts.purpose) if found else None
        if told is None:
            missing = [f"the purpose {facts.purpose}"]
        else:
            missing = [f"the kind {kind} for {facts.purpose}" for kind in sorted(kinds - set(told.kinds))]
            if party is facts.answerer and not meant(facts.asker.name, facts.asker.role) & set(
                told.recipients
            ):
                missing.append(f"{facts.asker.name} as a recipient for {facts.purpose}")
        if missing:
            raise DeniedError(
                f"the notice of {party.name} does not declare {missing[0]}",
                hint="its administrator publishes one that does with `trisect notice publish`",
                rule="notice-declares",
            )


def check_consents(permit: Permit, facts: Facts, regime: Regime, moment: dt.datetime) -> None:
    """Check that lists kept on consent were taken under all that the record says of consents."""
    for basis_of, consents in (
        (facts.basis, permit.consents),
        (facts.answered_basis, permit.answered_consents),
    ):
        if basis_of is BasisName.CONSENT:
            consent_epochs.require(consents, regime.membership, moment)
        elif consents:
            raise VerificationError("a permit names consent epochs for a list that is not kept on consent")


def check_never(facts: Facts) -> None:
    """Check what no rulebook can allow, whether or not it has a red line that says so."""
    for kind in sorted(facts.kinds | facts.answered_kinds):
        if KINDS[kind].refusal is not None:
            raise DeniedError(
                f"indicators of the kind {kind} are not exchanged",
                hint="leave them out of the collection; no rulebook can allow it",
                rule="kind-refused",
            )
    for party, found in ((facts.asker, facts.basis), (facts.answerer, facts.answered_basis)):
        if found is BasisName.UNSPECIFIED:
            raise DeniedError(
                f"{party.name} has not said on what legal basis it keeps the collection",
                hint="its administrator says so with `trisect import --legal-basis`",
                rule="basis-declared",
            )


def check_limits(permit: Permit, rulebook: Rulebook) -> None:
    """Check engine, sizes and retention against a rulebook's limits; raises DeniedError."""
    limits = rulebook.provisions.limits
    if permit.engine not in limits.engines:
        raise DeniedError(
            f"the rulebook does not permit the engine {permit.engine}",
            hint=f"permitted: {', '.join(limits.engines)}",
            rule="engines",
        )
    for whose, padded in ((permit.asker, permit.asked_padded), (permit.answerer, permit.answered_padded)):
        if not limits.min_set <= padded <= limits.max_set * _PADDING + 1:
            raise DeniedError(
                f"a set of {whose} is outside of the rulebook's {limits.min_set} to {limits.max_set} entries",
                hint="small sets let one learn about single entries; split those that are too large",
                rule="min-set" if padded < limits.min_set else "max-set",
            )
    if not 1 <= permit.retention_days <= limits.retention_days:
        raise DeniedError(
            f"hits may be kept for at most {limits.retention_days} days",
            hint="the answerer's node makes it so; both need the same version of Trisect",
            rule="retention",
        )
