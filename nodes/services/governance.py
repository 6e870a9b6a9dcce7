"""What is in force, and what this node's party files."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from nodes.drifting import Drifting
from nodes.members import Members
from nodes.proposals import Proposal, Proposals
from nodes.spending import Spending
from nodes.supervising import Supervising
from trisect.clock import Clock, to_text
from trisect.errors import BadInputError, StaleError, VerificationError
from trisect.rpc.authentication import Context
from trisect.rules import reviews
from trisect.rules.allowances import Allowance
from trisect.rules.regime import Regime
from trisect.rules.rulebook import Rulebook
from trisect.trust import canonical_json
from trisect.trust.filings import BudgetGrantFiling, BudgetRequestFiling, RulebookFiling
from trisect.trust.statements import Role, Vetting
from trisect.wire.v1 import governance_pb2 as pb
from trisect.wire.v1 import governance_pb2_grpc


@dataclass(frozen=True, slots=True)
class GovernanceService(governance_pb2_grpc.GovernanceServicer):
    """Shows what was filed, and files."""

    members: Members
    proposals: Proposals
    spending: Spending
    supervising: Supervising
    drifting: Drifting
    clock: Clock

    async def GetRegime(self, _request: pb.GetRegimeRequest, _context: Context) -> pb.GetRegimeReply:  # noqa: N802
        """Show rulebooks, officers, notices and vettings."""
        return await asyncio.to_thread(self._regime)

    async def FileDocument(  # noqa: N802
        self, request: pb.FileDocumentRequest, _context: Context
    ) -> pb.FileDocumentReply:
        """Sign a filing, and publish it unless officers have to sign it first."""
        try:
            content = canonical_json.decode(request.content)
        except VerificationError as error:
            raise BadInputError(
                f"the content of a filing is not sound: {error.message}",
                hint="bring both ends to the same version of Trisect",
            ) from error
        proposal = await self.proposals.file(
            request.kind, request.party, content, only_sign=request.only_sign
        )
        return pb.FileDocumentReply(proposal=proposal_to_wire(proposal))

    async def ListBudgets(  # noqa: N802
        self, _request: pb.ListBudgetsRequest, _context: Context
    ) -> pb.ListBudgetsReply:
        """List what was spent today, and what was asked for and granted."""
        reply = pb.ListBudgetsReply()
        for one, limit in await asyncio.to_thread(self.spending.today):
            reply.spent.add(
                asker=one.account.asker,
                answerer=one.account.answerer,
                purpose=one.account.purpose,
                day=one.day,
                elements=one.elements,
                limit=limit,
            )
        membership = self.members.membership
        for kind in (BudgetRequestFiling, BudgetGrantFiling):
            for filed in membership.filed(kind):
                found = filed.filing
                reply.allowances.add(
                    granted=kind is BudgetGrantFiling,
                    asker=found.party,
                    issuer=found.issuer,
                    issued=found.issued,
                    **Allowance.from_content(found.content).to_content(),
                )
        return reply

    async def ListBreaches(  # noqa: N802
        self, request: pb.ListBreachesRequest, _context: Context
    ) -> pb.ListBreachesReply:
        """List files of breaches."""
        return await asyncio.to_thread(self.supervising.breaches, request.party)

    async def ListLeaks(self, request: pb.ListLeaksRequest, _context: Context) -> pb.ListLeaksReply:  # noqa: N802
        """List leaks, what was done about them and what is still owed."""
        return await asyncio.to_thread(self.supervising.leaks, request.party)

    async def GetMeter(self, request: pb.GetMeterRequest, _context: Context) -> pb.GetMeterReply:  # noqa: N802
        """Count what each party does."""
        return await asyncio.to_thread(self.supervising.meter, request.days)

    async def SimulateRulebook(  # noqa: N802
        self, request: pb.SimulateRulebookRequest, _context: Context
    ) -> pb.SimulateRulebookReply:
        """Judge the exchanges in the record by another rulebook."""
        rulebook = Rulebook.parse(request.toml, request.policies)
        return await asyncio.to_thread(self.supervising.simulate, rulebook, request.seconds)

    async def InspectParty(  # noqa: N802
        self, request: pb.InspectPartyRequest, _context: Context
    ) -> pb.InspectPartyReply:
        """Show what the record says of one party."""
        return await asyncio.to_thread(self.supervising.inspect, request.party, request.days)

    async def CheckNotice(  # noqa: N802
        self, _request: pb.CheckNoticeRequest, _context: Context
    ) -> pb.CheckNoticeReply:
        """Compare words with deeds."""
        found = await asyncio.to_thread(self.drifting.find)
        return pb.CheckNoticeReply(
            drift=[pb.NoticeDrift(collection=one.collection, text=one.text) for one in found]
        )

    async def PublishProposal(  # noqa: N802
        self, request: pb.PublishProposalRequest, _context: Context
    ) -> pb.PublishProposalReply:
        """Publish what officers have approved."""
        await self.proposals.publish(request.envelope)
        return pb.PublishProposalReply()

    def _regime(self) -> pb.GetRegimeReply:
        membership, now = self.members.membership, self.clock()
        regime = Regime(membership)
        try:
            in_force = regime.rulebooks.at(now).hash
        except StaleError:
            in_force = b""
        reply = pb.GetRegimeReply(approvals=membership.approvals, party=self.members.name)
        for rulebook, filed in zip(regime.rulebooks, membership.filed(RulebookFiling), strict=True):
            reply.rulebooks.add(
                version=rulebook.provisions.version,
                hash=rulebook.hash,
                title=rulebook.provisions.title,
                valid_from=to_text(rulebook.provisions.valid_from),
                valid_until=to_text(rulebook.provisions.valid_until),
                in_force=rulebook.hash == in_force,
                toml=rulebook.toml,
                policies=rulebook.policies.text,
                issuer=filed.filing.issuer,
                issued=filed.filing.issued,
            )
        for party in membership.parties.values():
            if party.role is Role.GOVERNMENT:
                for name, key in membership.officers(party.name).keys.items():
                    reply.officers.add(government=party.name, name=name, fingerprint=key.fingerprint)
            if found := regime.notice(party.name):
                notice, document = found
                reply.notices.add(
                    party=party.name,
                    version=document.filing.serial,
                    hash=document.hash,
                    valid_from=to_text(notice.declaration.valid_from),
                    valid_until=to_text(notice.declaration.valid_until),
                    in_force=notice.in_force(now),
                    toml=notice.toml,
                )
            for review in reviews.of_recipient(membership, party.name).values():
                reply.reviews.add(recipient=party.name, in_force=review.in_force(now), **review.to_body())
            if party.vetting:
                reply.vettings.add(
                    party=party.name, in_force=party.vetting.in_force(now), **party.vetting.to_body()
                )
        return reply


def proposal_to_wire(proposal: Proposal) -> pb.Proposal:
    """Write a proposal."""
    return pb.Proposal(envelope=proposal.envelope, approvals=proposal.approvals)


def vetting_of(reviewer: str, evidence: str, until: str) -> Vetting:
    """Read a vetting as an administrator gives it; raises BadInputError."""
    try:
        return Vetting.from_body({"reviewer": reviewer, "evidence": evidence, "expires": until})
    except VerificationError as error:
        raise BadInputError(
            error.message, hint="give --reviewer, --evidence and --vetted-until (2027-01-31T00:00:00Z)"
        ) from error
