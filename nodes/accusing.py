"""Breaches that this node can prove: what a peer has signed and must not have, filed where everybody reads it.

A proof is filed once, by whoever was asked or answered; a coordinator that is away is waited for. What is not filed when
the node ends is lost: the peer has gained nothing, and a second try is a second proof. Not here: what is a proof
(`trisect.rules.breach_checks`).
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable

from nodes.members import Members
from nodes.proposals import Proposals
from trisect.clock import from_text
from trisect.errors import ConflictError, TrisectError, UnreachableError
from trisect.rules import permit
from trisect.rules.breaches import MAX_TEXT, Ground, Opening
from trisect.rules.offers import Offer
from trisect.rules.regime import Regime
from trisect.trust.filings import BreachFiling

_log = logging.getLogger(__name__)
MOST_WAITING = 100
AGAIN_S = 2.0
TRIES = 5


class Accusing:
    """Files the breaches that one node can prove."""

    def __init__(self, members: Members, proposals: Proposals) -> None:
        self._members = members
        self._proposals = proposals
        self._waiting: deque[Callable[[], tuple[str, Opening] | None]] = deque(maxlen=MOST_WAITING)
        self._there = asyncio.Event()

    def suspect(self, offer: Offer, envelope: bytes) -> None:
        """Have a look at an offer that was refused: whether it crosses a red line, whatever it is answered with."""
        self._put(lambda: self._crossing(offer, envelope))

    def contradicted(self, party: str, theirs: bytes, ours: bytes) -> None:
        """File two receipts of one exchange that contradict each other."""
        text = f"the receipts of an exchange between {party} and {self._members.name} contradict each other"
        self._put(lambda: (party, Opening(Ground.RECEIPTS.value, "", text, theirs, ours)))

    async def run(self) -> None:
        """File what waits, until cancelled."""
        while True:
            await self._there.wait()
            self._there.clear()
            while self._waiting:
                try:
                    found = await asyncio.to_thread(self._waiting.popleft())
                except TrisectError as error:  # an offer that says what none can say proves nothing
                    _log.info(
                        "an offer that was refused crosses no red line", extra={"reason": error.message}
                    )
                    continue
                if found is not None:
                    await self._file(*found)

    def _put(self, look: Callable[[], tuple[str, Opening] | None]) -> None:
        self._waiting.append(look)
        self._there.set()

    def _crossing(self, offer: Offer, envelope: bytes) -> tuple[str, Opening] | None:
        regime = Regime(self._members.membership)
        rule = permit.crossed(offer, regime)
        if not rule:
            return None
        rulebook = regime.rulebooks.named(offer.rulebook, from_text(offer.created))
        sentence = next(one.sentence for one in rulebook.policies.rules if one.id == rule)
        text = f"an offer to {offer.answerer} crosses the red line {rule}: {sentence}"[:MAX_TEXT]
        return offer.asker, Opening(Ground.RED_LINE.value, rule, text, envelope, b"")

    async def _file(self, party: str, opening: Opening) -> None:
        told = {"party": party, "kind": opening.ground, "rule": opening.rule}
        reason = ""
        for _ in range(TRIES):
            try:
                await self._proposals.file(BreachFiling.KIND, party, opening.to_body())
            except (
                ConflictError,
                UnreachableError,
            ) as error:  # it is told, another came first, or no coordinator
                reason = error.message
                await asyncio.sleep(AGAIN_S)
            except TrisectError as error:
                reason = error.message
                break
            else:
                _log.warning("a breach was opened", extra=told)
                return
        _log.warning("a breach was not opened", extra=told | {"reason": reason})
