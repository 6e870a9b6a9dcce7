"""A node's peppers: kept sealed, opened on start, and the roll of every stored token to a new epoch.

While rows are being rolled the node imports nothing and starts no exchange; the roll goes on after a kill.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

from prometheus_client import Gauge

from trisect.clock import Randomness
from trisect.errors import ConflictError, DeniedError, StaleError, VerificationError
from trisect.indicators.tokens import Pepper, Token, Tokeniser, roll
from trisect.store.rolling import Rolling
from trisect.trust import peppers as sealed

_log = logging.getLogger(__name__)
EPOCH = Gauge("trisect_pepper_epoch", "The node's pepper epoch, -1 before admission.")


class Peppers:
    """The chain of peppers of one node."""

    def __init__(self, store: Rolling, storage_key: bytes, randomness: Randomness) -> None:
        self._store = store
        self._storage_key = storage_key
        self._randomness = randomness
        self._chain: tuple[Pepper, ...] = ()
        self.rolling = False
        self._stored_epoch = -1
        self._roll = asyncio.Lock()
        self._holders = 0
        self._let_go = asyncio.Event()
        self._let_go.set()

    @property
    def chain(self) -> Sequence[Pepper]:
        """All peppers, oldest first."""
        return self._chain

    @property
    def epoch(self) -> int:
        """The newest epoch, -1 before admission."""
        return len(self._chain) - 1

    @asynccontextmanager
    async def held(self) -> AsyncIterator[int]:
        """Keep the stored tokens at their epoch, which is given: a roll waits until every such block has ended."""
        async with self._roll:
            self._holders += 1
            self._let_go.clear()
        try:
            yield self._stored_epoch
        finally:
            self._holders -= 1
            if not self._holders:
                self._let_go.set()

    def climb(self, token: Token, epoch: int, to: int) -> Token:
        """Carry a token of one epoch to a later one."""
        for pepper in self._chain[epoch + 1 : to + 1]:
            token = roll(pepper, token)
        return token

    def tokeniser(self, epoch: int | None = None) -> Tokeniser:
        """Make tokens of an epoch, by default the newest.

        Raises:
            DeniedError: before admission.
            StaleError: the epoch has not come to this node, or its entries are being rolled.
        """
        self.require_ready()
        if epoch is not None and epoch > self.epoch:
            raise StaleError(
                f"this node has peppers up to epoch {self.epoch}, not of epoch {epoch}",
                hint="they come by themselves within a minute of a rotation: `trisect pepper status`",
            )
        return Tokeniser(self._chain[: None if epoch is None else epoch + 1])

    def require_ready(self) -> None:
        """Raise unless the node has peppers and no roll runs."""
        if not self._chain:
            raise DeniedError(
                "this party has not been admitted yet, so it holds no pepper",
                hint="a government node admits it with `trisect party admit NAME --fingerprint ...`",
            )
        if self.rolling:
            raise StaleError(
                f"this node is rolling its entries to pepper epoch {self.epoch}",
                hint="`trisect pepper status` shows how far it is; try again then",
            )

    async def start(self) -> None:
        """Open what is kept, and finish a roll that was cut short."""
        kept = await asyncio.to_thread(self._store.sealed_peppers)
        if kept is not None:
            self._chain = sealed.recover(kept, self._storage_key)
        EPOCH.set(self.epoch)
        self.rolling = bool(self._chain) and await asyncio.to_thread(self._store.behind, self.epoch) > 0
        self._stored_epoch = -1 if self.rolling else self.epoch

    async def take(self, granted: Sequence[Pepper]) -> bool:
        """Take a granted chain; gives whether it brought a new epoch.

        Raises:
            VerificationError: it contradicts the peppers held already.
        """
        known = min(len(granted), len(self._chain))
        if tuple(granted[:known]) != self._chain[:known]:
            raise VerificationError("a granted chain of peppers contradicts the one this node holds")
        if len(granted) <= len(self._chain):
            return False
        chain = tuple(granted)
        await asyncio.to_thread(
            self._store.keep_peppers, sealed.keep(chain, self._storage_key, self._randomness)
        )
        self.rolling = bool(self._chain)
        self._chain = chain
        EPOCH.set(self.epoch)
        _log.info("the node has a new pepper epoch", extra={"epoch": self.epoch})
        return True

    async def finish_roll(self) -> None:
        """Roll what is behind, batch by batch."""
        if not self.rolling:
            return
        async with self._roll:
            await self._let_go.wait()
            rolled, epoch = 0, self.epoch
            while count := sum(
                await asyncio.to_thread(self._store.roll, epoch, partial(self.climb, to=epoch))
            ):
                rolled += count
            self._stored_epoch = epoch
            self.rolling = epoch < self.epoch
        _log.info("all entries are of the new pepper epoch", extra={"epoch": self.epoch, "rows": rolled})

    async def behind(self) -> int:
        """Count the rows that still have to be rolled."""
        return await asyncio.to_thread(self._store.behind, self.epoch) if self.rolling else 0

    def next_chain(self) -> tuple[Pepper, ...]:
        """Draw the pepper of the next epoch, for a rotation; nothing is kept yet."""
        if self.rolling:
            raise ConflictError(
                "the last rotation is still being rolled here", hint="try again when it is done"
            )
        return (*self._chain, sealed.new_pepper(self._randomness))
