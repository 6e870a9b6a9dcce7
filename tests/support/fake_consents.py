"""The consents of the fake node: real records, in memory."""

# ruff: noqa: N802, ARG002  (names and arguments are the contract's)
from __future__ import annotations

from typing import TYPE_CHECKING

from contract.test_granting import SALT, consent, delegation
from support.membership import identity

from trisect.errors import NotFoundError
from trisect.wire.v1 import consents_pb2 as pb
from trisect.wire.v1 import consents_pb2_grpc

if TYPE_CHECKING:
    from support.fake_node import FakeNode

ID = consent(1).id
DELEGATION = delegation(1).id
SUBJECTS = {"aid": "a" * 32, "bank": "b" * 32, "telco": "c" * 32}


class Consents(consents_pb2_grpc.ConsentsServicer):
    """One consent, to bank and telco; who revokes it hears of the bank alone."""

    def __init__(self, node: FakeNode) -> None:
        self.node = node
        self.revoked = self.erased = False

    def _found(self) -> pb.Consent:
        found = pb.Consent(id=ID, sequence=1, in_force=not self.revoked)
        found.record = b"" if self.erased else consent(1).sign(identity("aid"))
        if self.revoked:
            found.why_not, found.revoked_at, found.revoked_sequence = (
                "it was taken back",
                "2026-11-02T00:00:00Z",
                2,
            )
            told = found.acknowledgements.add(party="bank", at="2026-11-02T00:00:05Z")
            told.versions.add(collection="opaque", version=7)
            found.acknowledgements.add(party="telco")
        return found

    async def GrantConsent(self, request, context):
        self.node._note("GrantConsent", request)
        return pb.GrantConsentReply(consent=self._found(), subjects=SUBJECTS)

    async def RevokeConsent(self, request, context):
        self.node._note("RevokeConsent", request)
        self.revoked, self.erased = True, request.erase
        return pb.RevokeConsentReply(consent=self._found())

    async def ListConsents(self, request, context):
        self.node._note("ListConsents", request)
        if request.id and request.id != ID:
            raise NotFoundError("there is no such consent here", hint="look into the list")
        return pb.ListConsentsReply(consents=[self._found()])

    async def GetConsentReceipt(self, request, context):
        self.node._note("GetConsentReceipt", request)
        return pb.GetConsentReceiptReply(record=self._found().record, salt=SALT)

    async def GiveDelegation(self, request, context):
        self.node._note("GiveDelegation", request)
        return pb.GiveDelegationReply(delegation=self._delegation())

    async def RevokeDelegation(self, request, context):
        self.node._note("RevokeDelegation", request)
        self.revoked, self.erased = True, request.erase
        return pb.RevokeDelegationReply(delegation=self._delegation(), consents=[ID])

    async def ListDelegations(self, request, context):
        self.node._note("ListDelegations", request)
        return pb.ListDelegationsReply(delegations=[self._delegation()])

    def _delegation(self) -> pb.Delegation:
        found = pb.Delegation(id=DELEGATION, in_force=not self.revoked)
        found.record = b"" if self.erased else delegation(1).sign(identity("aid"))
        if self.revoked:
            found.why_not, found.revoked_at = "it was taken back", "2026-11-02T00:00:00Z"
        return found
