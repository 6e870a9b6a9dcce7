"""The node's exchanges while they run: their tasks, their progress, and who watches them.

What must survive a restart is in the store; a row that says `running` after a restart has failed, since no
key of a channel outlives its process.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine
from contextlib import ExitStack
from typing import Any

from prometheus_client import Counter, Gauge

from nodes.exchanges.running import Progress
from trisect.errors import ConflictError, Fault, NotFoundError, TrisectError
from trisect.rpc.status import RemoteBugError, detail
from trisect.store.exchanges import Exchange, Exchanges, ExchangeState
from trisect.waiting import set_within
from trisect.wire.v1 import errors_pb2

_log = logging.getLogger(__name__)
ENDED = Counter("trisect_exchanges", "Exchanges by end and final state.", ["side", "state"])
RUNNING = Gauge("trisect_exchanges_running", "Exchanges that run.")
WATCH_EVERY_S = 0.5


class CancelledExchangeError(TrisectError):
    """Somebody cancelled the exchange."""

    fault = Fault.CONFLICT
    code = "TRI-CANCELLED"


class InterruptedExchangeError(TrisectError):
    """The node stopped while the exchange ran."""

    code = "TRI-INTERRUPTED"


class Book:
    """Running exchanges of one node."""

    def __init__(self, store: Exchanges) -> None:
        self.store = store
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._progress: dict[str, Progress] = {}
        self._changed: dict[str, asyncio.Event] = {}
        self._unwritten: dict[str, tuple[ExchangeState, TrisectError]] = {}

    async def start(self) -> None:
        """Close what a former process left open; an answerer's unconfirmed exchanges stay so."""
        for exchange in await asyncio.to_thread(self.store.open):
            if exchange.state is not ExchangeState.UNCONFIRMED:
                error = InterruptedExchangeError(
                    "the node was stopped or killed while the exchange ran", hint="start the match again"
                )
                await self.end(exchange.id, ExchangeState.FAILED, error)

    def run(self, exchange_id: str, work: Coroutine[Any, Any, None], slot: ExitStack) -> Progress:
        """Run an exchange's work as a task of its own; its failure ends the exchange as failed.

        The slot is freed when the work has ended.
        """
        progress = self._progress[exchange_id] = Progress()
        self._changed[exchange_id] = asyncio.Event()
        task = asyncio.create_task(self._guard(exchange_id, work, slot), name=f"exchange {exchange_id}")
        self._tasks[exchange_id] = task
        RUNNING.set(len(self._tasks))
        return progress

    def progress(self, exchange_id: str) -> Progress | None:
        """Tell how far a running exchange is."""
        return self._progress.get(exchange_id)

    async def cancel(self, exchange_id: str, error: TrisectError | None = None) -> None:
        """End a running exchange, and wait until it has ended; an unconfirmed one is left to be settled.

        Args:
            exchange_id: which.
            error: why; None where a person has cancelled it.

        Raises:
            ConflictError: it does not run, or all is computed and only the asker's receipt is missing.
        """
        task = self._tasks.get(exchange_id)
        if task is None:
            raise ConflictError(
                "the exchange does not run any more", hint="`trisect exchange show` tells how it ended"
            )
        ended = await self.end(
            exchange_id,
            ExchangeState.FAILED if error else ExchangeState.CANCELLED,
            error or CancelledExchangeError("the exchange was cancelled"),
        )
        if not ended and error is None:
            raise ConflictError(
                "the exchange has come to its end; the peer may have the result already",
                hint="`trisect exchange show` tells how it ended",
            )
        task.cancel()
        await asyncio.wait({task})

    async def end(
        self, exchange_id: str, state: ExchangeState, error: TrisectError, *, unconfirmed: bool = False
    ) -> bool:
        """End an exchange without a result; gives whether it did.

        One that has ended stays as it is, and so does an unconfirmed one, whose asker may hold the result:
        only the asker's own word, said with `unconfirmed`, ends that.
        """
        self._unwritten.pop(exchange_id, None)
        try:
            ended = await asyncio.to_thread(
                self.store.give_up,
                exchange_id,
                state,
                detail(error).SerializeToString(),
                unconfirmed=unconfirmed,
            )
        except ConflictError:
            return False
        except TrisectError as failure:
            _log.error(
                "the end of an exchange could not be recorded; it is tried again",
                extra={"exchange_id": exchange_id, "reason": failure.message},
            )
            self._unwritten[exchange_id] = (state, error)
            return False
        self.count(ended)
        _log.warning(
            "an exchange ended without a result",
            extra={
                "exchange_id": exchange_id,
                "state": state.value,
                "code": error.code,
                "reason": error.message,
            },
        )
        return True

    async def write_ends(self) -> None:
        """Record the ends that the database has refused before."""
        for exchange_id, (state, error) in list(self._unwritten.items()):
            await self.end(exchange_id, state, error)

    @staticmethod
    def count(exchange: Exchange) -> None:
        """Count an exchange that has ended."""
        ENDED.labels(exchange.side.value, exchange.state.value).inc()

    async def watch(self, exchange_id: str) -> AsyncIterator[tuple[Exchange, Progress | None]]:
        """Yield an exchange now and then until it has ended; the last one yielded has."""
        while True:
            event = self._changed.get(exchange_id)
            found = await asyncio.to_thread(self.store.get, exchange_id)
            yield found, self._progress.get(exchange_id)
            if event is None:
                return
            await set_within(event, WATCH_EVERY_S)

    async def outcome(self, exchange_id: str) -> Exchange:
        """Wait until an exchange no longer runs, and give it as it ended."""
        event = self._changed.get(exchange_id)
        if event is not None:
            await event.wait()
        return await asyncio.to_thread(self.store.get, exchange_id)

    async def stop(self) -> None:
        """End all running exchanges as interrupted."""
        for exchange_id in list(self._tasks):
            error = InterruptedExchangeError(
                "the node was stopped while the exchange ran", hint="start it again"
            )
            try:
                await self.cancel(exchange_id, error)
            except (ConflictError, NotFoundError):
                continue

    async def _guard(self, exchange_id: str, work: Coroutine[Any, Any, None], slot: ExitStack) -> None:
        try:
            with slot:
                await work
        except TrisectError as error:
            await self.end(exchange_id, ExchangeState.FAILED, error)
        except Exception:  # noqa: BLE001  a bug ends one exchange, not the node
            _log.exception("an exchange failed in a way nobody foresaw", extra={"exchange_id": exchange_id})
            await self.end(
                exchange_id, ExchangeState.FAILED, RemoteBugError("an internal error; the node's log has it")
            )
        finally:
            self._tasks.pop(exchange_id, None)
            self._progress.pop(exchange_id, None)
            RUNNING.set(len(self._tasks))
            self._changed.pop(exchange_id).set()


def error_of(exchange: Exchange) -> errors_pb2.ErrorDetail | None:
    """Read why an exchange ended without a result; None where it did not."""
    return errors_pb2.ErrorDetail.FromString(exchange.error) if exchange.error else None
