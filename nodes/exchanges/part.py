"""Everything of a node that has to do with exchanges, put together."""

from __future__ import annotations

from collections.abc import Callable

from nodes.accusing import Accusing
from nodes.config import Config
from nodes.consents.replay import Replay
from nodes.exchanges.answering import Answering
from nodes.exchanges.asking import Asking
from nodes.exchanges.book import Book
from nodes.exchanges.committing import Committing, secret_of
from nodes.exchanges.confirming import Confirming
from nodes.exchanges.expiry import Expiry
from nodes.exchanges.means import Means
from nodes.exchanges.proving import Proving
from nodes.exchanges.recording import Recording
from nodes.exchanges.recovery import Recovery
from nodes.exchanges.slots import Slots
from nodes.exchanges.staleness import Staleness
from nodes.link import Link
from nodes.members import Members
from nodes.peppers import Peppers
from nodes.proposals import Proposals
from nodes.services.matching import MatchingService
from nodes.underway import Underway
from nodes.witness import Witness
from nodes.workers import Workers
from trisect.clock import Clock, Randomness
from trisect.daemon import Tasks
from trisect.store.budgets import Budgets
from trisect.store.collections import Collections
from trisect.store.consents import Consents
from trisect.store.counts import Counts
from trisect.store.database import Database
from trisect.store.exchanges import Exchanges
from trisect.store.presence import Lapsing
from trisect.store.retention import Retention
from trisect.store.snapshots import Snapshots
from trisect.store.stale import StaleHits
from trisect.store.tables import node_budgets
from trisect.wire.v1 import relay_pb2


class ExchangesPart:
    """What a node asks, answers, keeps and forgets.

    Attributes:
        book: knows every exchange.
        budgets: what was spent.
        asking: asks.
        answering: answers.
        staleness: tells of hits that may be stale, and hears of them.
        lapsing: ends what was kept long enough.
        proving: proves what was in a snapshot.
        service: serves administrators.
    """

    def __init__(
        self,
        database: Database,
        collections: Collections,
        members: Members,
        link: Link,
        peppers: Peppers,
        witness: Witness,
        replay: Replay,
        accusing: Accusing,
        proposals: Proposals,
        underway: Underway,
        *,
        clock: Clock,
        randomness: Randomness,
        config: Callable[[], Config],
    ) -> None:
        most = config().limits.max_exchanges
        self.book = Book(Exchanges(database))
        self.budgets = Budgets(database, node_budgets)
        self._workers = Workers(most)
        self._slots = Slots(most, underway)
        snapshots = Snapshots(database)
        secret = secret_of(link.keys.storage)
        self.proving = Proving(snapshots, self.book.store, members, witness, secret)
        means = Means(
            book=self.book,
            collections=collections,
            link=link,
            members=members,
            peppers=peppers,
            workers=self._workers,
            slots=self._slots,
            budgets=self.budgets,
            counts=Counts(database),
            witness=witness,
            replay=replay,
            accusing=accusing,
            committing=Committing(snapshots, self._workers, secret, clock),
            clock=clock,
            randomness=randomness,
            config=config,
        )
        self.asking = Asking(means)
        confirming = Confirming(means)
        self.answering = Answering(means, confirming)
        self._recovery = Recovery(means, self.asking, confirming)
        self._recording = Recording(means)
        self.lapsing = Lapsing(database)
        retention = Retention(database)
        self._expiry = Expiry(retention, self.lapsing, Consents(database), snapshots, peppers, clock)
        self.staleness = Staleness(
            self.book,
            StaleHits(database),
            self.lapsing,
            link,
            members,
            proposals,
            clock,
            randomness,
            lambda: config().stale_hits.tick_s,
        )
        self.service = MatchingService(self.asking, self.book, retention, clock)

    async def warm(self) -> None:
        """Have the engine loaded before the first exchange."""
        await self._workers.warm()

    def keep(self, tasks: Tasks) -> None:
        """Start what goes on by itself."""
        tasks.keep(self._recovery.run, "settle unconfirmed exchanges")
        tasks.keep(self._recording.run, "have receipts entered in the record")
        tasks.keep(self._recovery.drop_suspended, "end the exchanges of suspended parties")
        tasks.keep(self._expiry.run, "delete what was kept long enough")
        tasks.keep(self.staleness.run, "tell of stale hits")
        tasks.keep(self.staleness.take, "take note of stale hits")

    async def on_call(self, call: relay_pb2.IncomingCall) -> tuple[bytes, bool]:
        """Answer a call of a peer; gives the reply, and whether it accepts an offer."""
        if call.method == relay_pb2.PEER_METHOD_STALE_HITS:
            return await self.staleness.on_frame(call), False
        return await self.answering.on_call(call)

    def limit(self, most: int) -> None:
        """Let so many exchanges run at one time; those that run already do not count."""
        if self._slots.most != most:
            self._slots.most = most
            self._workers.limit(most)

    async def stop(self) -> None:
        """End what runs."""
        await self.book.stop()

    async def close(self) -> None:
        """End the processes that exchanges compute in."""
        await self._workers.close()
