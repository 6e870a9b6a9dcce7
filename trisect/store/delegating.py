"""The delegations that persons have given a proxy. Taking one back takes back what was given under it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from trisect.errors import ConflictError, NotFoundError
from trisect.rules.delegations import Delegation
from trisect.store.database import Database
from trisect.store.granting import MAX_LISTED, erase_under, take_back_under
from trisect.store.proxy_tables import delegations


@dataclass(frozen=True, slots=True)
class KeptDelegation:
    """One delegation as the proxy keeps it.

    Attributes:
        id: of the delegation.
        record: signed, None after erasure.
        revoked_at: when somebody took it back, or empty.
        credential: of the app that brought it; empty where an administrator did.
    """

    id: bytes
    record: bytes | None
    revoked_at: str
    credential: str


class Delegations:
    """Delegations at one proxy. Called from threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, delegation: Delegation, record: bytes, credential: str = "") -> None:
        """Keep a delegation, its signed record, and the credential of the app that brings it."""
        with self._database.write() as connection:
            newest = connection.execute(sa.select(sa.func.max(delegations.c.number))).scalar_one() or 0
            connection.execute(
                sa.insert(delegations).values(
                    number=newest + 1,
                    id=delegation.id,
                    subject=delegation.subject,
                    record=record,
                    credential=credential or None,
                )
            )

    def revoke(self, delegation: bytes, now: str) -> Sequence[bytes]:
        """Take a delegation back; gives the ids of the consents in force that went with it.

        Raises:
            NotFoundError: there is no such delegation.
        """
        mine = delegations.c.id == delegation
        with self._database.write() as connection:
            row = connection.execute(sa.select(delegations.c.revoked_at).where(mine)).one_or_none()
            if row is None:
                raise _unknown()
            if row.revoked_at is None:
                connection.execute(sa.update(delegations).where(mine).values(revoked_at=now))
            return take_back_under(connection, delegation, now)

    def erase(self, delegation: bytes) -> None:
        """Forget all of a delegation but its id, and all but the numbers of the consents that went with it.

        Raises:
            ConflictError: it was not taken back.
        """
        mine = delegations.c.id == delegation
        with self._database.write() as connection:
            done = connection.execute(
                sa.update(delegations)
                .where(mine, delegations.c.revoked_at.is_not(None))
                .values(subject=None, record=None, credential=None)
            )
            if done.rowcount:
                erase_under(connection, delegation)
        if not done.rowcount:
            raise ConflictError(
                "a delegation that is in force is not erased",
                hint="take it back with `trisect delegation revoke`",
            )

    def get(self, delegation: bytes) -> KeptDelegation:
        """Look a delegation up; raises NotFoundError."""
        found = self._select(delegations.c.id == delegation)
        if not found:
            raise _unknown()
        return found[0]

    def of_subject(self, subject: str) -> Sequence[KeptDelegation]:
        """List the delegations of a person by the pseudonym with the proxy, oldest first."""
        return self._select(delegations.c.subject == subject)

    def latest(self) -> Sequence[KeptDelegation]:
        """List the newest delegations in their order."""
        return self._select(sa.true())

    def _select(self, where: sa.ColumnElement[bool]) -> Sequence[KeptDelegation]:
        newest = sa.select(delegations).where(where).order_by(delegations.c.number.desc()).limit(MAX_LISTED)
        with self._database.read() as connection:
            rows = connection.execute(newest).all()[::-1]
        return [
            KeptDelegation(row.id, row.record, row.revoked_at or "", row.credential or "") for row in rows
        ]


def _unknown() -> NotFoundError:
    return NotFoundError(
        "there is no such delegation here", hint="`trisect delegation list` names those there are"
    )
