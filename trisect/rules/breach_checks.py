"""What may be filed in the file of a breach: proofs that hold, nobody judging itself, everybody heard first.

Not here: what the contents are, and what follows from them (`trisect.rules.breaches`).
"""

from __future__ import annotations

import datetime as dt

from trisect.clock import from_text, to_text
from trisect.errors import ConflictError, VerificationError
from trisect.rules import breaches, permit
from trisect.rules.breaches import (
    MAX_PROOF_BYTES,
    PROVED,
    WAITING,
    Appeal,
    Breach,
    Closing,
    Decision,
    Ground,
    Opening,
    Order,
    Ordered,
    Reply,
    check_text,
)
from trisect.rules.offers import Offer, Receipt
from trisect.rules.regime import Regime
from trisect.rules.vocabulary import Sanction
from trisect.trust.filings import (
    AppealDecisionFiling,
    AppealFiling,
    BreachClosingFiling,
    Filing,
    SanctionFiling,
)
from trisect.trust.membership import Membership
from trisect.trust.statements import Role

TO_DECIDE = dt.timedelta(days=30)
"""How long an order to expel holds at least after the time to appeal against it, for the appeal to be decided."""


def check_opening(filing: Filing, membership: Membership) -> None:
    """Check what opens a breach."""
    opening = Opening.from_body(filing.content)
    check_text(opening.text, "the words of a breach")
    ground = _ground(filing, opening, membership)
    _check_new(filing, opening, membership)
    if ground is Ground.RED_LINE:
        _check_red_line(filing, opening, membership)
    elif ground is Ground.RECEIPTS:
        _check_receipts(filing, opening, membership)


def _ground(filing: Filing, opening: Opening, membership: Membership) -> Ground:
    """Read on what ground a breach is opened, and check that its issuer may on it."""
    ground = Ground(opening.ground) if opening.ground in list(Ground) else None
    issuer = membership.party(filing.issuer)
    if ground is None or len(opening.proofs) != PROVED.get(ground, 0):
        raise VerificationError("a breach is opened on a ground that there is not, or with other proofs")
    if sum(map(len, opening.proofs)) > MAX_PROOF_BYTES:
        raise VerificationError("the proofs of a breach are too large")
    if bool(opening.rule) != (ground is Ground.RED_LINE):
        raise VerificationError("a breach of a red line, and no other, names it")
    if (issuer.name == filing.party) != (ground is Ground.DRIFT):
        raise VerificationError("a party tells of its own drift from its notice, and of nothing else itself")
    if ground is Ground.FINDING and issuer.role is not Role.GOVERNMENT:
        raise VerificationError(f"{issuer.name} is no government and opens breaches with proofs only")
    return ground


def _check_new(filing: Filing, opening: Opening, membership: Membership) -> None:
    """Check that a breach was not told before: by the same proof, or on the same ground while one is open."""
    for other in breaches.of_party(membership, filing.party):
        if other.number >= filing.serial:
            continue
        if other.opening.proofs == opening.proofs != ():
            raise ConflictError(
                f"the breach {other.name} rests on the same proof",
                hint="it is told once; nothing is left to do",
            )
        same = (other.opening.ground, other.opening.rule) == (opening.ground, opening.rule)
        if same and opening.ground != Ground.FINDING and other.closing is None:
            raise ConflictError(
                f"the breach {other.name} is open on the same ground",
                hint="a second one is opened when it is closed",
            )


def check_reply(filing: Filing, membership: Membership) -> None:
    """Check what a party says to its breach."""
    reply = Reply.from_body(filing.content)
    check_text(reply.text, "a reply's words")
    _open_breach(filing, reply.breach, membership)


def check_closing(filing: Filing, membership: Membership) -> None:
    """Check what closes a breach."""
    closing = Closing.from_body(filing.content)
    check_text(closing.text, "the words that close a breach")
    _require_another(filing)
    _open_breach(filing, closing.breach, membership)


def _check_red_line(filing: Filing, opening: Opening, membership: Membership) -> None:
    offer, _ = Offer.verify(opening.proof, *membership.party(filing.party).identities)
    if (offer.consortium, offer.asker, offer.answerer) != (
        membership.consortium,
        filing.party,
        filing.issuer,
    ):
        raise VerificationError("an offer that is shown as a proof was not made to whom it is shown by")
    if permit.crossed(offer, Regime(membership)) != opening.rule:
        raise VerificationError("an offer that is shown as a proof does not cross that red line by itself")


def _check_receipts(filing: Filing, opening: Opening, membership: Membership) -> None:
    theirs, _ = Receipt.verify(opening.proof, *membership.party(filing.party).identities)
    ours, _ = Receipt.verify(opening.second_proof, *membership.party(filing.issuer).identities)
    if (theirs.exchange, theirs.offer_hash) != (ours.exchange, ours.offer_hash) or theirs.side == ours.side:
        raise VerificationError("two receipts that are shown as a proof are not both ends' of one exchange")
    try:
        ours.check_against(theirs)
    except VerificationError:
        return
    raise VerificationError("two receipts that are shown as a proof say the same")


