"""Consents, for a proxy's app: about one person at a time, or many new ones in one call."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from nodes.consents.register import Recorded, Register
from nodes.services.consents import ConsentsService, wish_of
from trisect.clock import Clock
from trisect.errors import TimedOutError, TrisectError, UnauthenticatedError
from trisect.rpc.authentication import Context, expires_at
from trisect.rpc.gate import caller
from trisect.wire.v1 import consents_pb2 as pb
from trisect.wire.v1 import person_pb2, person_pb2_grpc

_log = logging.getLogger(__name__)

IDLE_S = 60.0
"""How long an app may send nothing in the middle of a call."""
TOGETHER = 256
"""How many new consents are recorded in one transaction."""


@dataclass(frozen=True, slots=True)
class PersonsService(person_pb2_grpc.PersonsServicer):
    """Does what an administrator does with consents, once it is sure that they are the named person's."""

    register: Register
    consents: ConsentsService
    clock: Clock

    async def Grant(  # noqa: N802
        self, request: pb.GrantConsentRequest, context: Context
    ) -> pb.GrantConsentReply:
        """Record what a person allows."""
        reply = await self.consents.GrantConsent(request, context)
        if not reply.known:
            _log.info(
                "an app has recorded consents",
                extra={"credential": caller().name, "first": reply.consent.sequence, "count": 1},
            )
        return reply

    async def GrantMany(  # noqa: N802
        self, requests: AsyncIterator[pb.GrantConsentRequest], context: Context
    ) -> AsyncIterator[person_pb2.GrantOutcome]:
        """Record what many persons allow; what has come while others were recorded is recorded together."""
        waiting: asyncio.Queue[pb.GrantConsentRequest | None] = asyncio.Queue(TOGETHER)
        reading = asyncio.create_task(_read(requests, waiting), name="read consents of an app")
        ends = expires_at(context)
        try:
            last = False
            while not last:
                together = [await _next(waiting, (ends - self.clock()).total_seconds())]
                while len(together) < TOGETHER and not waiting.empty():
                    together.append(waiting.get_nowait())
                last = together[-1] is None
                asked = [request for request in together if request is not None]
                wishes = [(wish_of(request, request.delegation), request.once) for request in asked]
                outcomes = await self.register.grant_all(wishes) if wishes else ()
                _tell(outcomes)
                for found in outcomes:
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
        return await self.consents.listed(await self.register.of_person(request.person))

    async def GetReceipt(  # noqa: N802
        self, request: person_pb2.GetPersonsReceiptRequest, context: Context
    ) -> pb.GetConsentReceiptReply:
        """Give what the person's copy holds."""
        await self.register.require_consent_of(request.person, request.id)
        return await self.consents.GetConsentReceipt(pb.GetConsentReceiptRequest(id=request.id), context)

    async def Delegate(  # noqa: N802
        self, request: pb.GiveDelegationRequest, context: Context
    ) -> pb.GiveDelegationReply:
        """Record what the proxy may consent to in a person's name."""
        return await self.consents.GiveDelegation(request, context)

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
        return self.consents.listed_delegations(await self.register.delegations_of(request.person))


def _tell(outcomes: Sequence[Recorded | TrisectError]) -> None:
    """Tell in the log which consents came with which credential: whoever steals one may be cleared up after."""
    numbers = [one.consent.sequence for one in outcomes if isinstance(one, Recorded) and not one.known]
    if numbers:
        _log.info(
            "an app has recorded consents",
            extra={"credential": caller().name, "first": min(numbers), "count": len(numbers)},
        )


async def _read(
    requests: AsyncIterator[pb.GrantConsentRequest],
    waiting: asyncio.Queue[pb.GrantConsentRequest | None],
) -> None:
    """Pass requests on, and None after the last."""
    async for request in requests:
        await waiting.put(request)
    await waiting.put(None)


async def _next(
    waiting: asyncio.Queue[pb.GrantConsentRequest | None], left_s: float
) -> pb.GrantConsentRequest | None:
    """Wait for a request, no longer than the credential holds, and not for an app that has gone silent."""
    try:
        async with asyncio.timeout(min(IDLE_S, left_s)):
            return await waiting.get()
    except TimeoutError:
        if left_s <= IDLE_S:
            raise UnauthenticatedError(
                "the credential has ended", hint="ask the node's administrator for a new one"
            ) from None
        raise TimedOutError(
            f"nothing has come for {IDLE_S:.0f} s",
            hint="close the call when there is nothing to send, and call again",
        ) from None
