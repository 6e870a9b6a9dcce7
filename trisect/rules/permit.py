"""The permit: the signed leave for one exchange, which the answerer writes and all three judge alike.

It names what the decision rests on: offer, rulebook, rules, notices, legal bases, sizes. The answerer proposes it, the
coordinator judges and signs it, the asker judges it before it sends an element; each by the same rules over the same
facts and the time in the offer. Its hash goes into the channel's transcript. Not here: whether a collection is shared
(`trisect.rules.sharing`), what is left of a budget, and each one's own clock and limits.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

from trisect.clock import from_text, to_text
from trisect.errors import BadInputError, DeniedError, StaleError, VerificationError
from trisect.indicators.kinds import Kind
from trisect.rules import conditions, consent_epochs, reviews
from trisect.rules.document import Document
from trisect.rules.facts import Facts
from trisect.rules.offers import CLOCK_TOLERANCE, Offer
from trisect.rules.policies import RedLineError
from trisect.rules.regime import Regime
from trisect.rules.vocabulary import BasisName, EngineName, Mode, Purpose, basis
from trisect.trust.filings import NoticeFiling
from trisect.trust.statements import Role

LIFE = dt.timedelta(hours=1)
ONWARD = "none"
"""Nobody passes hits on; terms that allow it do not exist yet."""
DIFFERENCE = "same-decision"


@dataclass(frozen=True, slots=True)
class Permit(Document):
    """Leave for one exchange, single use.

    Attributes:
        permit: its id, 16 bytes.
        asked_collection: opaque id of the asker's collection, with `asked_version` of its snapshot.
        answered_collection: of the answerer's, likewise.
        offer_hash: of the signed offer that it answers.
        rules: ids of the rules that allow it, sorted, with commas.
        rulebook: hash of the rulebook that they stand in.
        asker_notice: hash of the asker's notice, `answerer_notice` of the answerer's.
        terms: hash of the terms on which the answerer shares its collection (`trisect.rules.terms`).
        kinds: of indicators in the asker's collection, `answered_kinds` in the answerer's.
        basis: on which the asker keeps its collection, `answered_basis` the answerer.
        consents: the consent epochs under which the asker's snapshot was taken, where it keeps it on consent;
            `answered_consents` likewise.
        repeats: 1 where a count is told again that was told on that `budget_day`, 0 for everything else.
        budget: elements that are charged to the asker on `budget_day` (UTC); a repeated count costs none.
        retention_days: how long the asker may keep hits.
        onward: to whom it may pass them on.
        decided: the offer's time; not valid before it, nor from `expires` on.
    """

    KIND: ClassVar[str] = "permit.v1"

    consortium: str
    permit: bytes
    exchange: bytes
    attempt: int
    asker: str
    asker_key: str
    answerer: str
    answerer_key: str
    purpose: str
    mode: str
    engine: str
    pepper_epoch: int
    asked_collection: str
    asked_version: int
    answered_collection: str
    answered_version: int
    offer_hash: bytes
    rules: str
    rulebook: bytes
    asker_notice: bytes
    answerer_notice: bytes
    terms: bytes
    kinds: str
    answered_kinds: str
    basis: str
    answered_basis: str
    consents: str
    answered_consents: str
    asked_padded: int
    answered_padded: int
    repeats: int
    budget: int
    budget_day: str
    retention_days: int
    onward: str
    decided: str
    expires: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The facts on the answerer's side."""

    permit: bytes
    collection: str
    version: int
    kinds: frozenset[Kind]
    basis: str
    padded: int
    retention_days: int
    terms: bytes = b""
    consents: str = ""
    repeats: bool = False


OFFERED = (
    "consortium",
    "exchange",
    "attempt",
    "asker",
    "asker_key",
    "answerer",
    "answerer_key",
    "purpose",
    "mode",
    "engine",
    "pepper_epoch",
    "kinds",
    "basis",
    "consents",
    "asked_padded",
    "rulebook",
)
"""Fields that a permit takes from its offer as they are."""


