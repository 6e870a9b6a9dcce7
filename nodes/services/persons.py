"""Consents, for a proxy's app: about one person at a time, or many new ones in one call."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from nodes.consents.register import Recorded, Register
from nodes.consents.wishes import Wish
from nodes.services.consents import ConsentsService, wish_of
from trisect.clock import Clock
from trisect.errors import ExhaustedError, TimedOutError, TrisectError, UnauthenticatedError
from trisect.rpc.authentication import Context, expires_at
from trisect.rpc.gate import caller
from trisect.wire.v1 import consents_pb2 as pb
from trisect.wire.v1 import person_pb2, person_pb2_grpc

IDLE_S = 60.0
"""How long an app may send nothing in the middle of a call."""
TOGETHER = 256
"""How many new consents are recorded in one transaction."""
MANY_CALLS = 4
"""How many calls with many consents run at once under one credential."""
LISTED = 200
"""How many consents a reply lists: each may have some kilobytes, and a reply has 4 MiB at most."""
_Asked: TypeAlias = "tuple[Wish, bool] | TrisectError"
"""A wish with whether to record it once, or why it is none."""


@dataclass(frozen=True, slots=True)
class PersonsService(person_pb2_grpc.PersonsServicer):
    """Does what an administrator does with consents, once it is sure that they are the named person's."""

    register: Register
    consents: ConsentsService
    clock: Clock
    many: Counter[str] = field(default_factory=Counter)
    """The calls with many consents that run, by credential."""

    async def Grant(  # noqa: N802
        self, request: pb.GrantConsentRequest, _context: Context
    ) -> pb.GrantConsentReply:
        """Record what a person allows."""
        wish = wish_of(request, request.delegation, caller().name)
        return await self.consents.recorded(await self.register.grant(wish, once=request.once))

    async def GrantMany(  # noqa: N802
        self, requests: AsyncIterator[pb.GrantConsentRequest], context: Context
    ) -> AsyncIterator[person_pb2.GrantOutcome]:
        """Record what many persons allow; what has come while others were recorded is recorded together."""
        credential, ends = caller().name, expires_at(context)
        if self.many[credential] >= MANY_CALLS:
            raise ExhaustedError(
                f"{MANY_CALLS} such calls are running under this credential",
                hint="send what there is through those, or wait for one to end",
            )
        self.many[credential] += 1
        waiting: asyncio.Queue[_Asked | None] = asyncio.Queue(TOGETHER)
        reading = asyncio.create_task(_read(requests, waiting, credential), name="read consents of an app")
        try:
            last = False
            while not last:
                together = [await _next(waiting, reading, (ends - self.clock()).total_seconds())]
                while len(together) < TOGETHER and not waiting.empty():
                    together.append(waiting.get_nowait())
                last = together[-1] is None
                for found in await self._grant([asked for asked in together if asked is not None]):
                    if isinstance(found, TrisectError):
                        refusal = person_pb2.GrantOutcome.Refusal(
                            code=found.code, message=found.message, hint=found.hint, rule=found.rule
                        )
                        yield person_pb2.GrantOutcome(refused=refusal)
                    else:
                        yield person_pb2.GrantOutcome(granted=await self.consents.recorded(found))
            await reading
        finally:
            reading.cancel()
            await asyncio.wait({reading})
            self.many[credential] -= 1
            if not self.many[credential]:
                del self.many[credential]

    async def _grant(self, asked: Sequence[_Asked]) -> Sequence[Recorded | TrisectError]:
        """Record what can be; gives what became of each, in order."""
        wishes = [one for one in asked if not isinstance(one, TrisectError)]
        outcomes = iter(await self.register.grant_all(wishes) if wishes else ())
        return [one if isinstance(one, TrisectError) else next(outcomes) for one in asked]

    async def Revoke(  # noqa: N802
        self, request: person_pb2.RevokePersonsConsentRequest, context: Context
    ) -> pb.RevokeConsentReply:
        """Take a person's consent back."""
        await self.register.require_consent_of(request.person, request.id)
        wish = pb.RevokeConsentRequest(id=request.id, erase=request.erase, wait_s=request.wait_s)
        return await self.consents.RevokeConsent(wish, context)

    async def List(  # noqa: N802
        self, request: person_pb2.ListPersonsConsentsRequest, _context: Context
    ) -> pb.ListConsentsReply:
        """List a person's consents."""
        found = await self.register.of_person(request.person, before=request.before, limit=LISTED)
        return await self.consents.listed(found)

    async def GetReceipt(  # noqa: N802
        self, request: person_pb2.GetPersonsReceiptRequest, context: Context
    ) -> pb.GetConsentReceiptReply:
        """Give what the person's copy holds."""
        await self.register.require_consent_of(request.person, request.id)
        return await self.consents.GetConsentReceipt(pb.GetConsentReceiptRequest(id=request.id), context)

    async def Delegate(  # noqa: N802
        self, request: pb.GiveDelegationRequest, _context: Context
    ) -> pb.GiveDelegationReply:
        """Record what the proxy may consent to in a person's name."""
        return self.consents.given(await self.register.delegate(wish_of(request, credential=caller().name)))

    async def RevokeDelegated(  # noqa: N802
        self, request: person_pb2.RevokePersonsDelegationRequest, context: Context
    ) -> pb.RevokeDelegationReply:
        """Take a person's delegation back, with what was given under it."""
        await self.register.require_delegation_of(request.person, request.id)
        wish = pb.RevokeDelegationRequest(id=request.id, erase=request.erase)
        return await self.consents.RevokeDelegation(wish, context)

    async def ListDelegated(  # noqa: N802
        self, request: person_pb2.ListPersonsDelegationsRequest, _context: Context
    ) -> pb.ListDelegationsReply:
        """List a person's delegations."""
        return await self.consents.listed_delegations(await self.register.delegations_of(request.person))


async def _read(
    requests: AsyncIterator[pb.GrantConsentRequest], waiting: asyncio.Queue[_Asked | None], credential: str
) -> None:
    """Pass on what is asked, and None after the last; of a message no more is kept than its wish."""
    async for request in requests:
        try:
            asked: _Asked = wish_of(request, request.delegation, credential), request.once
        except TrisectError as error:
            asked = error
        await waiting.put(asked)
    await waiting.put(None)


async def _next(
    waiting: asyncio.Queue[_Asked | None], reading: asyncio.Task[None], left_s: float
) -> _Asked | None:
    """Wait for a wish, no longer than the credential holds, and not for an app that has gone silent."""
    if left_s > 0 and not waiting.empty():
        return waiting.get_nowait()
    getting = asyncio.ensure_future(waiting.get())
    try:
        await asyncio.wait(
            {getting, reading}, timeout=max(0.0, min(IDLE_S, left_s)), return_when=asyncio.FIRST_COMPLETED
        )
        if left_s > 0 and (getting.done() or reading.done()):
            if not getting.done() and waiting.empty():
                reading.result()  # raises what has ended it
            return await getting
    finally:
        getting.cancel()
    if left_s <= IDLE_S:
        raise UnauthenticatedError(
            "the credential has ended", hint="ask the node's administrator for a new one"
        )
    raise TimedOutError(
        f"nothing has come for {IDLE_S:.0f} s",
        hint="close the call when there is nothing to send, and call again",
    )
