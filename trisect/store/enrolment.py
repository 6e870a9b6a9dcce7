"""The coordinator's invitations, and the parties that have redeemed one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from trisect.store.database import Database
from trisect.store.tables import enrolled, invitations


@dataclass(frozen=True, slots=True)
class Invitation:
    """One invitation as the coordinator keeps it; times are RFC 3339."""

    id: str
    party: str
    role: str
    expires_at: str
    key_hash: bytes | None
    certificate: bytes | None
    contested: int


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A party that holds a certificate."""

    party: str
    role: str
    identity: bytes
    sealing: bytes
    sealing_signature: bytes
    joined_at: str


class Enrolments:
    """Invitations and enrolled parties."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add_invitation(self, invitation_id: str, *, party: str, role: str, expires_at: str) -> None:
        """Record a new invitation."""
        with self._database.write() as connection:
            connection.execute(
                sa.insert(invitations).values(
                    id=invitation_id, party=party, role=role, expires_at=expires_at, contested=0
                )
            )

    def invitation(self, invitation_id: str) -> Invitation | None:
        """Find an invitation."""
        with self._database.read() as connection:
            row = connection.execute(
                sa.select(invitations).where(invitations.c.id == invitation_id)
            ).one_or_none()
        return Invitation(**row._asdict()) if row else None

    def invited(self, now: str) -> Sequence[str]:
        """List the parties with an invitation that has not expired at a time (RFC 3339)."""
        query = sa.select(invitations.c.party).where(invitations.c.expires_at > now).distinct()
        with self._database.read() as connection:
            return list(connection.execute(query).scalars())

    def redeem(self, invitation_id: str, key_hash: bytes, certificate: bytes, party: Enrolled) -> bool:
        """Bind an invitation to the first key that comes, and enrol its party, in one transaction.

        Returns:
            Whether this call was the first; where not, nothing has changed.
        """
        free = invitations.c.key_hash.is_(None)
        with self._database.write() as connection:
            bound = connection.execute(
                sa.update(invitations)
                .where(invitations.c.id == invitation_id, free)
                .values(key_hash=key_hash, certificate=certificate)
            )
            if bound.rowcount != 1:
                return False
            fields = {name: getattr(party, name) for name in Enrolled.__slots__}
            connection.execute(sa.delete(enrolled).where(enrolled.c.party == party.party))
            connection.execute(sa.insert(enrolled).values(**fields))
            return True

    def succeed(self, former: bytes, party: Enrolled) -> bool:
        """Replace a party's keys; gives whether it had enrolled with the former identity key."""
        with self._database.write() as connection:
            changed = connection.execute(
                sa.update(enrolled)
                .where(enrolled.c.party == party.party, enrolled.c.identity == former)
                .values(
                    identity=party.identity,
                    sealing=party.sealing,
                    sealing_signature=party.sealing_signature,
                )
            )
            return changed.rowcount == 1

    def contest(self, invitation_id: str) -> None:
        """Count an attempt to redeem an invitation with a second key."""
        with self._database.write() as connection:
            connection.execute(
                sa.update(invitations)
                .where(invitations.c.id == invitation_id)
                .values(contested=invitations.c.contested + 1)
            )

    def contested(self) -> Sequence[str]:
        """List the parties whose invitation somebody tried to redeem with a second key."""
        query = sa.select(invitations.c.party).where(invitations.c.contested > 0).distinct()
        with self._database.read() as connection:
            return list(connection.execute(query.order_by(invitations.c.party)).scalars())

    def enrolled(self) -> Sequence[Enrolled]:
        """List all enrolled parties in the order in which they joined."""
        with self._database.read() as connection:
            rows = connection.execute(sa.select(enrolled).order_by(enrolled.c.joined_at, enrolled.c.party))
            return [Enrolled(**row._asdict()) for row in rows]

    def find(self, party: str) -> Enrolled | None:
        """Find an enrolled party."""
        with self._database.read() as connection:
            row = connection.execute(sa.select(enrolled).where(enrolled.c.party == party)).one_or_none()
        return Enrolled(**row._asdict()) if row else None