def propose(offer: Offer, offer_hash: bytes, answer: Answer, regime: Regime) -> Permit:
    """Write the permit for an offer, unsigned, if rulebook and notices allow it.

    Raises:
        DeniedError: they do not; names the rule, and what would fix it.
        StaleError: the offer goes by another rulebook or notice, or none is in force.
        VerificationError: the offer says something that no offer can say.
    """
    decided = _moment(offer.created)
    limits = regime.rulebooks.named(offer.rulebook, decided).provisions.limits
    bare = Permit(
        **{name: getattr(offer, name) for name in OFFERED},
        permit=answer.permit,
        asked_collection=offer.collection,
        asked_version=offer.version,
        answered_collection=answer.collection,
        answered_version=answer.version,
        offer_hash=offer_hash,
        rules="",
        asker_notice=offer.notice,
        answerer_notice=regime.notice_hash(offer.answerer),
        terms=answer.terms,
        answered_kinds=joined(answer.kinds),
        answered_basis=answer.basis,
        answered_consents=answer.consents,
        answered_padded=answer.padded,
        repeats=int(answer.repeats),
        budget=0 if answer.repeats else offer.asked_padded,
        budget_day=to_text(decided)[:10],
        retention_days=min(answer.retention_days, limits.retention_days),
        onward=ONWARD,
        decided=offer.created,
        expires=to_text(decided + LIFE),
    )
    return replace(bare, rules=_decide(bare, regime))


def preview(offer: Offer, regime: Regime) -> None:
    """Judge an offer before it is made, with what an asker does not know left open in its favour.

    Raises:
        DeniedError: no answerer could permit it; names the rule.
        StaleError: no rulebook is in force.
    """
    denied: DeniedError | None = None
    for answer in _imagined(offer, regime):
        try:
            propose(offer, b"", answer, regime)
        except DeniedError as error:
            denied = denied or error
        else:
            return
    if denied is not None:
        raise denied


def crossed(offer: Offer, regime: Regime) -> str:
    """Name the red line that an offer crosses whatever it is answered with; empty where it crosses none by itself.

    The asker's notice is the one that its offer names, and the answerer's the one that it had then: newer ones change
    nothing of what was offered.
    """
    had = [
        one.hash
        for one in regime.membership.filed(NoticeFiling, offer.answerer)
        if one.filing.issued <= offer.created
    ]
    regime = replace(regime, named={offer.asker: offer.notice, offer.answerer: had[-1] if had else b""})
    found: set[str] | None = None
    for answer in _imagined(offer, regime):
        try:
            propose(offer, b"", answer, regime)
        except RedLineError as error:
            forbidding = {rule.id for rule in error.forbidding}
            found = forbidding if found is None else found & forbidding
        except (DeniedError, StaleError):
            return ""
        else:
            return ""
    return min(found or {""})


def _imagined(offer: Offer, regime: Regime) -> Iterator[Answer]:
    """Give what an answerer might say, with every basis that there is, of all the asker's kinds or of one."""
    offered = _kinds(offer.kinds)
    for kinds in (offered, *(frozenset({kind}) for kind in sorted(offered) if len(offered) > 1)):
        for assumed in BasisName:
            consents = consent_epochs.newest(regime.membership) if assumed is BasisName.CONSENT else ""
            yield Answer(b"", "", 0, kinds, assumed.value, offer.asked_padded, 1, consents=consents)


def judge(permit: Permit, offer: Offer, offer_hash: bytes, regime: Regime) -> None:
    """Judge a permit that another has proposed.

    Raises:
        VerificationError: it is not about this offer, or says something that no permit can say.
        DeniedError: rulebook or notices do not allow it, or not by the rules that it names.
        StaleError: it goes by another rulebook or notice than are in force here, or none is.
    """
    for name in OFFERED:
        if getattr(permit, name) != getattr(offer, name):
            raise VerificationError(f"a permit differs from its offer in {name}")
    decided = _moment(offer.created)
    expected = {
        "offer_hash": offer_hash,
        "asked_collection": offer.collection,
        "asked_version": offer.version,
        "asker_notice": offer.notice,
        "budget": 0 if permit.repeats else offer.asked_padded,
        "budget_day": to_text(decided)[:10],
        "onward": ONWARD,
        "decided": offer.created,
        "expires": to_text(decided + LIFE),
    }
    for name, value in expected.items():
        if getattr(permit, name) != value:
            raise VerificationError(f"a permit says something else in {name} than follows from its offer")
    if permit.repeats not in ({0, 1} if permit.mode == Mode.COUNT else {0}):
        raise VerificationError("a permit repeats what only a count can")
    if _decide(permit, regime) != permit.rules:
        raise DeniedError(
            "a permit names other rules than those that allow it here",
            hint="both nodes and the coordinator need the same version of Trisect",
            rule=DIFFERENCE,
        )


