"""The stream of an app: it ends with the credential, or when the app has gone silent."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

from nodes.services import persons
from nodes.services.persons import PersonsService
from trisect.errors import TimedOutError, TrisectError, UnauthenticatedError
from trisect.wire.v1 import consents_pb2 as pb

NOW = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
A_SECOND = dt.timedelta(seconds=1)


@pytest.mark.parametrize(
    ("idle_s", "left", "error"),
    [(0.05, 60 * A_SECOND, TimedOutError), (60.0, 0.05 * A_SECOND, UnauthenticatedError), (60.0, -A_SECOND, UnauthenticatedError)],
    ids=["silent", "ends", "has ended"],
)  # fmt: skip
async def test_a_stream_does_not_go_on_for_ever(
    monkeypatch: pytest.MonkeyPatch, idle_s: float, left: dt.timedelta, error: type[TrisectError]
) -> None:
    monkeypatch.setattr(persons, "IDLE_S", idle_s)
    monkeypatch.setattr(persons, "expires_at", lambda _context: NOW + left)
    nothing: Any = SimpleNamespace()
    service = PersonsService(nothing, nothing, lambda: NOW)

    async def silent() -> AsyncIterator[pb.GrantConsentRequest]:
        await asyncio.Event().wait()
        yield pb.GrantConsentRequest()

    with pytest.raises(error):
        await anext(aiter(service.GrantMany(silent(), nothing)))
    assert "read consents of an app" not in {task.get_name() for task in asyncio.all_tasks()}


async def test_a_reader_with_a_full_queue_ends_when_it_is_told_to() -> None:
    waiting: asyncio.Queue[pb.GrantConsentRequest | None] = asyncio.Queue(1)

    async def endless() -> AsyncIterator[pb.GrantConsentRequest]:
        while True:
            yield pb.GrantConsentRequest()

    reading = asyncio.create_task(persons._read(endless(), waiting))
    while not waiting.full():
        await asyncio.sleep(0)
    reading.cancel()
    await asyncio.wait({reading}, timeout=10)
    assert reading.cancelled()
