"""Credentials of the party's own programs, for its administrator."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from nodes.apps import Apps
from nodes.clients import Clients
from trisect.errors import ConflictError
from trisect.rpc.authentication import Context
from trisect.store.credentials import Credential, Credentials
from trisect.trust.certificates import NODE_HOST
from trisect.waiting import whole
from trisect.wire.v1 import credentials_pb2 as pb
from trisect.wire.v1 import credentials_pb2_grpc


@dataclass(frozen=True, slots=True)
class CredentialsService(credentials_pb2_grpc.CredentialsServicer):
    """Issues, lists and ends credentials."""

    clients: Clients
    store: Credentials
    apps: Apps

    async def IssueCredential(  # noqa: N802
        self, request: pb.IssueCredentialRequest, _context: Context
    ) -> pb.IssueCredentialReply:
        """Issue one for a key that the asker has."""
        if not self.apps.address:
            raise ConflictError(
                "this node serves no apps",
                hint="at a proxy's node, set listen in [apps] of its configuration, and start it again",
            )
        found, certificate = await self.clients.issue(request.name, request.request, request.days)
        return pb.IssueCredentialReply(
            credential=_to_wire(found),
            certificate=certificate,
            authority=self.clients.authority.root.certificate,
            address=self.apps.address,
            server_name=NODE_HOST,
        )

    async def ListCredentials(  # noqa: N802
        self, _request: pb.ListCredentialsRequest, _context: Context
    ) -> pb.ListCredentialsReply:
        """List all."""
        found = await asyncio.to_thread(self.store.list)
        return pb.ListCredentialsReply(credentials=[_to_wire(one) for one in found])

    async def RevokeCredential(  # noqa: N802
        self, request: pb.RevokeCredentialRequest, _context: Context
    ) -> pb.RevokeCredentialReply:
        """End one, and the calls that run under it."""
        try:
            await self.clients.shut_out(request.id)
        finally:  # also where the database could not be asked
            self.apps.cut(request.id)
        found = await whole(self.clients.revoke(request.id))
        return pb.RevokeCredentialReply(credential=_to_wire(found))


def _to_wire(found: Credential) -> pb.Credential:
    return pb.Credential(
        id=found.id,
        name=found.name,
        issued_at=found.issued_at,
        expires_at=found.expires_at,
        revoked_at=found.revoked_at,
    )
