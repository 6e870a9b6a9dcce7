"""The credentials of the fake node: one, for whoever asks."""

# ruff: noqa: N802, ARG002  (names and arguments are the contract's)
from __future__ import annotations

from typing import TYPE_CHECKING

from trisect.wire.v1 import credentials_pb2 as pb
from trisect.wire.v1 import credentials_pb2_grpc

if TYPE_CHECKING:
    from support.fake_node import FakeNode

ID = "0123456789abcdef0123456789abcdef"


class Credentials(credentials_pb2_grpc.CredentialsServicer):
    """Says what a node would, and certifies nothing."""

    def __init__(self, node: FakeNode) -> None:
        self.node = node
        self.revoked_at = ""

    def _found(self) -> pb.Credential:
        return pb.Credential(
            id=ID,
            name="the app",
            issued_at="2026-11-01T00:00:00Z",
            expires_at="2027-01-30T00:00:00Z",
            revoked_at=self.revoked_at,
        )

    async def IssueCredential(self, request, context):
        self.node._note("IssueCredential", request)
        return pb.IssueCredentialReply(
            credential=self._found(),
            certificate=b"a certificate",
            authority=b"an authority",
            address="aid.example:7444",
            server_name="node.trisect",
        )

    async def ListCredentials(self, request, context):
        self.node._note("ListCredentials", request)
        return pb.ListCredentialsReply(credentials=[self._found()])

    async def RevokeCredential(self, request, context):
        self.node._note("RevokeCredential", request)
        self.revoked_at = "2026-11-02T00:00:00Z"
        return pb.RevokeCredentialReply(credential=self._found())
