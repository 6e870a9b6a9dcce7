"""The stream of an app: it ends with the credential, or when the app has gone silent."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from nodes.consents.wishes import Wish
from nodes.services import persons
from nodes.services.persons import PersonsService
from trisect.errors import (
    BadInputError,
    ConflictError,
    ExhaustedError,
    TimedOutError,
    TrisectError,
    UnauthenticatedError,
)
from trisect.trust.certificates import Caller, Principal
from trisect.wire.v1 import consents_pb2 as pb

NOW = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
A_SECOND = dt.timedelta(seconds=1)
CREDENTIAL = "c" * 32


@pytest.fixture(autouse=True)
def _app(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(persons, "caller", lambda: Principal("anti-fraud", Caller.APP, CREDENTIAL))


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
    waiting: asyncio.Queue[persons._Asked | None] = asyncio.Queue(1)

    async def endless() -> AsyncIterator[pb.GrantConsentRequest]:
        while True:
            yield pb.GrantConsentRequest()

    reading = asyncio.create_task(persons._read(endless(), waiting, CREDENTIAL))
    while not waiting.full():
        await asyncio.sleep(0)
    reading.cancel()
    await asyncio.wait({reading}, timeout=10)
    assert reading.cancelled()


class Taking:
    """A register that records nothing, and tells what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def grant_all(self, wishes: Sequence[tuple[Wish, bool]]) -> list[TrisectError]:
        self.asked += [wish.person for wish, _ in wishes]
        return [ConflictError("not recorded", hint="never") for _ in wishes]


def service(register: Any, clock: Any = lambda: NOW) -> PersonsService:
    nothing: Any = SimpleNamespace()
    return PersonsService(register, nothing, clock)


async def many(count: int) -> AsyncIterator[pb.GrantConsentRequest]:
    for number in range(count):
        yield pb.GrantConsentRequest(person=f"member {number}")


async def test_a_busy_stream_ends_with_its_credential_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is always something to record, so that nothing is ever waited for."""
    ends = NOW + A_SECOND
    monkeypatch.setattr(persons, "expires_at", lambda _context: ends)
    register = Taking()
    now = [NOW]
    answers = service(register, lambda: now[0]).GrantMany(many(5_000), SimpleNamespace())
    await anext(answers)
    now[0] = ends
    with pytest.raises(UnauthenticatedError):
        [one async for one in answers]
    assert 0 < len(register.asked) <= persons.TOGETHER


async def test_so_many_calls_run_under_one_credential(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(persons, "expires_at", lambda _context: NOW + A_SECOND)
    found, nothing = service(Taking()), SimpleNamespace()
    running = [found.GrantMany(many(2), nothing) for _ in range(persons.MANY_CALLS)]
    for one in running:
        await anext(one)
    with pytest.raises(ExhaustedError, match="4 such calls"):
        await anext(found.GrantMany(many(1), nothing))
    await running.pop().aclose()
    await anext(found.GrantMany(many(1), nothing))
    for one in running:
        await one.aclose()
    assert not found.many


async def test_a_message_is_answered_in_its_place_and_no_more_of_it_is_kept_than_its_wish() -> None:
    async def asked() -> AsyncIterator[pb.GrantConsentRequest]:
        yield pb.GrantConsentRequest(person="one")
        yield pb.GrantConsentRequest(person="two", purposes=[""] * 65)
        yield pb.GrantConsentRequest(person="three")

    waiting: asyncio.Queue[persons._Asked | None] = asyncio.Queue()
    await persons._read(asked(), waiting, CREDENTIAL)
    found = [waiting.get_nowait() for _ in range(4)]
    assert found.pop() is None
    register = Taking()
    outcomes = await service(register)._grant([one for one in found if one is not None])
    assert register.asked == ["one", "three"]
    assert [error.code for error in outcomes if isinstance(error, TrisectError)] == [
        "TRI-CONFLICT",
        "TRI-INPUT",
        "TRI-CONFLICT",
    ]
    assert isinstance(found[0], tuple)
    assert found[0][0].credential == CREDENTIAL


async def test_what_ends_the_reading_ends_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(persons, "expires_at", lambda _context: NOW + 1_000 * A_SECOND)

    async def broken() -> AsyncIterator[pb.GrantConsentRequest]:
        yield pb.GrantConsentRequest(person="one")
        raise BadInputError("no message", hint="send one")

    answers = service(Taking()).GrantMany(broken(), SimpleNamespace())
    await anext(answers)
    async with asyncio.timeout(10):
        with pytest.raises(BadInputError):
            await anext(answers)
