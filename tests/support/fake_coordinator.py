"""The coordinator's service for its administrator, as the fake node's folder serves it."""

# ruff: noqa: N802, ARG002  (names and arguments are the contract's)
from __future__ import annotations

from typing import TYPE_CHECKING

from support.fake_services import NOW

from trisect.wire.v1 import coordinator_admin_pb2, coordinator_admin_pb2_grpc

if TYPE_CHECKING:
    from support.fake_node import FakeNode

FINGERPRINT = "aaaa-bbbb-cccc-dddd-eeee-ffff-gggg-hhhh"
INVITATION = "trisect-invitation-planted-secret"


class Coordinator(coordinator_admin_pb2_grpc.CoordinatorAdminServicer):
    def __init__(self, node: FakeNode) -> None:
        self.node = node

    async def Invite(self, request, context):
        self.node._note("Invite", request)
        return coordinator_admin_pb2.InviteReply(invitation=INVITATION, expires_at=NOW)

    async def GetCoordinatorStatus(self, request, context):
        self.node._note("GetCoordinatorStatus", request)
        return coordinator_admin_pb2.GetCoordinatorStatusReply(
            consortium="test",
            address="127.0.0.1:9",
            authority_fingerprint=FINGERPRINT,
            http="http://127.0.0.1:9",
            parties=[
                coordinator_admin_pb2.EnrolledParty(
                    name="bank", role="provider", state="active", connected=True
                )
            ],
            version="0",
        )
