"""Consents, for a proxy's administrator."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from nodes.consents.committing import Committing
from nodes.consents.courier import Courier
from nodes.consents.register import Recorded, Register
from nodes.consents.wishes import Wish
from trisect.errors import BadInputError, ConflictError
from trisect.rpc.authentication import Context
from trisect.store.delegating import KeptDelegation
from trisect.store.granting import GrantedConsent
from trisect.wire.v1 import consents_pb2 as pb
from trisect.wire.v1 import consents_pb2_grpc

LONGEST_WAIT_S = 300.0
LONGEST_LIST = 64


@dataclass(frozen=True, slots=True)
class ConsentsService(consents_pb2_grpc.ConsentsServicer):
    """Grants, revokes and shows."""

    register: Register
    committing: Committing
    courier: Courier

    async def GrantConsent(  # noqa: N802
        self, request: pb.GrantConsentRequest, _context: Context
    ) -> pb.GrantConsentReply:
        """Record what a person allows."""
        found = await self.register.grant(wish_of(request, request.delegation), once=request.once)
        return await self.recorded(found)

    async def recorded(self, found: Recorded) -> pb.GrantConsentReply:
        """Tell of a consent that is kept."""
        consent = await self._to_wire(found.consent)
        return pb.GrantConsentReply(consent=consent, subjects=found.subjects, known=found.known)

    async def RevokeConsent(  # noqa: N802
        self, request: pb.RevokeConsentRequest, _context: Context
    ) -> pb.RevokeConsentReply:
        """Take a consent back, and wait for the parties to say so where that is wanted."""
        found = await self.register.revoke(request.id, erase=request.erase)
        if request.wait_s > 0 and found.revoked_sequence is not None:
            wait_s = min(request.wait_s, LONGEST_WAIT_S)
            await self.courier.until_told(found.revoked_sequence, frozenset(found.parties), wait_s)
            (found,) = await self.register.find("", found.id)
        return pb.RevokeConsentReply(consent=await self._to_wire(found))

    async def ListConsents(  # noqa: N802
        self, request: pb.ListConsentsRequest, _context: Context
    ) -> pb.ListConsentsReply:
        """List consents."""
        return await self.listed(await self.register.find(request.person, request.id, request.credential))

    async def listed(self, found: Sequence[GrantedConsent]) -> pb.ListConsentsReply:
        """Tell of several consents."""
        return pb.ListConsentsReply(
            consents=await asyncio.to_thread(lambda: [self._described(one) for one in found])
        )

    async def GetConsentReceipt(  # noqa: N802
        self, request: pb.GetConsentReceiptRequest, _context: Context
    ) -> pb.GetConsentReceiptReply:
        """Give what the person's copy holds."""
        (found,) = await self.register.find("", request.id)
        if found.record is None or found.salt is None:
            raise ConflictError(
                "the consent was erased", hint="nothing is left of it that a receipt could hold"
            )
        reply = pb.GetConsentReceiptReply(
            record=found.record, salt=found.salt, delegation=await self.register.delegation_of(found)
        )
        if proof := await self.committing.proof(found):
            reply.epoch, reply.leaf, reply.leaves, path = proof
            reply.proof.extend(path)
        return reply

    async def GiveDelegation(  # noqa: N802
        self, request: pb.GiveDelegationRequest, _context: Context
    ) -> pb.GiveDelegationReply:
        """Record what the proxy may consent to in a person's name."""
        return self.given(await self.register.delegate(wish_of(request)))

    def given(self, found: KeptDelegation) -> pb.GiveDelegationReply:
        """Tell of a delegation that is kept."""
        return pb.GiveDelegationReply(delegation=self._delegation(found))

    async def RevokeDelegation(  # noqa: N802
        self, request: pb.RevokeDelegationRequest, _context: Context
    ) -> pb.RevokeDelegationReply:
        """Take a delegation back, with what was given under it."""
        found, consents = await self.register.revoke_delegation(request.id, erase=request.erase)
        return pb.RevokeDelegationReply(delegation=self._delegation(found), consents=consents)

    async def ListDelegations(  # noqa: N802
        self, request: pb.ListDelegationsRequest, _context: Context
    ) -> pb.ListDelegationsReply:
        """List delegations."""
        return await self.listed_delegations(await self.register.delegations(request.person))

    async def listed_delegations(self, found: Sequence[KeptDelegation]) -> pb.ListDelegationsReply:
        """Tell of several delegations."""
        return pb.ListDelegationsReply(
            delegations=await asyncio.to_thread(lambda: [self._delegation(one) for one in found])
        )

    def _delegation(self, found: KeptDelegation) -> pb.Delegation:
        why_not = self.register.why_not_delegated(found)
        return pb.Delegation(
            id=found.id,
            record=found.record or b"",
            revoked_at=found.revoked_at,
            in_force=not why_not,
            why_not=why_not,
            credential=found.credential,
        )

    async def _to_wire(self, found: GrantedConsent) -> pb.Consent:
        return await asyncio.to_thread(self._described, found)

    def _described(self, found: GrantedConsent) -> pb.Consent:
        why_not = self.register.why_not(found)
        consent = pb.Consent(
            id=found.id,
            sequence=found.sequence,
            record=found.record or b"",
            revoked_at=found.revoked_at,
            revoked_sequence=found.revoked_sequence or 0,
            in_force=not why_not,
            why_not=why_not,
            delegation=found.delegation,
            credential=found.credential,
        )
        if found.revoked_sequence is not None:
            for party in (self.register.name, *found.parties):
                effect = found.effects.get(party)
                told = consent.acknowledgements.add(party=party, at=effect.at if effect else "")
                for collection, version in effect.versions if effect else ():
                    told.versions.add(collection=collection, version=version)
        return consent


def wish_of(
    request: pb.GrantConsentRequest | pb.GiveDelegationRequest, delegation: bytes = b"", credential: str = ""
) -> Wish:
    """Read what a person wishes.

    Args:
        request: says it.
        delegation: id of the one under which the proxy says it in the person's name, or empty.
        credential: of the app that brings it, or empty.

    Raises:
        BadInputError: a list in it has more members than there are words for it.
    """
    for name in ("purposes", "kinds", "parties", "pressures"):
        if len(getattr(request, name)) > LONGEST_LIST:
            raise BadInputError(
                f"a wish names at most {LONGEST_LIST} {name}",
                hint="name each once, and several wishes for more",
            )
    return Wish(
        person=request.person,
        purposes=list(request.purposes),
        kinds=list(request.kinds),
        parties=list(request.parties),
        days=request.days,
        notice=request.notice,
        language=request.language,
        method=request.method,
        pressures=list(request.pressures),
        delegation=delegation,
        credential=credential,
    )
