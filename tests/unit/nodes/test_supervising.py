"""What a node reads of its copy of the record to supervise: from the end, and no further back than needed."""

from __future__ import annotations

import dataclasses
import datetime as dt
from types import SimpleNamespace
from typing import Any

import pytest
from support.breach_files import ruled
from support.membership import GOVERNMENT, identity
from support.receipts import receipt
from support.rulebooks import NOW, offer

from nodes import supervising
from nodes.supervising import Supervising
from trisect.clock import to_text
from trisect.indicators.kinds import Kind
from trisect.record import entries
from trisect.rules.permit import Answer, Permit, propose
from trisect.rules.regime import Regime
from trisect.store.database import Database, sqlite_url
from trisect.store.exchanges import Side
from trisect.store.record import Record, numbered
from trisect.store.tables import node_record
from trisect.trust import documents
from trisect.trust.statements import COORDINATOR

HOUR = dt.timedelta(hours=1)


def receipted(number: int, side: Side) -> bytes:
    made = receipt(side.value, exchange=bytes([number]) * 16)
    return entries.of_document(made.sign(identity("telco" if side is Side.ASKER else "bank")))


class Desk:
    """A government's node that has seen a number of permits, one an hour, the last of them now."""

    def __init__(self, folder: Any, hours: int) -> None:
        consortium = ruled()
        consortium.take(consortium.coordinator_key())
        regime = Regime(consortium.membership)
        answer = Answer(b"p" * 16, "c2", 5, frozenset({Kind.PHONE}), "statutory-duty: ATOFL 16", 2_048, 90)
        self.permit = propose(offer(notice=regime.notice_hash("telco")), b"h" * 32, answer, regime)
        self.database = Database(sqlite_url(folder / "node.db"))
        self.database.migrate("node")
        self.record = Record(self.database, node_record)
        self.read = 0
        self.unsettled: list[Any] = []
        for number in range(hours):
            signed = self.signed(number, NOW - (hours - 1 - number) * HOUR)
            self.record.append(numbered([signed, receipted(number, Side.ASKER)], 0))
        members: Any = SimpleNamespace(membership=consortium.membership, name=GOVERNMENT)
        watched: Any = SimpleNamespace(entries=self._entries)
        exchanges: Any = SimpleNamespace(unsettled=lambda: self.unsettled)
        self.desk = Supervising(members, watched, lambda: self.record.size, exchanges, lambda: NOW)

    def signed(self, number: int, decided: dt.datetime, *signers: str, **changes: Any) -> bytes:
        made = dataclasses.replace(
            self.permit, exchange=bytes([number]) * 16, decided=to_text(decided), **changes
        )
        keys = [identity(name) for name in signers or ("bank", COORDINATOR)]
        return documents.sign(Permit.KIND, made.to_body(), keys)

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
        GOVERNMENT: 0, "telco": 0, "bank": 6, "office": 0,
    }  # fmt: skip
    old = to_text(NOW - 40 * HOUR)
    found.unsettled = [
        SimpleNamespace(peer="bank", id=(bytes([0]) * 16).hex(), started_at=old),
        SimpleNamespace(peer="bank", id="another", started_at=old),
        SimpleNamespace(peer="telco", id="new", started_at=to_text(NOW)),
    ]
    assert {name: one.silent for name, one in found.meter(30).items()} == {
        GOVERNMENT: 0, "telco": 0, "bank": 7, "office": 0,
    }  # fmt: skip
    found.database.close()


def test_what_is_no_sound_permit_hides_nothing_and_counts_nowhere(tmp_path: Any) -> None:
    """A coordinator may enter what it likes; a permit is signed by two, and rests on rules of the record."""
    found = Desk(tmp_path, 5)
    long_ago = NOW - dt.timedelta(days=400)
    odd = [
        found.signed(90, long_ago, COORDINATOR),
        found.signed(91, NOW, "bank"),
        found.signed(92, NOW, rulebook=bytes(32)),
        found.signed(93, NOW, asker="nobody"),
        documents.sign(Permit.KIND, {"exchange": "AAAA"}, [identity(COORDINATOR)]),
    ]
    found.record.append(numbered(odd, 0))
    assert found.meter(30)["telco"].asked == 5
    found.database.close()
