"""Trees of snapshots that receipts commit to, kept so long that an entry can be proved."""

from __future__ import annotations

import threading

import sqlalchemy as sa

from trisect.errors import NotFoundError
from trisect.record.snapshots import SnapshotTree
from trisect.store.database import Database
from trisect.store.tables import exchanges, holds, snapshot_leaves, snapshots

_BLOCK_BYTES = 1 << 20


class Snapshots:
    """The trees of one node, whose database no other process writes into. Called from threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._changing = threading.Lock()

    def extend(self, name: bytes, until: str) -> bytes | None:
        """Keep a snapshot at least until a time, RFC 3339; gives its root, None where it is not kept."""
        with self._changing, self._database.write() as connection:
            return _extend(connection, name, until)

    def keep(self, tree: SnapshotTree, until: str) -> None:
        """Keep a snapshot that is not kept yet until a time, RFC 3339; one that is, for longer where that is later."""
        with self._changing, self._database.write() as connection:
            if _extend(connection, tree.name, until) is not None:
                return
            connection.execute(sa.insert(snapshots).values(name=tree.name, root=tree.root, keep_until=until))
            for number, at in enumerate(range(0, len(tree.leaves), _BLOCK_BYTES)):
                connection.execute(
                    sa.insert(snapshot_leaves).values(
                        snapshot=tree.name, number=number, hashes=bytes(tree.leaves[at : at + _BLOCK_BYTES])
                    )
                )

    def find(self, root: bytes) -> SnapshotTree:
        """Give the tree with a root; raises NotFoundError where it is kept no more."""
        with self._database.read() as connection:
            name = connection.execute(
                sa.select(snapshots.c.name).where(snapshots.c.root == root)
            ).scalar_one_or_none()
            if name is None:
                raise NotFoundError(
                    "the snapshot of this exchange is kept no more, so nothing of it can be proved",
                    hint="it is kept as long as the hits may be; a legal hold keeps it for longer",
                )
            query = sa.select(snapshot_leaves.c.hashes).where(snapshot_leaves.c.snapshot == name)
            blocks = connection.execute(query.order_by(snapshot_leaves.c.number)).scalars()
            return SnapshotTree(name, root, b"".join(blocks))

    def expire(self, now: str) -> int:
        """Delete what need not be kept any more and no hold keeps; gives how many snapshots went."""
        held = (
            sa.select(exchanges.c.snapshot)
            .join(holds, holds.c.exchange_id == exchanges.c.id)
            .where(holds.c.until > now, exchanges.c.snapshot.is_not(None))
        )
        due = sa.select(snapshots.c.name).where(snapshots.c.keep_until <= now, snapshots.c.root.not_in(held))
        with self._changing, self._database.write() as connection:
            names = list(connection.execute(due).scalars())
            for name in names:
                connection.execute(sa.delete(snapshot_leaves).where(snapshot_leaves.c.snapshot == name))
                connection.execute(sa.delete(snapshots).where(snapshots.c.name == name))
        return len(names)


def _extend(connection: sa.Connection, name: bytes, until: str) -> bytes | None:
    mine = snapshots.c.name == name
    later = sa.update(snapshots).where(mine, snapshots.c.keep_until < until)
    connection.execute(later.values(keep_until=until))
    root: bytes | None = connection.execute(sa.select(snapshots.c.root).where(mine)).scalar_one_or_none()
    return root
