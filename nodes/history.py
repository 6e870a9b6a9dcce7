"""Whether the coordinator still has the statements that this node has verified.

A coordinator that was restored from an older backup lacks the newest ones, and `Members` would wait for ever for
what comes after them. Each government hands back what it has signed; a signed statement can come back as it was
and not otherwise. Not here: taking in new statements (`nodes.members`).
"""

from __future__ import annotations

import asyncio
import logging

from nodes.link import Link
from trisect.errors import TrisectError, VerificationError
from trisect.store.statements import PAGE, Statements
from trisect.trust import documents
from trisect.trust.filings import STATEMENTS
from trisect.trust.keys import PartyName
from trisect.trust.statements import Succession
from trisect.waiting import set_within
from trisect.wire.v1 import directory_pb2

_log = logging.getLogger(__name__)
CHECK_AGAIN_S = 5.0
_TIMEOUT_S = 15.0


class History:
    """Compares this node's statements with the coordinator's, each time that the link comes up.

    Attributes:
        trouble: what is wrong, for /ready; empty where nothing is.
    """

    def __init__(self, name: PartyName, link: Link, store: Statements) -> None:
        self._name = name
        self._link = link
        self._store = store
        self.trouble = ""

    async def run(self) -> None:
        """Compare until cancelled."""
        again = self._link.connected
        while True:
            await set_within(self._link.came_up, CHECK_AGAIN_S if again else None)
            self._link.came_up.clear()
            try:
                await self.compare()
                again = bool(self.trouble)
            except VerificationError as error:
                self._tell(error.message)
                again = True
            except TrisectError:  # the link tells why
                again = True

    async def compare(self) -> None:
        """Look whether the coordinator has this node's newest statement, and give back what it has lost.

        Raises:
            VerificationError: it shows other statements than it did.
            UnreachableError: it cannot be asked now.
        """
        newest = await asyncio.to_thread(self._store.newest)
        if newest and not await self._has(newest):
            common = await self._common()
            behind = (
                f"coordinator behind: it has {common} of the {newest} signed statements that it gave to this node, "
                "as after the restore of an old backup; each government's node hands back those that it signed"
            )
            self._tell(self.trouble or behind)
            refusal = await self._hand_back(common)
            if refusal or not await self._has(newest):
                self._tell(behind + refusal)
                return
        self._tell("")

    async def _has(self, sequence: int) -> bool:
        (known,) = await asyncio.to_thread(self._store.after, sequence - 1, limit=1)
        found = await self._page(sequence - 1)
        if found and found[0] != known:
            raise VerificationError(
                "the coordinator shows another history than the one that this node verified"
            )
        return bool(found)

    async def _common(self) -> int:
        """Tell the last statement that both have."""
        last = 0
        while page := await self._page(last):
            if list(await asyncio.to_thread(self._store.after, last, limit=len(page))) != page:
                raise VerificationError(
                    "the coordinator shows another history than the one that this node verified"
                )
            last = page[-1][0]
        return last

    async def _page(self, after: int) -> list[tuple[int, bytes]]:
        request = directory_pb2.ListStatementsRequest(after=after)
        async with self._link.translated():
            reply = await self._link.directory.ListStatements(request, timeout=_TIMEOUT_S)
        return [(found.sequence, found.envelope) for found in reply.statements]

    async def _hand_back(self, last: int) -> str:
        """Publish again, in their order, the statements after one that this party published first.

        Returns:
            Why the coordinator refused one, or empty.
        """
        while page := await asyncio.to_thread(self._store.after, last, limit=PAGE):
            for sequence, envelope in page:
                if _publisher(envelope) != self._name:
                    return ""
                try:
                    async with self._link.translated():
                        await self._link.directory.Publish(
                            directory_pb2.PublishRequest(envelope=envelope), timeout=_TIMEOUT_S
                        )
                except TrisectError as error:
                    return f"; it refuses statement {sequence}: {error.message}"
                last = sequence
        return ""

    def _tell(self, trouble: str) -> None:
        if trouble and not self.trouble:  # once; how it goes on is in /ready
            _log.warning("the coordinator lacks statements that it had", extra={"reason": trouble})
        elif self.trouble and not trouble:
            _log.info("the coordinator has all statements again")
        self.trouble = trouble


def _publisher(envelope: bytes) -> str:
    kind, body = documents.peek(envelope)
    statement = STATEMENTS[kind].from_body(body)
    return statement.party if isinstance(statement, Succession) else statement.issuer
