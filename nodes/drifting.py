"""Whether this party's lists are what its notice says; what is not, for a day, it tells everybody itself."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import logging
from dataclasses import dataclass

from nodes.members import Members
from nodes.proposals import Proposals
from trisect.clock import Clock, days, from_text, to_text
from trisect.errors import ConflictError, DeniedError, TrisectError
from trisect.rules.breaches import MAX_TEXT, Ground, Opening
from trisect.rules.drift import Drift, Held, drift
from trisect.rules.regime import Regime
from trisect.rules.sharing import meant
from trisect.store.collections import Collections
from trisect.store.presence import Lapsing
from trisect.store.settings import Setting
from trisect.trust.filings import BreachFiling

_log = logging.getLogger(__name__)
LOOK_EVERY_S = 86_400.0
LEAST_S = 60.0


@dataclass(slots=True)
class Drifting:
    """Compares words with deeds at one node."""

    members: Members
    collections: Collections
    lapsing: Lapsing
    proposals: Proposals
    clock: Clock
    kept: Setting
    """What was found last and when, over restarts."""

    def find(self) -> list[Drift]:
        """Compare every list with the own notice; raises DeniedError where there is none in force."""
        regime = Regime(self.members.membership)
        regime.require_notice(self.members.name, self.clock())
        found = regime.notice(self.members.name)
        return drift(found[0].declaration, self._lists(), self._means) if found else []

    def _lists(self) -> list[Held]:
        today, found = days(self.clock()), []
        for collection, *_ in self.collections.list():
            oldest = self.lapsing.oldest(collection.id)
            found.append(
                Held(
                    collection.name,
                    self.collections.kinds(collection.name),
                    collection.legal_basis,
                    collection.retention_days,
                    None if oldest is None else today - oldest,
                    [(row.recipient, row.purpose) for row in self.collections.sharings(collection.name)],
                )
            )
        return found

    def _means(self, declared: str, recipient: str) -> bool:
        party = self.members.membership.parties.get(recipient)  # type: ignore[call-overload]  # any text is looked up
        return declared == recipient or (party is not None and declared in meant(party.name, party.role))

    async def run(self) -> None:
        """Look once a day, restarts or not, until cancelled."""
        while True:
            await asyncio.sleep(await asyncio.to_thread(self._wait_s))
            try:
                await self.look()
            except TrisectError as error:
                _log.warning("words and deeds could not be compared", extra={"reason": error.message})

    def _last(self) -> tuple[dt.datetime, frozenset[str]]:
        """Read when was looked last, and what was found."""
        kept = self.kept.read()
        if kept is None:
            return dt.datetime.min.replace(tzinfo=dt.UTC), frozenset()
        found = json.loads(kept)
        return from_text(found["at"]), frozenset(found["matters"])

    def _wait_s(self) -> float:
        """Tell in how many seconds to look; a node that was just started learns what is in force first."""
        since = (self.clock() - self._last()[0]).total_seconds()
        return min(LOOK_EVERY_S, max(LEAST_S, LOOK_EVERY_S - since))  # a clock may have been ahead

    async def look(self) -> None:
        """Warn of drift; what was there the last time too is filed as this party's breach."""
        try:
            found = await asyncio.to_thread(self.find)
        except DeniedError:  # without a notice nothing goes in or out, which is said elsewhere
            return
        for text in sorted({one.text for one in found}):
            _log.warning("a list is not what the notice says", extra={"reason": text})
        _, seen = await asyncio.to_thread(self._last)
        lasting = sorted({one.text for one in found if one.matter in seen})
        now = {"at": to_text(self.clock()), "matters": sorted({one.matter for one in found})}
        await asyncio.to_thread(self.kept.keep, json.dumps(now).encode())
        if lasting:
            opening = Opening(Ground.DRIFT.value, "", "; ".join(lasting)[:MAX_TEXT], b"", b"")
            try:
                await self.proposals.file(BreachFiling.KIND, self.members.name, opening.to_body())
            except ConflictError:  # it is told, and the file is open
                _log.info("the drift from the notice is in an open file already")
