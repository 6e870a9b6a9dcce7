"""What a supervisor sees: each party's exchanges as the public record shows them, its breaches and its duties.

No indicator, no token and no collection is in it, and nothing is asked of anybody for it. Called from threads.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator

from nodes.members import Members
from trisect.clock import Clock, from_text, to_text
from trisect.record import entries
from trisect.rules import breaches, stale
from trisect.rules.breaches import Breach
from trisect.rules.duties import duties
from trisect.rules.permit import Permit
from trisect.rules.regime import Regime
from trisect.store.exchanges import Exchanges
from trisect.store.record import PAGE, Record
from trisect.trust.filings import ConsentsFiling
from trisect.wire.v1 import governance_pb2 as pb


class Supervising:
    """Looks over the consortium from one node.

    Args:
        members: tells who belongs to it, and what was filed.
        record: this node's copy of the public record.
        exchanges: this node's own.
        clock: tells what is due.
    """

    def __init__(self, members: Members, record: Record, exchanges: Exchanges, clock: Clock) -> None:
        self._members = members
        self._record = record
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

    def meter(self, days: int) -> pb.GetMeterReply:
        """Count what each party has done within so many days."""
        membership, now = self._members.membership, self._clock()
        asked, answered = Counter[str](), Counter[str]()
        elements, given, today = Counter[str](), Counter[str](), Counter[str]()
        for permit in self._permits(now - dt.timedelta(days=days)):
            asked[permit.asker] += 1
            answered[permit.answerer] += 1
            elements[permit.asker] += permit.asked_padded
            given[permit.answerer] += permit.answered_padded
            today[permit.asker] += permit.budget * (permit.budget_day == to_text(now)[:10])
        silent = self._silent(now)
        reply = pb.GetMeterReply()
        for party in membership.parties.values():
            files = breaches.of_party(membership, party.name)
            committed = membership.filed(ConsentsFiling, party.name)
            reply.parties.add(
                party=party.name,
                role=party.role.value,
                standing=party.standing.value,
                asked=asked[party.name],
                answered=answered[party.name],
                elements_asked=elements[party.name],
                elements_answered=given[party.name],
                elements_asked_today=today[party.name],
                breaches=len(files),
                open_breaches=sum(one.closing is None for one in files),
                orders=sorted(one.order.act for file in files for one in file.orders if one.in_force(now)),
                silent=silent[party.name],
                stale=len(stale.outstanding(membership, party.name)),
                consents_committed=committed[-1].filing.issued if committed else "",
            )
        reply.duties.extend(
            pb.Duty(party=one.party, duty=one.duty, due=one.due, overdue=one.overdue)
            for one in duties(Regime(membership), now)
        )
        return reply

    def _permits(self, since: dt.datetime) -> Iterator[Permit]:
        """Read the permits in the record that were decided since a time."""
        first = 0
        while page := self._record.entries(first, limit=PAGE):
            first += len(page)
            for entry in page:
                envelope = entries.document(entry) if entries.kind(entry) == Permit.KIND else None
                if envelope is not None and from_text((found := Permit.peek(envelope)).decided) >= since:
                    yield found

    def _silent(self, now: dt.datetime) -> Counter[str]:
        """Count, for each peer, the exchanges that have ended here and that it has not confirmed for too long."""
        deadlines = Regime(self._members.membership).deadlines(now)
        until = to_text(now - dt.timedelta(hours=deadlines.silence_hours))
        return Counter(one.peer for one in self._exchanges.unsettled() if one.started_at < until)


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
