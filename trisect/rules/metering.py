"""What the public record shows of each party's exchanges, counted for whoever supervises; no indicator is in it."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from trisect.clock import from_text, to_text
from trisect.rules import consent_epochs
from trisect.rules.offers import ASKER
from trisect.rules.permit import Permit
from trisect.rules.regime import Regime
from trisect.rules.vocabulary import Purpose, on_consent


@dataclass(frozen=True, slots=True)
class RecordedExchange:
    """An exchange as the record has it.

    Attributes:
        permit: of it.
        receipts: `asker`, `answerer`: whose receipts the record commits to.
    """

    permit: Permit
    receipts: frozenset[str] = frozenset()


@dataclass(slots=True)
class Use:
    """What one party has done.

    Attributes:
        asked: permits under which it has asked.
        answered: permits under which it was asked.
        elements_asked: padded sizes of its own sets in the former, where something was evaluated.
        elements_answered: in the latter.
        charged_today: elements that are charged to it on this day (UTC).
        budget_percent: the largest part of a budget of this day, at one answerer for one purpose, that is charged.
        revocation_lag: how long consents had stood in the record, at most, that a list of it was taken without.
        silent: exchanges, by id, that the other end has given its receipt of and this party has not, for too long.
    """

    asked: int = 0
    answered: int = 0
    elements_asked: int = 0
    elements_answered: int = 0
    charged_today: int = 0
    budget_percent: int = 0
    revocation_lag: dt.timedelta = dt.timedelta()
    silent: set[str] = field(default_factory=set)


def metered(found: Iterable[RecordedExchange], regime: Regime, now: dt.datetime) -> Mapping[str, Use]:
    """Count, for every party, what is in exchanges of the record; one of parties that are not known yet counts later."""
    uses = {name: Use() for name in map(str, regime.membership.parties)}
    late = now - dt.timedelta(hours=regime.deadlines(now).silence_hours)
    lag, charged = consent_epochs.Lag(regime.membership), Counter[tuple[str, str, str, bytes]]()
    for one in found:
        permit = one.permit
        asker, answerer, moment = uses.get(permit.asker), uses.get(permit.answerer), from_text(permit.decided)
        if asker is None or answerer is None:
            continue
        asker.asked += 1
        answerer.answered += 1
        if not permit.repeats:  # else nothing was evaluated
            asker.elements_asked += permit.asked_padded
            answerer.elements_answered += permit.answered_padded
        if permit.budget_day == to_text(now)[:10]:
            charged[permit.asker, permit.answerer, permit.purpose, permit.rulebook] += permit.budget
        ends = (
            (asker, permit.basis, permit.consents),
            (answerer, permit.answered_basis, permit.answered_consents),
        )
        for end, basis, known in ends:
            if on_consent(basis):
                end.revocation_lag = max(end.revocation_lag, lag.of(known, moment))
        if len(one.receipts) == 1 and moment <= late:
            silent = answerer if ASKER in one.receipts else asker
            silent.silent.add(permit.exchange.hex())
    _count_budgets(charged, uses, regime, to_text(now)[:10])
    return uses


def _count_budgets(
    charged: Mapping[tuple[str, str, str, bytes], int], uses: Mapping[str, Use], regime: Regime, day: str
) -> None:
    """Tell what part of each budget is charged, by the newest rulebook that a permit of the day goes by."""
    spent, rulebooks = Counter[tuple[str, str, str]](), dict[tuple[str, str, str], bytes]()
    for (name, peer, purpose, rulebook), elements in charged.items():
        spent[name, peer, purpose] += elements
        rulebooks[name, peer, purpose] = rulebook
    for (name, peer, purpose), elements in spent.items():
        limit = regime.budget(name, peer, Purpose(purpose), day, rulebooks[name, peer, purpose])
        uses[name].charged_today += elements
        uses[name].budget_percent = max(uses[name].budget_percent, 100 * elements // max(limit, 1))
