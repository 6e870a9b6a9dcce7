"""What a supervisor sees: each party's exchanges as the public record shows them, its breaches and its duties.

No indicator, no token and no collection is in it, and nothing is asked of anybody for it. Called from threads.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, MutableSequence

from nodes.members import Members
from trisect.clock import Clock, from_text, to_text
from trisect.errors import TrisectError
from trisect.record import entries
from trisect.rules import breaches, leaks, stale
from trisect.rules.breaches import Breach, Ground
from trisect.rules.duties import duties
from trisect.rules.metering import RecordedExchange, metered
from trisect.rules.permit import Permit
from trisect.rules.regime import Regime
from trisect.rules.rulebook import Rulebook
from trisect.rules.simulating import simulate
from trisect.rules.tracing import trace
from trisect.store.exchanges import Exchanges, Side
from trisect.store.record import PAGE, Record
from trisect.trust.filings import ConsentsFiling
from trisect.wire.v1 import governance_pb2 as pb

_log = logging.getLogger(__name__)
_DISORDER = dt.timedelta(hours=1)
"""More than permits in the record are out of the order of their times: clocks differ by a minute at most."""


class Supervising:
    """Looks over the consortium from one node.

    Args:
        members: tells who belongs to it, and what was filed.
        record: this node's copy of the public record.
        size: tells how many of its entries a verified head covers.
        exchanges: this node's own.
        clock: tells what is due.
    """

    def __init__(
        self,
        members: Members,
        record: Record,
        size: Callable[[], int],
        exchanges: Exchanges,
        clock: Clock,
    ) -> None:
        self._members = members
        self._record = record
        self._size = size
        self._exchanges = exchanges
        self._clock = clock

    def breaches(self, party: str) -> pb.ListBreachesReply:
        """Write the files of breaches, of one party or of all."""
        membership, now = self._members.membership, self._clock()
        names = [membership.party(party).name] if party else list(membership.parties)
        return pb.ListBreachesReply(
            breaches=[
                _written(breach, now) for name in names for breach in breaches.of_party(membership, name)
            ]
        )

    def leaks(self, party: str) -> pb.ListLeaksReply:
        """Write the register of leaks, of one party or of all."""
        membership, now = self._members.membership, self._clock()
        regime, reply = Regime(membership), pb.ListLeaksReply()
        for name in [membership.party(party).name] if party else list(membership.parties):
            for leak in leaks.of_party(membership, name):
                written = reply.leaks.add(
                    party=name,
                    number=leak.filed.filing.serial,
                    cause=leak.report.cause,
                    kinds=leak.report.kinds.split(","),
                    persons=leak.report.persons,
                    discovered=leak.report.discovered,
                    method=leak.report.method,
                    text=leak.report.text,
                    issuer=leak.filed.filing.issuer,
                    issued=leak.filed.filing.issued,
                    late=leak.late(regime),
                    closed=leak.closed,
                )
                for step, filed in leak.steps:
                    written.steps.add(
                        act=step.act, text=step.text, issuer=filed.filing.issuer, issued=filed.filing.issued
                    )
                for owed in leak.owed(regime, now):
                    due = to_text(owed.due)
                    written.owed.add(party=owed.party, act=owed.act, due=due, overdue=owed.due <= now)
        return reply

    def meter(self, days: int) -> pb.GetMeterReply:
        """Count what each party has done within so many days."""
        membership, now = self._members.membership, self._clock()
        regime = Regime(membership)
        uses = metered(self._recorded(now - dt.timedelta(days=days)), regime, now)
        for peer, exchange in self._unconfirmed(now):
            if peer in uses:
                uses[peer].silent.add(exchange)
        reply = pb.GetMeterReply()
        for party in membership.parties.values():
            files = breaches.of_party(membership, party.name)
            committed = membership.filed(ConsentsFiling, party.name)
            use = uses[party.name]
            reply.parties.add(
                party=party.name,
                role=party.role.value,
                standing=party.standing.value,
                asked=use.asked,
                answered=use.answered,
                elements_asked=use.elements_asked,
                elements_answered=use.elements_answered,
                elements_asked_today=use.charged_today,
                budget_percent=use.budget_percent,
                revocation_lag_s=round(use.revocation_lag.total_seconds()),
                breaches=len(files),
                open_breaches=sum(one.closing is None for one in files),
                drift=sum(one.closing is None and one.opening.ground == Ground.DRIFT for one in files),
                orders=sorted(one.order.act for file in files for one in file.orders if one.in_force(now)),
                silent=len(use.silent),
                stale=len(stale.outstanding(membership, party.name)),
                consents_committed=committed[-1].filing.issued if committed else "",
            )
        reply.duties.extend(
            pb.Duty(party=one.party, duty=one.duty, due=one.due, overdue=one.overdue)
            for one in duties(regime, now)
        )
        return reply

    def simulate(self, rulebook: Rulebook, seconds: int) -> pb.SimulateRulebookReply:
        """Judge the permits of so many seconds by a rulebook; what would be denied alike is told together."""
        now, reply = self._clock(), pb.SimulateRulebookReply()
        past = self._permits(now - dt.timedelta(seconds=seconds))
        found: dict[bytes, pb.SimulatedDenial] = {}
        for permit, error in simulate(rulebook, past, Regime(self._members.membership), now):
            reply.permits += 1
            if error is None:
                continue
            made = pb.SimulatedDenial(
                asker=permit.asker,
                answerer=permit.answerer,
                purpose=permit.purpose,
                mode=permit.mode,
                rule=error.rule or error.code,
            )
            denial = found.setdefault(made.SerializeToString(deterministic=True), made)
            denial.times += 1
            denial.message, denial.hint = error.message, error.hint
            denial.exchange_id = permit.exchange.hex()
        reply.denials.extend(sorted(found.values(), key=lambda one: -one.times))
        return reply

    def inspect(self, name: str, days: int) -> pb.InspectPartyReply:
        """Show what the record says of one party and of so many days."""
        now = self._clock()
        party = self._members.membership.party(name).name
        meter = self.meter(days)
        return pb.InspectPartyReply(
            meter=next(one for one in meter.parties if one.party == party),
            duties=[one for one in meter.duties if one.party == party],
            breaches=self.breaches(party).breaches,
            uses=_uses(self._permits(now - dt.timedelta(days=days)), party),
        )

    def _permits(self, since: dt.datetime) -> list[Permit]:
        """Read the permits in the record that were decided since a time."""
        return [one.permit for one in self._recorded(since)]

    def _recorded(self, since: dt.datetime) -> list[RecordedExchange]:
        """Read the exchanges in the record that were decided since a time, in order; from its end, so no more than needed."""
        permits, receipts = list[Permit](), defaultdict[str, set[str]](set)
        first, older = self._size(), False
        while first and not older:
            first, count = max(0, first - PAGE), min(PAGE, first)
            for entry in reversed(self._record.entries(first, limit=count)):
                if side := entries.side(entry):
                    receipts[str(entries.exchange(entry))].add(side)
                elif (permit := self._sound(entry)) is not None:
                    decided = from_text(permit.decided)
                    if decided >= since:
                        permits.append(permit)
                    older |= decided < since - _DISORDER
        return [RecordedExchange(one, frozenset(receipts[one.exchange.hex()])) for one in reversed(permits)]

    def _sound(self, entry: bytes) -> Permit | None:
        """Read the permit that an entry is, None where it is none that parties and rules of this consortium have made."""
        if entries.kind(entry) != Permit.KIND:
            return None
        try:
            return trace(entry, self._members.membership).permit
        except TrisectError as error:
            _log.warning("a permit in the record is not sound", extra={"reason": error.message})
            return None

    def _unconfirmed(self, now: dt.datetime) -> Iterator[tuple[str, str]]:
        """Name the exchanges that have ended here and that the peer has not confirmed for too long, each with the peer."""
        deadlines = Regime(self._members.membership).deadlines(now)
        until = to_text(now - dt.timedelta(hours=deadlines.silence_hours))
        for one in self._exchanges.unsettled():
            if one.started_at < until:
                yield one.peer, one.id


def _uses(permits: Iterable[Permit], party: str) -> list[pb.InspectedUse]:
    """Sum up the permits of a party, by end, peer, purpose and mode."""
    found: dict[bytes, pb.InspectedUse] = {}
    for permit in permits:
        for end in Side:
            asks = end is Side.ASKER
            own, peer = (permit.asker, permit.answerer) if asks else (permit.answerer, permit.asker)
            if own != party:
                continue
            made = pb.InspectedUse(end=end.value, peer=peer, purpose=permit.purpose, mode=permit.mode)
            use = found.setdefault(made.SerializeToString(deterministic=True), made)
            use.first = use.first or permit.decided
            use.times += 1
            use.last = permit.decided
            if not permit.repeats:
                use.elements += permit.asked_padded if asks else permit.answered_padded
            kinds = permit.kinds if asks else permit.answered_kinds
            _merge(use.kinds, kinds.split(","))
            _merge(use.bases, [permit.basis if asks else permit.answered_basis])
            _merge(use.rules, permit.rules.split(","))
    return list(found.values())


def _merge(into: MutableSequence[str], more: Iterable[str]) -> None:
    into[:] = sorted({*into, *more})


def _written(breach: Breach, now: dt.datetime) -> pb.Breach:
    opened, opening = breach.filed.filing, breach.opening
    found = pb.Breach(
        party=breach.party,
        number=breach.number,
        state=breach.state,
        ground=opening.ground,
        rule=opening.rule,
        text=opening.text,
        proofs=opening.proofs,
        issuer=opened.issuer,
        issued=opened.issued,
        closing=breach.closing.text if breach.closing else "",
        closed_by=breach.closed_by,
    )
    for reply, filed in breach.replies:
        found.replies.add(text=reply.text, issued=filed.filing.issued)
    for one in breach.orders:
        order, filing = one.order, one.filed.filing
        found.orders.add(
            kind=filing.KIND,
            number=one.number,
            act=order.act,
            purpose=order.purpose,
            factor=order.factor,
            reasons=order.reasons,
            begins=one.begins,
            ends=order.ends,
            issuer=filing.issuer,
            issued=filing.issued,
            in_force=one.in_force(now),
            appeal=one.appeal.text if one.appeal else "",
            appeal_number=one.appealed.filing.serial if one.appealed else 0,
            decision=one.decision.reasons if one.decision else "",
            lifted=not one.stands,
        )
    return found
