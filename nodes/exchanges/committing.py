"""What an exchange commits to of its end's snapshot: made beside it, by a worker where the list is large.

The commitment travels in the final frame of each direction, sealed, and both receipts name both: neither end can say
afterwards that it had another list. Not here: the tree (`trisect.record.snapshots`) and proofs (`nodes.exchanges.proving`).
"""

from __future__ import annotations

import asyncio
import datetime as dt
import hmac
from dataclasses import dataclass

from nodes.workers import Workers
from trisect.clock import Clock, from_text, to_text
from trisect.psi.bands import band
from trisect.record.snapshots import SnapshotTree, commitment, grow, name_of
from trisect.rules.offers import NO_SNAPSHOT
from trisect.rules.permit import Permit
from trisect.store.collections import Snapshot
from trisect.store.exchanges import Side
from trisect.store.snapshots import Snapshots

SMALL = 5_000
"""Up to so many entries a thread is faster than a process, and holds nothing up."""
PROVISIONAL = dt.timedelta(days=1)
"""How long a tree is kept of which no receipt comes."""
_SECRET = b"trisect/snapshots/v1"


def secret_of(storage_key: bytes) -> bytes:
    """Derive what salts a node's snapshots from the key of its keystore."""
    return hmac.digest(storage_key, _SECRET, "sha256")


@dataclass(frozen=True, slots=True)
class Committed:
    """A snapshot whose tree is kept.

    Attributes:
        name: of its tree; empty where no list was taken, as for a count that is told again.
        root: of its tree, likewise.
        shown: 32 bytes, what the peer and the record see of it.
    """

    name: bytes
    root: bytes
    shown: bytes


NOTHING = Committed(b"", b"", NO_SNAPSHOT)


@dataclass(frozen=True, slots=True)
class Committing:
    """Commits to the snapshots of one node's exchanges.

    Attributes:
        kept: the trees.
        workers: make those of large lists.
        secret: 32 bytes, as `secret_of` gives it.
        clock: tells the time.
    """

    kept: Snapshots
    workers: Workers
    secret: bytes
    clock: Clock

    async def commit(self, snapshot: Snapshot, permit: Permit, side: Side) -> Committed:
        """Make the tree of what an exchange uses, unless it is kept already.

        Raises:
            WorkerLostError: the process that made it died.
            ExhaustedError: the disk is full.
        """
        if permit.repeats:
            return NOTHING
        name = await asyncio.to_thread(name_of, snapshot.tokens, self.secret)
        until = to_text(self.clock() + PROVISIONAL)
        root = await asyncio.to_thread(self.kept.extend, name, until)
        if root is None:
            tree = await self._grow(name, snapshot)
            await asyncio.to_thread(self.kept.keep, tree, until)
            root = tree.root
        return Committed(name, root, commitment(root, permit.exchange, side.value, self.secret))

    async def _grow(self, name: bytes, snapshot: Snapshot) -> SnapshotTree:
        size = band(snapshot.size)
        if snapshot.size <= SMALL:
            return await asyncio.to_thread(grow, name, snapshot.tokens, self.secret, size)
        return await self.workers.grow(name, snapshot.tokens, self.secret, size)

    async def extend(self, name: bytes, permit: Permit) -> None:
        """Keep a tree as long as the hits of an exchange may be."""
        until = to_text(from_text(permit.decided) + dt.timedelta(days=permit.retention_days))
        await asyncio.to_thread(self.kept.extend, name, until)


class Pending:
    """The commitment of one exchange, made while it runs.

    Args:
        committing: makes it.
        snapshot: what the exchange uses.
        permit: of the exchange.
        side: which end this is.
    """

    def __init__(self, committing: Committing, snapshot: Snapshot, permit: Permit, side: Side) -> None:
        self._committing = committing
        self._snapshot = snapshot
        self._permit = permit
        self._side = side
        self._made: asyncio.Task[Committed] | None = None

    def begin(self) -> None:
        """Begin to make it."""
        work = self._committing.commit(self._snapshot, self._permit, self._side)
        self._made = asyncio.create_task(work, name="commit to a snapshot")

    async def shown(self) -> bytes:
        """Wait for it; gives what the peer sees of it."""
        return (await self._done()).shown

    async def receipted(self) -> bytes | None:
        """Keep the tree as long as a receipt needs it, before the receipt commits to it; gives its root, if it has one."""
        done = await self._done()
        await self._committing.extend(done.name, self._permit)
        return done.root or None

    def cancel(self) -> None:
        """Leave off, whatever has become of it."""
        if self._made is not None:
            self._made.cancel()
            self._made.add_done_callback(lambda made: made.cancelled() or made.exception())

    async def _done(self) -> Committed:
        assert self._made is not None  # noqa: S101  (nothing is sealed for the last time before it has begun)
        return await self._made
