"""Who has to cosign a head of the record before anybody goes by it, and how long they may.

Each role has witnesses, an odd number of parties; a role has cosigned when more than half of them have. A head
counts with two roles, the proxies among them: neither the authorities nor the trade can make one by themselves.
Witnesses sign the newest head again and again, each time with the time: a coordinator that shows an old one is found
out by its age.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from trisect.clock import from_seconds, to_text
from trisect.errors import StaleError
from trisect.record.checkpoint import witness_key
from trisect.record.notes import Note
from trisect.rules.regime import Regime
from trisect.trust.keys import PartyName
from trisect.trust.membership import Membership
from trisect.trust.statements import Role, Standing

ENOUGH_ROLES = 2
CLOCK_TOLERANCE = dt.timedelta(seconds=60)
"""How far ahead of the own clock a head may have been cosigned."""

Witnesses = Mapping[Role, tuple[PartyName, ...]]
"""The witnesses of each role, an odd number each; a role without any cannot cosign."""


def appointed(membership: Membership, moment: dt.datetime) -> Witnesses:
    """Name the witnesses at a moment.

    They are those of the rulebook that had begun last, also where it has ended since; of a role for which it names
    none, the active party that was admitted first.
    """
    found: dict[Role, tuple[PartyName, ...]] = {}
    for party in membership.parties.values():
        if party.standing is Standing.ACTIVE:
            found.setdefault(party.role, (party.name,))
    begun = [one for one in Regime(membership).rulebooks if one.provisions.valid_from <= moment]
    if begun:
        named = begun[-1].provisions.witnesses
        found |= {role: tuple(map(PartyName, named.of(role))) for role in Role if named.of(role)}
    return found


@dataclass(frozen=True, slots=True)
class Cosigned:
    """Who has cosigned a head.

    Attributes:
        times: of each party's cosignature, in seconds since 1970.
        roles: those of which more than half of the witnesses have, each with the time at which it last had.
    """

    times: Mapping[PartyName, int]
    roles: Mapping[Role, int]

    @property
    def counts(self) -> bool:
        """Whether the head is one to go by."""
        return len(self.roles) >= ENOUGH_ROLES and Role.PROXY in self.roles

    @property
    def counted_at(self) -> dt.datetime | None:
        """When the head last counted: the latest time since which enough roles have cosigned; None if it never did."""
        if not self.counts:
            return None
        others = max(at for role, at in self.roles.items() if role is not Role.PROXY)
        return from_seconds(min(self.roles[Role.PROXY], others))


def cosigned(note: Note, membership: Membership) -> Cosigned:
    """Check the cosignatures of members on a head, and tell what they amount to.

    Raises:
        VerificationError: a line in a member's name does not hold.
    """
    keys = {
        witness_key(membership.consortium, party.name, party.keys.identity): party.name
        for party in membership.parties.values()
    }
    times = {keys[key]: time_s for key, time_s in note.signers(keys).items()}
    witnesses = appointed(membership, from_seconds(max(times.values(), default=0)))
    roles = {role: _since(named, times) for role, named in witnesses.items()}
    return Cosigned(times, {role: at for role, at in roles.items() if at is not None})


def require_fresh(counted_at: dt.datetime | None, max_age_s: int, now: dt.datetime) -> None:
    """Raise StaleError where the newest head that counts last did so longer ago than a rulebook allows."""
    if counted_at is None:
        raise StaleError(
            "no head of the public record counts yet",
            hint="witnesses of two roles cosign one, the proxies' among them: `trisect record show` tells who has",
        )
    if counted_at > now + CLOCK_TOLERANCE:
        raise StaleError(
            f"the record's head was cosigned at {to_text(counted_at)}, and here it is {to_text(now)}",
            hint="set the clocks of this node and of the witnesses (NTP)",
        )
    if now - counted_at > dt.timedelta(seconds=max_age_s):
        raise StaleError(
            f"the public record's newest head that counts did so last at {to_text(counted_at)}; the rulebook allows "
            f"{max_age_s} seconds",
            hint="the witnesses' nodes have to be up and follow the record: `trisect record show` tells who has cosigned",
        )


def _since(named: Iterable[PartyName], times: Mapping[PartyName, int]) -> int | None:
    """Tell the latest time since which more than half of some witnesses have cosigned, None where they have not."""
    witnesses = tuple(named)
    found = sorted((times[name] for name in witnesses if name in times), reverse=True)
    most = len(witnesses) // 2 + 1
    return found[most - 1] if len(found) >= most else None
