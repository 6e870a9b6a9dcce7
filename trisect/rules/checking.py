"""What may be filed: contents that can be read, and that fit what was filed before.

Coordinator and nodes check each statement when it comes, in the same order and by what it says itself, and refuse the same
ones; by their clocks they refuse only what claims to be of the future. Not here: who may file, and the order of serials (`trisect.trust.membership`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping

from trisect.clock import from_text, to_text
from trisect.errors import BadInputError, NotFoundError, StaleError, VerificationError
from trisect.rules import breach_checks, breaches, leaks, reviews, stale
from trisect.rules.allowances import Allowance
from trisect.rules.consents import EpochCommitment
from trisect.rules.offers import CLOCK_TOLERANCE
from trisect.rules.regime import Regime, read_notice, read_rulebook
from trisect.rules.vocabulary import Sanction
from trisect.trust.filings import (
    AppealDecisionFiling,
    AppealFiling,
    BreachClosingFiling,
    BreachFiling,
    BreachReplyFiling,
    BudgetGrantFiling,
    BudgetRequestFiling,
    ConsentsFiling,
    Filing,
    LeakFiling,
    LeakStepFiling,
    MeasureFiling,
    NoticeFiling,
    RulebookFiling,
    SanctionFiling,
    SourceReviewFiling,
    StaleHitsFiling,
    Statement,
)
from trisect.trust.membership import Membership
from trisect.trust.statements import Role, Standing, StandingChange

_HEARD = (
    "an emergency suspension lapses by itself; what is to last is a sanction: `trisect breach open`, and `breach sanction` "
    "once the party was heard"
)
LATE = dt.timedelta(hours=1)
"""How much earlier than the newest statement a filing may have been signed that waits for no officers."""


def check(statement: Statement, membership: Membership) -> None:
    """Check a statement's content, whether it was applied to the membership already or not.

    Raises:
        VerificationError: it cannot be read, or nobody may say it.
        ConflictError: something else came first.
    """
    if isinstance(statement, StandingChange):
        _check_standing(statement, membership)
    found = _CHECKS.get(type(statement))
    if found is None or not isinstance(statement, Filing):
        return
    try:
        from_text(statement.issued)
    except ValueError as error:
        raise VerificationError("a filing does not say when it was signed") from error
    _require_timely(statement, membership)
    try:
        found(statement, membership)
    except (BadInputError, NotFoundError) as error:
        raise VerificationError(f"a filing is not sound: {error.message}", hint=error.hint) from error


def _require_timely(filing: Filing, membership: Membership) -> None:
    """Refuse a filing that was signed long before others that are there: time to reply, or to appeal, counts from it.

    What officers have to sign may wait for them, for a week.
    """
    late = breaches.WAITING if filing.APPROVED else LATE
    if from_text(filing.issued) < membership.newest - late:
        raise VerificationError(
            f"a filing was signed at {filing.issued}, and others have come since that were signed at "
            f"{to_text(membership.newest)}",
            hint="set the node's clock (NTP), and file it again",
        )


def require_not_ahead(statement: Statement, now: dt.datetime) -> None:
    """Refuse a statement of a time that has not come: suspensions lapse, and deadlines count, by what it says.

    Whoever hears it for the first time looks, by its own clock; later it is never judged by one again.

    Raises:
        StaleError: it is of the future, beyond the tolerance of 60 s.
        VerificationError: it does not say when it was signed.
    """
    try:
        ahead = from_text(statement.issued) > now + CLOCK_TOLERANCE
    except ValueError as error:
        raise VerificationError("a statement does not say when it was signed") from error
    if ahead:
        raise StaleError(
            f"a statement was signed at {statement.issued}, and here it is {to_text(now)}",
            hint="set the clocks of the nodes and of the coordinator (NTP)",
        )


def _check_standing(change: StandingChange, membership: Membership) -> None:
    try:
        issued, until = from_text(change.issued), from_text(change.until or change.issued)
    except ValueError as error:
        raise VerificationError("a change of standing does not say from when until when") from error
    if change.standing is Standing.EXPELLED:
        _check_expulsion(change, membership, issued)
    elif change.standing is Standing.SUSPENDED:
        _check_suspension(change, membership, issued, until)


def _check_expulsion(change: StandingChange, membership: Membership, issued: dt.datetime) -> None:
    orders = [
        one
        for _, one in breaches.in_force(membership, change.party, issued)
        if one.order.act == Sanction.EXPEL
    ]
    if not orders:
        raise VerificationError(
            f"no sanction in force expels {change.party}",
            hint="a party is heard first: `trisect breach open`, and `breach sanction --act expel` once it was",
        )
    days = Regime(membership).deadlines(issued).appeal_days
    if not any(one.final(issued, days) for one in orders):
        appealed = any(one.appeal for one in orders)
        until = to_text(max(one.appealable_until(days) for one in orders))
        raise VerificationError(
            f"{change.party} may appeal against its expulsion until {until}"
            if not appealed
            else f"the appeal of {change.party} against its expulsion is not decided",
            hint="while the sanction holds it exchanges nothing; what was appealed against is decided first",
        )


def _check_suspension(
    change: StandingChange, membership: Membership, issued: dt.datetime, until: dt.datetime
) -> None:
    longest = dt.timedelta(days=Regime(membership).deadlines(issued).suspension_days)
    if not dt.timedelta() < until - issued <= longest:
        raise VerificationError(f"a suspension lapses within {longest.days} days", hint=_HEARD)
    before = [one for one in membership.suspensions(change.party) if one.serial < change.serial]
    if (
        before
        and issued < from_text(before[-1].until) + longest
        and not any(
            breach.closing is None and breach.filed.filing.issued >= before[-1].issued
            for breach in breaches.of_party(membership, change.party)
        )
    ):
        raise VerificationError(
            f"{change.party} was suspended until {before[-1].until}, and no breach of its was opened since",
            hint=_HEARD,
        )


def _check_rulebook(filing: Filing, _membership: Membership) -> None:
    read_rulebook(filing)


def _check_notice(filing: Filing, membership: Membership) -> None:
    read_notice(filing, membership.party(filing.party).role)


def _check_allowance(filing: Filing, membership: Membership) -> None:
    found = Allowance.from_content(filing.content)
    if membership.party(found.answerer).name == filing.party:
        raise VerificationError("an allowance of budget is for asking oneself")


def _check_consents(filing: Filing, membership: Membership) -> None:
    if membership.party(filing.party).role is not Role.PROXY:
        raise VerificationError(f"{filing.party} is no proxy and keeps no consents")
    found = EpochCommitment.from_content(filing.content)
    before = [
        one for one in membership.filed(ConsentsFiling, filing.party) if one.filing.serial < filing.serial
    ]
    least = EpochCommitment.from_content(before[-1].filing.content).sequence if before else 0
    if found.epoch != filing.serial or found.sequence <= least:
        raise VerificationError("a commitment to consents does not go on from the one before")


_CHECKS: Mapping[type, Callable[[Filing, Membership], None]] = {
    RulebookFiling: _check_rulebook,
    NoticeFiling: _check_notice,
    ConsentsFiling: _check_consents,
    BudgetRequestFiling: _check_allowance,
    BudgetGrantFiling: _check_allowance,
    BreachFiling: breach_checks.check_opening,
    BreachReplyFiling: breach_checks.check_reply,
    MeasureFiling: breach_checks.check_order,
    SanctionFiling: breach_checks.check_order,
    AppealFiling: breach_checks.check_appeal,
    AppealDecisionFiling: breach_checks.check_decision,
    BreachClosingFiling: breach_checks.check_closing,
    StaleHitsFiling: stale.check,
    SourceReviewFiling: reviews.check,
    LeakFiling: leaks.check_report,
    LeakStepFiling: leaks.check_step,
}
