"""Who takes something back at a proxy does not stand behind those who give, however many they are."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from nodes.consents.register import Register
from trisect.clock import system_clock, system_randomness
from trisect.errors import UnauthenticatedError
from trisect.rpc.gate import Gate
from trisect.trust.certificates import Caller, Principal
from trisect.trust.statements import Role


class Slow(Register):
    """Writes down what it does, and does the next thing when it is let."""

    def __init__(self) -> None:
        members: Any = SimpleNamespace(
            own=SimpleNamespace(role=Role.PROXY), require_notice=lambda: None, name="aid"
        )
        link: Any = SimpleNamespace(keys=SimpleNamespace(storage=b"k" * 32))
        nothing: Any = SimpleNamespace()
        super().__init__(
            members,
            link,
            *(nothing,) * 5,
            clock=system_clock,
            randomness=system_randomness,
        )
        self.done: list[str] = []
        self.let = asyncio.Semaphore(0)
        self.begun = asyncio.Event()

    def _require_sound(self) -> None:
        pass

    async def _work(self, what: str) -> Any:
        async with self._changing:
            self.begun.set()
            await self.let.acquire()
            self.done.append(what)

    async def _grant_all(self, _wishes: Sequence[Any]) -> Any:
        return await self._work("grant")

    async def _revoke(self, _consent: bytes, *, erase: bool) -> Any:  # noqa: ARG002
        return await self._work("revoke")


@pytest.mark.parametrize("cancelled", [True, False])
async def test_one_that_gives_at_most_stands_before_one_that_takes_back(*, cancelled: bool) -> None:
    """Those whose callers have gone away are no more than one either."""
    register = Slow()
    giving = [asyncio.create_task(register.grant_all([])) for _ in range(50)]
    await register.begun.wait()
    if cancelled:
        for one in giving:
            one.cancel()
        await asyncio.wait(giving)
    taking = asyncio.create_task(register.revoke(b"one"))
    for _ in range(5):
        await asyncio.sleep(0)
    for _ in range(2):
        register.let.release()
    await taking
    assert register.done == ["grant", "revoke"]
    for _ in giving:
        register.let.release()
    await asyncio.wait(giving)
    assert register.done.count("grant") == (1 if cancelled else 50)
    assert not register._granting.locked()


async def test_what_waits_under_a_credential_that_is_revoked_is_not_recorded() -> None:
    register = Slow()

    async def app(_access: Any, _context: Any) -> Principal:
        return Principal("anti-fraud", Caller.APP, "shop's app")

    gate, context = Gate(app), Context()

    async def grant() -> None:
        async with gate.passing("/trisect.wire.v1.Persons/Grant", context):
            await register.grant_all([])

    calls = [asyncio.create_task(grant()) for _ in range(3)]
    await register.begun.wait()
    assert gate.cut("shop's app", UnauthenticatedError("the credential was revoked", hint="x")) == 3
    for _ in calls:
        register.let.release()
    await asyncio.wait(calls)
    assert register.done == ["grant"], "what had its turn is done to its end, and nothing after it"
    assert [isinstance(call.exception(), Aborted) for call in calls] == [False, True, True]
    assert not register._granting.locked()


class Aborted(Exception):  # noqa: N818  (what gRPC's own abort does, without its machinery)
    """The gate has aborted the call."""


class Context:
    async def abort(self, *_arguments: Any, **_named: Any) -> None:
        raise Aborted
