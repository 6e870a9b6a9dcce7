"""What a proxy commits to in the public record of the consents that it keeps, epoch by epoch."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from trisect.rules.consents import commitment, withdrawal
from trisect.store.database import Database
from trisect.store.proxy_tables import consent_epochs, granted_consents

NUMBERS = (granted_consents.c.sequence, granted_consents.c.revoked_sequence)
"""Where the numbers of what was given and of what was taken back are."""


class ConsentEpochs:
    """The epochs of one proxy. Called from threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def uncommitted(self, *, limit: int) -> tuple[int, list[bytes]]:
        """Give what the next consent epoch has to commit to.

        Args:
            limit: how many numbers it reaches over at most.

        Returns:
            The number that it reaches, and the commitments to what was given and taken back in it. What was erased
            since has none left.
        """
        row = granted_consents.c
        with self._database.read() as connection:
            done = connection.execute(sa.select(sa.func.max(consent_epochs.c.sequence))).scalar_one() or 0
            upto = min(newest_number(connection), done + limit)
            columns = sa.select(row.id, row.record, row.salt).where(row.salt.is_not(None))
            given, taken = (
                connection.execute(columns.where(number > done, number <= upto)).all() for number in NUMBERS
            )
        found = [commitment(one.record, one.salt) for one in given]
        return upto, found + [withdrawal(one.id, one.salt) for one in taken]

    def keep_epoch(self, epoch: int, sequence: int, leaves: bytes) -> None:
        """Keep the leaves of an epoch whose root was published."""
        with self._database.write() as connection:
            connection.execute(
                sa.insert(consent_epochs).values(epoch=epoch, sequence=sequence, leaves=leaves)
            )

    def epoch(self, number: int) -> tuple[int, Sequence[bytes]] | None:
        """Give the sequence that an epoch reaches, and its leaves; None where it was not kept."""
        with self._database.read() as connection:
            row = connection.execute(
                sa.select(consent_epochs).where(consent_epochs.c.epoch == number)
            ).one_or_none()
        return (row.sequence, _leaves(row.leaves)) if row else None

    def epoch_of(self, sequence: int) -> tuple[int, Sequence[bytes]] | None:
        """Give the epoch that a number was committed to in, and its leaves; None before it was."""
        query = sa.select(consent_epochs).where(consent_epochs.c.sequence >= sequence)
        with self._database.read() as connection:
            row = connection.execute(query.order_by(consent_epochs.c.epoch).limit(1)).first()
        return (row.epoch, _leaves(row.leaves)) if row else None


def newest_number(connection: sa.Connection) -> int:
    """Tell the newest number that was given to a consent or a withdrawal, 0 without any."""
    return max(connection.execute(sa.select(sa.func.max(column))).scalar_one() or 0 for column in NUMBERS)


def _leaves(joined: bytes) -> Sequence[bytes]:
    return [joined[at : at + 32] for at in range(0, len(joined), 32)]
