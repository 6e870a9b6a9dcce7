"""Receipts are handed in until the node's own copy of the record has them, and no longer."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from contract.rows import exchange
from support.membership import identity
from support.receipts import ASKED
from support.rulebooks import offer, permit

from nodes.exchanges import recording
from nodes.exchanges.recording import Recording
from nodes.promised import Promised
from trisect.clock import to_text
from trisect.errors import (
    ConflictError,
    DeniedError,
    NotFoundError,
    TrisectError,
    UnreachableError,
    VerificationError,
)
from trisect.record import entries
from trisect.rules.offers import LATEST_RECEIPT, RECEIPT_RULE
from trisect.store.database import Database, sqlite_url
from trisect.store.exchanges import Exchanges, ExchangeState, InRecord

NOW = dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)
RECEIPT = ASKED.sign(identity("telco"))
PERMIT = permit(offer(), expires=to_text(NOW)).sign(identity("bank"))
ID = ASKED.exchange.hex()


class Node:
    """A node with one exchange that is complete, and a coordinator that takes receipts or says why not."""

    def __init__(self, folder: Path) -> None:
        self.database = Database(sqlite_url(folder / "node.db"))
        self.database.migrate("node")
        self.store = Exchanges(self.database)
        self.now = NOW
        self.handed: list[bytes] = []
        self.refusal: TrisectError | None = None
        self.copy: list[bytes] = []
        self.promised = Promised(lambda: self.now)
        witness = SimpleNamespace(promised=self.promised, of_exchange=self._of_exchange)
        link = SimpleNamespace(connected=True, enter_receipt=self._enter)
        book = SimpleNamespace(store=self.store)
        means: Any = SimpleNamespace(witness=witness, link=link, book=book, clock=lambda: self.now)
        self.recording = Recording(means)

    async def _of_exchange(self, _exchange: str) -> list[bytes]:
        return self.copy

    async def _enter(self, receipt: bytes) -> None:
        self.handed.append(receipt)
        if self.refusal is not None:
            raise self.refusal

    def has(self, state: ExchangeState, started: dt.datetime = NOW) -> None:
        self.store.add(exchange(ID, state=ExchangeState.RUNNING, started_at=to_text(started)))
        self.store.update(ID, state=state, own_receipt=RECEIPT, permit=PERMIT, recorded=InRecord.PENDING)

    @property
    def recorded(self) -> int | None:
        return self.store.get(ID).recorded


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    found = Node(tmp_path)
    yield found
    found.database.close()


async def test_a_receipt_is_handed_in_once_and_seen_in_the_record(node: Node) -> None:
    node.has(ExchangeState.COMPLETE)
    for _ in range(3):
        await node.recording.look()
    assert (node.handed, node.recorded) == ([RECEIPT], InRecord.PENDING)
    node.now += dt.timedelta(seconds=60)
    assert "lacks 1 of the permits and receipts" in node.promised.trouble
    node.copy = [entries.of_document(RECEIPT)]
    node.promised.copied(node.copy)
    await node.recording.look()
    await node.recording.look()
    assert (node.handed, node.recorded, node.promised.trouble) == ([RECEIPT], InRecord.YES, "")


async def test_what_a_coordinator_has_lost_is_handed_in_again(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "AGAIN_S", 0.0)
    node.has(ExchangeState.COMPLETE)
    await node.recording.look()
    await node.recording.look()
    assert node.handed == [RECEIPT] * 2


async def test_a_restart_waits_for_nothing_that_is_there(node: Node) -> None:
    """What the record has from before is seen in the copy, and nothing is expected of the coordinator."""
    node.has(ExchangeState.COMPLETE)
    node.copy = [entries.of_document(RECEIPT)]
    await node.recording.look()
    assert (node.handed, node.recorded) == ([], InRecord.YES)
    node.now += dt.timedelta(days=1)
    assert node.promised.trouble == ""


@pytest.mark.parametrize(
    ("refusal", "ended"),
    [
        (NotFoundError("no permit", hint="wait"), InRecord.PENDING),
        (UnreachableError("away", hint="wait"), InRecord.PENDING),
        (VerificationError("another key", hint="the coordinator may lack a succession"), InRecord.PENDING),
        (DeniedError("no party of this name is admitted", hint="x"), InRecord.PENDING),
        (DeniedError("too late", hint="x", rule=RECEIPT_RULE), InRecord.NEVER),
        (ConflictError("another one", hint="x"), InRecord.NEVER),
    ],
)
async def test_a_refusal_ends_it_only_where_it_always_will(
    node: Node, refusal: TrisectError, ended: InRecord
) -> None:
    node.has(ExchangeState.COMPLETE)
    node.refusal = refusal
    await node.recording.look()
    assert node.recorded == ended
    node.now += dt.timedelta(days=1)
    assert node.promised.trouble == "", "nothing was promised"


async def test_what_nobody_takes_is_given_up_when_it_is_too_late(node: Node) -> None:
    node.has(ExchangeState.COMPLETE)
    node.refusal = NotFoundError("no permit", hint="wait")
    await node.recording.look()
    assert node.recorded == InRecord.PENDING
    node.now += LATEST_RECEIPT + dt.timedelta(seconds=1)
    node.recording._due.clear()
    await node.recording.look()
    assert (len(node.handed), node.recorded) == (1, InRecord.NEVER)


async def test_an_exchange_that_nobody_confirms_is_told_after_an_hour(node: Node) -> None:
    node.has(ExchangeState.UNCONFIRMED)
    await node.recording.look()
    assert node.handed == []
    node.now += recording.UNCONFIRMED + dt.timedelta(seconds=1)
    await node.recording.look()
    assert node.handed == [RECEIPT]


async def test_one_that_waits_holds_up_no_other(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "AT_ONCE", 1)
    node.has(ExchangeState.COMPLETE)
    other = ASKED.sign(identity("bank"))
    node.store.add(exchange("f" * 32, state=ExchangeState.RUNNING))
    node.store.update(
        "f" * 32, state=ExchangeState.COMPLETE, own_receipt=other, permit=PERMIT, recorded=InRecord.PENDING
    )
    for _ in range(2):
        await node.recording.look()
        await asyncio.sleep(0)
    assert node.handed == [RECEIPT, other]
