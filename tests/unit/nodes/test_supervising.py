"""What a node reads of its copy of the record to supervise: from the end, and no further back than needed."""

from __future__ import annotations

import dataclasses
import datetime as dt
from types import SimpleNamespace
from typing import Any

import pytest
from support.membership import GOVERNMENT, Consortium, identity
from support.receipts import receipt
from support.rulebooks import NOW

from nodes import supervising
from nodes.supervising import Supervising
from trisect.clock import to_text
from trisect.record import entries
from trisect.rules.permit import Permit
from trisect.store.database import Database, sqlite_url
from trisect.store.exchanges import Side
from trisect.store.record import Record, numbered
from trisect.store.tables import node_record

HOUR = dt.timedelta(hours=1)


def permit(number: int, decided: dt.datetime) -> Permit:
    blank: dict[str, Any] = {
        field.name: {"bytes": b"", "int": 0}.get(str(field.type), "") for field in dataclasses.fields(Permit)
    }
    named = {"exchange": bytes([number]) * 16, "asker": "telco", "answerer": "bank"}
    basis = {"basis": "contract", "answered_basis": "contract", "purpose": "rights"}
    return Permit(**blank | named | basis | {"decided": to_text(decided), "asked_padded": 16})


def receipted(number: int, side: Side) -> bytes:
    made = receipt(side.value, exchange=bytes([number]) * 16)
    return entries.of_document(made.sign(identity("telco" if side is Side.ASKER else "bank")))


class Desk:
    """A government's node that has seen a number of permits, one an hour, the last of them now."""

    def __init__(self, folder: Any, hours: int) -> None:
        consortium = Consortium.founded()
        for name in ("telco", "bank"):
            consortium.take(consortium.admission(name))
        self.database = Database(sqlite_url(folder / "node.db"))
        self.database.migrate("node")
        self.record = Record(self.database, node_record)
        self.read = 0
        self.unsettled: list[Any] = []
        for number in range(hours):
            signed = permit(number, NOW - (hours - 1 - number) * HOUR).sign(identity("bank"))
            self.record.append(numbered([signed, receipted(number, Side.ASKER)], 0))
        members: Any = SimpleNamespace(membership=consortium.membership, name=GOVERNMENT)
        watched: Any = SimpleNamespace(size=self.record.size, entries=self._entries)
        exchanges: Any = SimpleNamespace(unsettled=lambda: self.unsettled)
        self.desk = Supervising(members, watched, exchanges, lambda: NOW)

    def _entries(self, first: int, *, limit: int) -> Any:
        self.read += limit
        return self.record.entries(first, limit=limit)

    def meter(self, days: int) -> dict[str, Any]:
        return {one.party: one for one in self.desk.meter(days).parties}


@pytest.mark.parametrize(("days", "asked"), [(1, 25), (2, 49), (30, 100)])
def test_the_record_is_read_from_its_end(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, days: int, asked: int
) -> None:
    monkeypatch.setattr(supervising, "PAGE", 7)
    found = Desk(tmp_path, 100)
    assert found.meter(days)["telco"].asked == asked
    assert found.read <= 2 * (asked + 1) + 2 * 7
    found.database.close()


def test_silence_by_the_record_and_of_the_own_exchanges_is_told_once(tmp_path: Any) -> None:
    found = Desk(tmp_path, 30)  # with an asker's receipt each, and no answerer's
    assert {name: one.silent for name, one in found.meter(30).items()} == {
        GOVERNMENT: 0, "telco": 0, "bank": 6,
    }  # fmt: skip
    old = to_text(NOW - 40 * HOUR)
    found.unsettled = [
        SimpleNamespace(peer="bank", id=(bytes([0]) * 16).hex(), started_at=old),
        SimpleNamespace(peer="bank", id="another", started_at=old),
        SimpleNamespace(peer="telco", id="new", started_at=to_text(NOW)),
    ]
    assert {name: one.silent for name, one in found.meter(30).items()} == {
        GOVERNMENT: 0, "telco": 0, "bank": 7,
    }  # fmt: skip
    found.database.close()
