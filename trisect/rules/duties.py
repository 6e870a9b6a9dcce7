"""The register of duties: what each party owes by when, as it follows from what was filed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from trisect.clock import from_text, to_text
from trisect.errors import StaleError
from trisect.rules import breaches, leaks, reviews, stale
from trisect.rules.regime import Regime
from trisect.rules.rulebook import Deadlines
from trisect.trust.keys import PartyName
from trisect.trust.party import Party
from trisect.trust.statements import Role, Standing

GIVEN_UP = dt.timedelta(days=30)
"""A review that nobody has renewed for so long was given up: the party asks that source no more."""


@dataclass(frozen=True, slots=True)
class Duty:
    """What a party owes.

    Attributes:
        duty: in words.
        due: by when (RFC 3339, UTC).
        overdue: whether that has passed.
    """

    party: PartyName
    duty: str
    due: str
    overdue: bool


def duties(regime: Regime, now: dt.datetime) -> list[Duty]:
    """List every duty that is still to be done, the overdue ones first."""
    try:
        deadlines = regime.rulebooks.at(now).provisions.deadlines
    except StaleError:  # the government's own duty, which is listed
        deadlines = Deadlines()
    found = [
        Duty(party.name, duty, to_text(due), due <= now)
        for party in regime.membership.parties.values()
        if party.standing is not Standing.EXPELLED
        for duty, due in _of(party, regime, deadlines, now)
    ]
    found += [
        Duty(owed.party, leaks.DUTIES[owed.act].format(leak.name), to_text(owed.due), owed.due <= now)
        for name in regime.membership.parties
        for leak in leaks.of_party(regime.membership, name)
        for owed in leak.owed(regime, now)
    ]
    return sorted(found, key=lambda one: (not one.overdue, one.due, one.party))


def _of(
    party: Party, regime: Regime, deadlines: Deadlines, now: dt.datetime
) -> Iterator[tuple[str, dt.datetime]]:
    notice = regime.notice(party.name)
    yield (
        ("publish a new notice before this one ends", notice[0].declaration.valid_until)
        if notice
        else ("publish a notice", now)
    )
    if party.role is Role.GOVERNMENT:
        yield from _of_government(party, regime, deadlines, now)
    else:
        until = from_text(party.vetting.expires) if party.vetting else now
        yield "have its vetting renewed", until
    for source, review in reviews.of_recipient(regime.membership, party.name).items():
        about, until = regime.membership.party(source), from_text(review.expires)
        given_up = now > until + GIVEN_UP
        if about.standing is Standing.ACTIVE and about.role is not Role.GOVERNMENT and not given_up:
            yield f"review {source} as a source again", until
    for issuer, kept in stale.outstanding(regime.membership, party.name):
        due = from_text(kept.since) + dt.timedelta(deadlines.stale_hits_days)
        yield f"drop the stale hits of the exchange {kept.exchange} with {issuer}, or repeat it", due
    for breach in breaches.of_party(regime.membership, party.name):
        if breach.state == "open":
            opened = from_text(breach.filed.filing.issued)
            yield f"reply to the breach {breach.name}", opened + dt.timedelta(deadlines.breach_reply_days)


def _of_government(
    party: Party, regime: Regime, deadlines: Deadlines, now: dt.datetime
) -> Iterator[tuple[str, dt.datetime]]:
    if party.name == regime.membership.pepper_keeper:
        try:
            ends = regime.rulebooks.last(now).provisions.valid_until
        except StaleError:
            ends = now
        yield "publish the next rulebook before this one ends", ends
    for name in regime.membership.parties:
        for breach in breaches.of_party(regime.membership, name):
            for one in breach.orders:
                if one.appealed and not one.decision and one.filed.filing.issuer == party.name:
                    appealed = from_text(one.appealed.filing.issued)
                    due = appealed + dt.timedelta(deadlines.appeal_days)
                    yield f"have the appeal in {breach.name} decided by others", due
