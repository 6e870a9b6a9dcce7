"""Which of a party's own programs may call its node over the network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from trisect.errors import ConflictError, NotFoundError
from trisect.store.database import Database
from trisect.store.tables import credentials


@dataclass(frozen=True, slots=True)
class Credential:
    """One program's credential; times are RFC 3339.

    Attributes:
        id: 32 hexadecimal digits, as its certificate names it; never given twice.
        name: what administrators call the program.
        issued_at: when.
        expires_at: when its certificate ends.
        revoked_at: when it was ended before that, or empty.
    """

    id: str
    name: str
    issued_at: str
    expires_at: str
    revoked_at: str = ""


class Credentials:
    """All credentials of a node. Called from threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, credential: Credential) -> None:
        """Keep a new credential; raises ConflictError where one of that name holds."""
        row = credentials.c
        with self._database.write() as connection:
            same = sa.select(row.id).where(
                row.name == credential.name, row.revoked_at == "", row.expires_at > credential.issued_at
            )
            if connection.execute(same).first() is not None:
                raise ConflictError(
                    f"there is a credential for {credential.name} that holds",
                    hint="revoke it first, or choose another name",
                )
            fields = {name: getattr(credential, name) for name in Credential.__slots__}
            connection.execute(sa.insert(credentials).values(**fields))

    def list(self) -> Sequence[Credential]:
        """List all, oldest first."""
        with self._database.read() as connection:
            rows = connection.execute(
                sa.select(credentials).order_by(credentials.c.issued_at, credentials.c.id)
            )
            return [Credential(**row._asdict()) for row in rows]

    def get(self, credential: str) -> Credential:
        """Look one up; raises NotFoundError."""
        with self._database.read() as connection:
            row = connection.execute(
                sa.select(credentials).where(credentials.c.id == credential)
            ).one_or_none()
        if row is None:
            raise NotFoundError("there is no credential of that id here", hint="`trisect app list` names all")
        return Credential(**row._asdict())

    def revoke(self, credential: str, now: str) -> Credential:
        """End one; a second time changes nothing. Raises NotFoundError."""
        row = credentials.c
        with self._database.write() as connection:
            connection.execute(
                sa.update(credentials)
                .where(row.id == credential, row.revoked_at == "")
                .values(revoked_at=now)
            )
        return self.get(credential)
