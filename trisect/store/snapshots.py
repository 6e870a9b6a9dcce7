"""What a node's receipts commit to, kept so long that an entry can be proved: leaves of snapshots, salted."""

from __future__ import annotations

import sqlalchemy as sa

from trisect.errors import NotFoundError
from trisect.record.snapshots import Commitment
from trisect.store.database import Database
from trisect.store.tables import exchanges, holds, snapshot_leaves, snapshots

_BLOCK_BYTES = 1 << 20


class Snapshots:
    """The commitments of one node. Called from threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, commitment: Commitment, until: str) -> None:
        """Keep a commitment until a time, RFC 3339; one that is there already is kept for longer where that is later."""
        mine = snapshots.c.name == commitment.name
        with self._database.write() as connection:
            known = connection.execute(sa.select(snapshots.c.keep_until).where(mine)).scalar_one_or_none()
            if known is not None:
                later = sa.update(snapshots).where(mine, snapshots.c.keep_until < until)
                connection.execute(later.values(keep_until=until))
                return
            connection.execute(
                sa.insert(snapshots).values(name=commitment.name, root=commitment.root, keep_until=until)
            )
            leaves = commitment.leaves
            for number, at in enumerate(range(0, len(leaves), _BLOCK_BYTES)):
                connection.execute(
                    sa.insert(snapshot_leaves).values(
                        snapshot=commitment.name, number=number, hashes=leaves[at : at + _BLOCK_BYTES]
                    )
                )

    def find(self, root: bytes) -> Commitment:
        """Give the commitment with a root; raises NotFoundError where it is kept no more."""
        with self._database.read() as connection:
            name = connection.execute(
                sa.select(snapshots.c.name).where(snapshots.c.root == root)
            ).scalar_one_or_none()
            if name is None:
                raise NotFoundError(
                    "the snapshot of this exchange is kept no more, so nothing of it can be proved",
                    hint="it is kept as long as the hits may be; a legal hold on the hits keeps it for longer",
                )
            query = sa.select(snapshot_leaves.c.hashes).where(snapshot_leaves.c.snapshot == name)
            blocks = connection.execute(query.order_by(snapshot_leaves.c.number)).scalars()
            return Commitment(name, root, b"".join(blocks))

    def expire(self, now: str) -> int:
        """Delete what need not be kept any more and no hold keeps; gives how many snapshots went."""
        held = (
            sa.select(exchanges.c.snapshot)
            .join(holds, holds.c.exchange_id == exchanges.c.id)
            .where(holds.c.until > now, exchanges.c.snapshot.is_not(None))
        )
        due = sa.select(snapshots.c.name).where(snapshots.c.keep_until <= now, snapshots.c.root.not_in(held))
        with self._database.write() as connection:
            names = list(connection.execute(due).scalars())
            for name in names:
                connection.execute(sa.delete(snapshot_leaves).where(snapshot_leaves.c.snapshot == name))
                connection.execute(sa.delete(snapshots).where(snapshots.c.name == name))
        return len(names)
