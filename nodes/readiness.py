"""What keeps a node from matching, each with a reason: for /ready, gRPC's health and `doctor`."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from nodes.consents.replay import Replay
from nodes.history import History
from nodes.link import Link
from nodes.members import Members
from nodes.peppers import Peppers
from nodes.underway import Underway
from nodes.witness import Witness
from trisect.clock import Clock, to_text
from trisect.errors import TrisectError
from trisect.rules.regime import Regime
from trisect.store.database import Database
from trisect.trust import certificates
from trisect.trust.statements import Standing

DATABASE_CHECK_S = 5.0
CERTIFICATE_WARNING = dt.timedelta(hours=1)


@dataclass(slots=True)
class Readiness:
    """Looks at the parts of one node."""

    underway: Underway
    link: Link
    members: Members
    peppers: Peppers
    history: History
    witness: Witness
    replay: Replay
    database: Database
    clock: Clock
    _database_trouble: str = ""

    def troubles(self) -> Iterable[tuple[str, str]]:
        """Name everything that keeps this node from matching, as (check, reason)."""
        if self.underway.stopping:
            yield "draining", "this node stops when its running exchanges and imports have ended"
        yield from self._of_link()
        yield from self._of_admission()
        if displaced := self.members.displaced:
            yield "key", displaced
        elif trouble := self.members.trouble or self.history.trouble:
            yield "statements", trouble
        if self.witness.trouble:
            yield "record", self.witness.trouble
        if trouble := self.replay.trouble:
            yield "consents", trouble
        yield from self._of_rules()
        if self._database_trouble:
            yield "database", self._database_trouble

    async def watch_database(self) -> None:
        """Ask the database for a sign of life now and then, until cancelled."""
        while True:
            try:
                await asyncio.to_thread(self.database.check)
                self._database_trouble = ""
            except TrisectError as error:
                self._database_trouble = error.message
            await asyncio.sleep(DATABASE_CHECK_S)

    def _of_link(self) -> Iterable[tuple[str, str]]:
        if not self.link.connected:
            yield "coordinator", self.link.detail
        if self.link.times.trouble:
            yield "clock", self.link.times.trouble
        _, expires = certificates.validity(self.link.keys.tls.certificate)
        left = expires - self.clock()
        if left <= dt.timedelta():
            yield "certificate", f"the certificate expired at {to_text(expires)}"
        elif left < CERTIFICATE_WARNING:
            yield "certificate", "the certificate is about to expire and has not been renewed"

    def _of_admission(self) -> Iterable[tuple[str, str]]:
        own = self.members.own
        if own is None:
            yield "admission", "this party has not been admitted yet"
        elif own.standing is not Standing.ACTIVE:
            yield "admission", f"this party is {own.standing.value}"
        if self.peppers.epoch < 0:
            yield "pepper", "no pepper has been granted yet"
        elif self.peppers.rolling:
            yield "pepper", f"entries are being rolled to pepper epoch {self.peppers.epoch}"

    def _of_rules(self) -> Iterable[tuple[str, str]]:
        if self.members.own is None:
            return
        regime, now = Regime(self.members.membership), self.clock()
        for check, require in (
            ("rulebook", lambda: regime.rulebooks.at(now)),
            ("notice", lambda: regime.require_notice(self.members.name, now)),
            ("head", self._require_fresh),
        ):
            if reason := _refusal(require):
                yield check, reason

    def _require_fresh(self) -> None:
        if self.link.connected and not self.link.times.trouble:  # else that is told already, and is why
            self.witness.require_fresh()


def _refusal(require: Callable[[], object]) -> str:
    try:
        require()
    except TrisectError as error:
        return error.message
    return ""
