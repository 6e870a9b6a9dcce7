"""Work that a node repeats: imports and matches, by time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from trisect.errors import NotFoundError
from trisect.store.database import Database
from trisect.store.tables import schedules


@dataclass(frozen=True, slots=True)
class Schedule:
    """One repeated piece of work; `work` is a serialised `AddScheduleRequest`, times are RFC 3339."""

    id: str
    every_s: int
    next_at: str
    work: bytes
    last_result: str


class Schedules:
    """All schedules of a node."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, schedule: Schedule) -> None:
        """Record a new schedule."""
        fields = {name: getattr(schedule, name) for name in Schedule.__slots__}
        with self._database.write() as connection:
            connection.execute(sa.insert(schedules).values(**fields))

    def list(self) -> Sequence[Schedule]:
        """List all schedules, the next one due first."""
        with self._database.read() as connection:
            rows = connection.execute(sa.select(schedules).order_by(schedules.c.next_at, schedules.c.id))
            return [Schedule(**row._asdict()) for row in rows]

    def ran(self, schedule_id: str, *, next_at: str, result: str) -> None:
        """Record the outcome of a run and when the next one is due."""
        with self._database.write() as connection:
            connection.execute(
                sa.update(schedules)
                .where(schedules.c.id == schedule_id)
                .values(next_at=next_at, last_result=result)
            )

    def remove(self, schedule_id: str) -> None:
        """Remove a schedule; raises NotFoundError."""
        with self._database.write() as connection:
            if not connection.execute(sa.delete(schedules).where(schedules.c.id == schedule_id)).rowcount:
                raise NotFoundError(
                    "there is no schedule of that id here", hint="`trisect schedule list` names all"
                )
