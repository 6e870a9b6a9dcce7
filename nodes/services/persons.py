"""Consents, for a proxy's app: about one person at a time, or many new ones in one call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from nodes.consents.register import Register
from nodes.services.consents import ConsentsService, wish_of
from trisect.errors import TrisectError
from trisect.rpc.authentication import Context
from trisect.wire.v1 import consents_pb2 as pb
from trisect.wire.v1 import person_pb2, person_pb2_grpc

TOGETHER = 256
"""How many new consents are recorded in one transaction."""


@dataclass(frozen=True, slots=True)
class PersonsService(person_pb2_grpc.PersonsServicer):
    """Does what an administrator does with consents, once it is sure that they are the named person's."""

    register: Register
    consents: ConsentsService

    async def Grant(  # noqa: N802
        self, request: pb.GrantConsentRequest, context: Context
    ) -> pb.GrantConsentReply:
        """Record what a person allows."""
        return await self.consents.GrantConsent(request, context)

    async def GrantMany(  # noqa: N802
        self, requests: AsyncIterator[pb.GrantConsentRequest], _context: Context
    ) -> AsyncIterator[person_pb2.GrantOutcome]:
        """Record what many persons allow; what has come while others were recorded is recorded together."""
        waiting: asyncio.Queue[pb.GrantConsentRequest | None] = asyncio.Queue(TOGETHER)
        reading = asyncio.create_task(_read(requests, waiting))
        try:
            last = False
            while not last:
                together = [await waiting.get()]
                while len(together) < TOGETHER and not waiting.empty():
                    together.append(waiting.get_nowait())
                last = together[-1] is None
                asked = [request for request in together if request is not None]
                wishes = [(wish_of(request, request.delegation), request.once) for request in asked]
                for found in await self.register.grant_all(wishes) if wishes else ():
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


async def _read(
    requests: AsyncIterator[pb.GrantConsentRequest],
    waiting: asyncio.Queue[pb.GrantConsentRequest | None],
) -> None:
    """Pass requests on, and None after the last, also where they break off."""
    try:
        async for request in requests:
            await waiting.put(request)
    finally:
        await waiting.put(None)