def require_in_force(permit: Permit, now: dt.datetime) -> None:
    """Raise StaleError where a permit has not begun by a clock that may be a minute off, or is over."""
    if not _moment(permit.decided) - CLOCK_TOLERANCE <= now < _moment(permit.expires):
        raise StaleError(
            f"a permit holds from {permit.decided} to {permit.expires}, and here it is {to_text(now)}",
            hint="set the clocks of both nodes (NTP), and start the exchange again",
        )


def _decide(permit: Permit, regime: Regime) -> str:
    """Decide over a permit's facts; gives the rules that allow it as the permit names them.

    Red lines come first: what else is wrong with an offer does not hide that it crosses one.
    """
    moment = _moment(permit.decided)
    rulebook = regime.rulebooks.named(permit.rulebook, moment)
    for name, found, declared in (
        (permit.asker, permit.asker_notice, regime.notice_hash(permit.asker)),
        (permit.answerer, permit.answerer_notice, regime.notice_hash(permit.answerer)),
    ):
        if found != declared:
            raise StaleError(
                f"another notice of {name} than its newest is named",
                hint="the end that is behind gets it within a minute; try again then",
            )
    facts = facts_of(permit, regime)
    outcome = rulebook.policies.outcome(facts)
    if isinstance(outcome, RedLineError):
        raise outcome
    for name in (permit.asker, permit.answerer):
        regime.require_notice(name, moment)
    if facts.answerer.role is not Role.GOVERNMENT:
        regime.require_vetted(permit.answerer, moment)
        reviews.require(regime.membership, permit.asker, permit.answerer, moment)
    for party in (facts.asker, facts.answerer):
        regime.require_unsanctioned(party.name, facts.purpose, moment)
    conditions.check_declared(facts, regime)
    conditions.check_consents(permit, facts, regime, moment)
    conditions.check_limits(permit, rulebook)
    conditions.check_never(facts)
    if isinstance(outcome, DeniedError):
        raise outcome
    return ",".join(outcome)


def facts_of(permit: Permit, regime: Regime) -> Facts:
    """Write a permit's facts as rules read them; raises VerificationError where a word is none."""
    moment = _moment(permit.decided)
    try:
        return Facts(
            asker=regime.party_facts(permit.asker, moment),
            answerer=regime.party_facts(permit.answerer, moment),
            purpose=Purpose(permit.purpose),
            mode=Mode(permit.mode),
            engine=EngineName(permit.engine),
            kinds=_kinds(permit.kinds),
            answered_kinds=_kinds(permit.answered_kinds),
            basis=_basis(permit.basis),
            answered_basis=_basis(permit.answered_basis),
            asked=permit.asked_padded,
            answered=permit.answered_padded,
            decided=int(moment.timestamp()),
        )
    except ValueError as error:
        raise VerificationError("a permit holds a word that no vocabulary has") from error


def joined(found: Iterable[Kind]) -> str:
    """Write kinds as offers and permits carry them."""
    return ",".join(sorted(found))


def _kinds(text: str) -> frozenset[Kind]:
    try:
        found = frozenset(Kind(word) for word in text.split(",") if word)
    except ValueError as error:
        raise VerificationError("an offer or permit names a kind that there is not") from error
    if joined(found) != text or not found:
        raise VerificationError("the kinds in an offer or permit are none, or not in order")
    return found


def _basis(text: str) -> BasisName:
    try:
        return basis(text)[0]
    except BadInputError as error:
        raise VerificationError("an offer or permit names a legal basis that there is not") from error


def _moment(text: str) -> dt.datetime:
    try:
        return from_text(text)
    except ValueError as error:
        raise VerificationError("an offer's or permit's time cannot be read") from error
