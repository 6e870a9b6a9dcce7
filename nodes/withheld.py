"""Whether a node has been given what stands in the record: each statement, the same, and no other.

Withdrawals are filed as statements, so one that the coordinator keeps back, or puts another in the place of, ends all
exchanges here. One that it hands out and does not enter is told only: a record that was restored may lack it for a while.
"""

from __future__ import annotations

import asyncio
import datetime as dt

from nodes.members import Members
from trisect.clock import Clock
from trisect.errors import VerificationError
from trisect.record import entries
from trisect.store.record import Record

WITHIN = dt.timedelta(seconds=60)


class Withheld:
    """Holds the statements of one node against its copy of the record.

    Args:
        members: have what was given.
        copy: has what stands in the record.
        clock: tells the time.

    Attributes:
        trouble: what is kept from this node; empty where nothing is.
    """

    def __init__(self, members: Members, copy: Record, clock: Clock) -> None:
        self._members = members
        self._copy = copy
        self._clock = clock
        self._compared = 0
        self._awaited: tuple[int, dt.datetime] | None = None
        self.trouble = ""

    @property
    def unrecorded(self) -> str:
        """What was given and does not come into the record; empty where nothing is missing for long."""
        if self._awaited is None or self._clock() < self._awaited[1]:
            return ""
        return (
            f"the coordinator has given this node {self._members.newest} statements, and after a minute the record has "
            f"{self._compared}"
        )

    async def check(self, hint: str) -> None:
        """Compare what has come; raises VerificationError, from then on kept in `trouble`, where something is withheld."""
        stated = await asyncio.to_thread(self._copy.newest_statement)
        if self._members.newest < stated:
            await self._members.sync()
        self.trouble = ""
        if self._members.newest < stated:
            self.trouble = (
                f"the record holds {stated} statements, and the coordinator has given this node "
                f"{self._members.newest}"
            )
        else:
            await asyncio.to_thread(self._compare, stated)
        if self.trouble:
            raise VerificationError(self.trouble, hint=hint)
        if self._awaited is None or stated >= self._awaited[0]:
            newest = self._members.newest
            self._awaited = (newest, self._clock() + WITHIN) if newest > stated else None

    def _compare(self, stated: int) -> None:
        self._compared = min(self._compared, stated)  # a copy that was not verified to its end is cut
        while self._compared < stated:
            before = self._compared
            given = dict(self._members.given(before))
            for number, entry in self._copy.statements(before):
                if number not in given:
                    break
                if entries.of_document(given[number]) != entry:
                    self.trouble = f"statement {number} in the record is not the one that the coordinator has given this node"
                    return
                self._compared = number
            if self._compared == before:
                self.trouble = f"statement {before + 1} is missing in this node's database"
                return
