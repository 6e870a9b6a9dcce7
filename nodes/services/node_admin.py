"""Status, parties and pepper of a node."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from nodes.announcing import Announcing
from nodes.governing import Governing
from nodes.link import Link
from nodes.members import Members
from nodes.peppers import Peppers
from nodes.services.governance import proposal_to_wire, vetting_of
from nodes.succession import Successions
from trisect import __version__
from trisect.beat import Beat
from trisect.clock import from_text, to_text
from trisect.errors import BadInputError, NotFoundError
from trisect.rpc.authentication import Context
from trisect.trust import certificates
from trisect.trust.keys import fingerprint
from trisect.trust.party import Party
from trisect.trust.statements import Role, Standing
from trisect.wire.v1 import node_admin_pb2 as pb
from trisect.wire.v1 import node_admin_pb2_grpc

APPLICANT = "applicant"


@dataclass(frozen=True, slots=True)
class NodeAdminService(node_admin_pb2_grpc.NodeAdminServicer):
    """What an administrator asks about the node itself."""

    members: Members
    governing: Governing
    successions: Successions
    peppers: Peppers
    link: Link
    beat: Beat
    announcing: Announcing
    http: Callable[[], str]

    async def GetStatus(self, _request: pb.GetStatusRequest, _context: Context) -> pb.GetStatusReply:  # noqa: N802
        """Tell how the node is."""
        own = self.members.own
        _, expires = certificates.validity(self.link.keys.tls.certificate)
        return pb.GetStatusReply(
            party=self.members.name,
            role=self.members.role.value,
            admitted=self.members.admitted,
            standing=own.standing.value if own else APPLICANT,
            fingerprint=self.link.keys.identity.public.fingerprint,
            http=self.http(),
            links=[pb.Link(to="coordinator", connected=self.link.connected, detail=self.link.detail)],
            pepper_epoch=self.peppers.epoch,
            rolling=self.peppers.rolling,
            certificate_expires_at=to_text(expires),
            version=__version__,
            consortium=self.members.membership.consortium,
            loop_lag_max_s=self.beat.worst_s,
            announcements=self.announcing.now(),
        )

    async def ListParties(self, _request: pb.ListPartiesRequest, _context: Context) -> pb.ListPartiesReply:  # noqa: N802
        """List members, and at a government's node those who wait for admission."""
        members = self.members.membership.parties
        parties = [_party(party) for party in members.values()]
        if self.members.own is not None and self.members.role is Role.GOVERNMENT:
            parties.extend(
                pb.PartyInfo(
                    name=applicant.name,
                    role=applicant.role.value,
                    state=APPLICANT,
                    fingerprint=applicant.keys.identity.fingerprint,
                    pepper_epoch=-1,
                )
                for applicant in await self.governing.applicants()
                if applicant.name not in members or applicant.keys != members[applicant.name].keys
            )
        return pb.ListPartiesReply(parties=parties)

    async def Admit(self, request: pb.AdmitRequest, _context: Context) -> pb.AdmitReply:  # noqa: N802
        """Admit an applicant."""
        vetting = None
        if request.reviewer or request.evidence or request.vetted_until:
            vetting = vetting_of(request.reviewer, request.evidence, request.vetted_until)
        proposal = await self.governing.admit(request.party, request.fingerprint, request.role, vetting)
        if proposal is not None and proposal.approvals:
            return pb.AdmitReply(proposal=proposal_to_wire(proposal))
        return pb.AdmitReply(party=_party(self.members.membership.party(request.party)))

    async def ChangeStanding(  # noqa: N802
        self, request: pb.ChangeStandingRequest, _context: Context
    ) -> pb.ChangeStandingReply:
        """Suspend, reinstate or expel a party."""
        try:
            standing = Standing(request.standing)
        except ValueError:
            raise BadInputError(
                "there is no such standing", hint=f"standings: {', '.join(Standing)}"
            ) from None
        until = _until(request.until) if request.until else ""
        proposal = await self.governing.change_standing(request.party, standing, request.reason, until)
        return pb.ChangeStandingReply(
            party=_party(self.members.membership.party(request.party)),
            proposal=proposal_to_wire(proposal) if proposal and proposal.approvals else None,
        )

    async def SucceedKeys(  # noqa: N802
        self, request: pb.SucceedKeysRequest, _context: Context
    ) -> pb.SucceedKeysReply:
        """Have new keys follow this party's own."""
        succeeded = await self.successions.succeed(request.fingerprint)
        return pb.SucceedKeysReply(party=self.members.name, fingerprint=succeeded)

    async def GetPepperStatus(  # noqa: N802
        self, _request: pb.GetPepperStatusRequest, _context: Context
    ) -> pb.GetPepperStatusReply:
        """Tell the pepper epoch, and how far a roll is."""
        if self.peppers.epoch < 0:
            raise NotFoundError(
                "this node has no pepper yet: its party has not been admitted",
                hint="ask a government to admit this party",
            )
        return pb.GetPepperStatusReply(
            epoch=self.peppers.epoch,
            rolling=self.peppers.rolling,
            rows_to_roll=await self.peppers.behind(),
        )

    async def RotatePepper(  # noqa: N802
        self, _request: pb.RotatePepperRequest, _context: Context
    ) -> pb.RotatePepperReply:
        """Begin a new pepper epoch."""
        granted = await self.members.rotate()
        return pb.RotatePepperReply(epoch=self.peppers.epoch, parties_granted=granted)


def _party(party: Party) -> pb.PartyInfo:
    return pb.PartyInfo(
        name=party.name,
        role=party.role.value,
        state=party.standing.value,
        fingerprint=party.keys.identity.fingerprint,
        key_check=party.key_check.value,
        pepper_epoch=party.pepper_epoch,
        former_fingerprints=[fingerprint(raw) for raw in party.former_identities],
        suspended_until=party.suspended_until,
    )


def _until(text: str) -> str:
    try:
        return to_text(from_text(text))
    except ValueError as error:
        raise BadInputError(
            "the end of a suspension is no time", hint="write it as 2027-01-31T00:00:00Z"
        ) from error
