"""Who has to cosign a head of the record before anybody goes by it.

Each role has witnesses, an odd number of parties; a role has cosigned when more than half of them have. A head
counts with two roles, the proxies among them: neither the authorities nor the trade can make one by themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from trisect.record.checkpoint import witness_key
from trisect.record.notes import Note
from trisect.trust.keys import PartyName
from trisect.trust.membership import Membership
from trisect.trust.statements import Role, Standing

ENOUGH_ROLES = 2

Witnesses = Mapping[Role, tuple[PartyName, ...]]
"""The witnesses of each role, an odd number each; a role without any cannot cosign."""


def eldest(membership: Membership) -> Witnesses:
    """Name witnesses where no rulebook does: of each role the active party that was admitted first."""
    found: dict[Role, tuple[PartyName, ...]] = {}
    for party in membership.parties.values():
        if party.standing is Standing.ACTIVE:
            found.setdefault(party.role, (party.name,))
    return found


@dataclass(frozen=True, slots=True)
class Cosigned:
    """Who has cosigned a head.

    Attributes:
        times: of each party's cosignature, in seconds since 1970.
        roles: those of which more than half of the witnesses have.
    """

    times: Mapping[PartyName, int]
    roles: frozenset[Role]

    @property
    def counts(self) -> bool:
        """Whether the head is one to go by."""
        return len(self.roles) >= ENOUGH_ROLES and Role.PROXY in self.roles


def cosigned(note: Note, membership: Membership, witnesses: Witnesses) -> Cosigned:
    """Check the cosignatures of members on a head, and tell what they amount to.

    Raises:
        VerificationError: a line in a member's name does not hold.
    """
    keys = {
        witness_key(membership.consortium, party.name, party.keys.identity): party.name
        for party in membership.parties.values()
    }
    times = {keys[key]: time_s for key, time_s in note.signers(keys).items()}
    roles = (role for role, named in witnesses.items() if _most(named, times))
    return Cosigned(times, frozenset(roles))


def _most(named: Iterable[PartyName], times: Mapping[PartyName, int]) -> bool:
    found = [name in times for name in named]
    return 2 * sum(found) > len(found)