def check_order(filing: Filing, membership: Membership) -> None:
    """Check a measure or a sanction."""
    order = Order.from_body(filing.content)
    order.check()
    order.check_span(filing.issued)
    if not isinstance(filing, order.kind):
        raise VerificationError(f"{order.act} is ordered by another kind of document")
    _require_another(filing)
    breach = _open_breach(filing, order.breach, membership)
    deadlines = Regime(membership).deadlines(_issued(filing))
    if order.act == Sanction.EXPEL:
        appeals_end = _issued(filing) + dt.timedelta(days=deadlines.appeal_days) + WAITING
        if from_text(order.ends) < appeals_end + TO_DECIDE:
            raise VerificationError(
                f"a party is expelled after the time to appeal, until {to_text(appeals_end)}, and {TO_DECIDE.days} days to "
                "decide; the order ends before",
                hint="choose a later --until",
            )
    if isinstance(filing, SanctionFiling) and not breach.heard(_issued(filing), deadlines.breach_reply_days):
        raise ConflictError(
            f"{filing.party} has not been heard: it has not replied, and has {deadlines.breach_reply_days} days to",
            hint="wait for its reply; `trisect party suspend` is the emergency suspension, which lapses by itself",
        )


def check_appeal(filing: Filing, membership: Membership) -> None:
    """Check an appeal against an order."""
    appeal = Appeal.from_body(filing.content)
    check_text(appeal.text, "an appeal's words")
    one = _ordered(filing, appeal.against, appeal.number, membership)
    if one.appealed is not None and one.appealed.filing.serial < filing.serial:
        raise ConflictError("that order has been appealed against", hint="an order is appealed against once")
    until = one.appealable_until(Regime(membership).deadlines(_issued(filing)).appeal_days)
    if _issued(filing) > until:
        raise ConflictError(
            f"that order could be appealed against until {to_text(until)}",
            hint="ask the government to lift it by itself",
        )


def check_decision(filing: Filing, membership: Membership) -> None:
    """Check a decision over an appeal: by other officers than those who have signed the order."""
    decision = Decision.from_body(filing.content)
    check_text(decision.reasons, "the reasons")
    _require_another(filing)
    if decision.lifts not in {0, 1}:
        raise VerificationError("a decision over an appeal lifts an order or does not")
    appeals = [
        one for one in membership.filed(AppealFiling, filing.party) if one.filing.serial == decision.appeal
    ]
    if not appeals:
        raise VerificationError("a decision is over an appeal that there is not")
    appeal = Appeal.from_body(appeals[0].filing.content)
    one = _ordered(filing, appeal.against, appeal.number, membership)
    before = [
        found
        for found in membership.filed(AppealDecisionFiling, filing.party)
        if found.filing.serial < filing.serial
        and Decision.from_body(found.filing.content).appeal == decision.appeal
    ]
    if before:
        raise ConflictError("that appeal has been decided", hint="a decision over an appeal is the last")
    own = [
        found
        for found in membership.filed(AppealDecisionFiling, filing.party)
        if found.filing.serial == filing.serial
    ]
    signers = own[0].officers if own else frozenset()
    nodes = frozenset(key.raw for key in membership.party(one.filed.filing.issuer).identities)
    orderers = one.filed.officers or nodes
    if orderers & nodes:  # the node's key was the officer's, and a successor is the same officer
        orderers |= nodes
    if signers & orderers:
        raise VerificationError(
            "an officer decides over an appeal against an order that the same officer has signed",
            hint="other officers of the government decide, or another government",
        )


def _require_another(filing: Filing) -> None:
    if filing.issuer == filing.party:
        raise VerificationError(
            f"{filing.issuer} does not decide over its own breach",
            hint="another government does; every proxy is told of it",
        )


def _open_breach(filing: Filing, number: int, membership: Membership) -> Breach:
    found = breaches.find(membership, filing.party, number)
    closed = [
        one
        for one in membership.filed(BreachClosingFiling, filing.party)
        if Closing.from_body(one.filing.content).breach == number
        and not (isinstance(filing, BreachClosingFiling) and one.filing.serial >= filing.serial)
    ]
    if closed:
        raise ConflictError(f"the breach {found.name} is closed", hint="`trisect breach show` tells by whom")
    return found


def _ordered(filing: Filing, kind: str, number: int, membership: Membership) -> Ordered:
    for breach in breaches.of_party(membership, filing.party):
        for one in breach.orders:
            if (one.filed.filing.KIND, one.number) == (kind, number):
                return one
    raise VerificationError("an appeal is against an order that there is not")


def _issued(filing: Filing) -> dt.datetime:
    return from_text(filing.issued)  # which was checked
