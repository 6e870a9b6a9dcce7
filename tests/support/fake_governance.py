"""The governance service of the fake node: a real directory in memory, where its party is the government."""

# ruff: noqa: N802, ARG002  (names and arguments are the contract's)
from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from support.membership import GOVERNMENT, Consortium, signed

from nodes.proposals import Proposal
from nodes.services.governance import GovernanceService, proposal_to_wire
from nodes.supervising import Supervising
from trisect.clock import system_clock, to_text
from trisect.errors import BadInputError
from trisect.rules import checking
from trisect.store.budgets import Account, Spent
from trisect.trust import canonical_json, documents
from trisect.trust.filings import FILINGS, Filing
from trisect.wire.v1 import governance_pb2 as pb
from trisect.wire.v1 import governance_pb2_grpc

if TYPE_CHECKING:
    from support.fake_node import FakeNode


class Governance(governance_pb2_grpc.GovernanceServicer):
    def __init__(self, node: FakeNode) -> None:
        self.node = node

    @property
    def consortium(self) -> Consortium:
        return self.node.consortium

    async def GetRegime(self, request, context):
        self.node._note("GetRegime", request)
        members = SimpleNamespace(membership=self.consortium.membership, name=GOVERNMENT)
        return GovernanceService(members, None, None, None, None, system_clock)._regime()  # type: ignore[arg-type]

    async def FileDocument(self, request, context):
        self.node._note("FileDocument", request)
        content = canonical_json.decode(request.content)
        changes = {"issuer": GOVERNMENT, "issued": to_text(system_clock())}
        statement = self.consortium.filing(
            FILINGS[request.kind], request.party or GOVERNMENT, content, **changes
        )
        envelope, approvals = signed(statement, GOVERNMENT), self._approvals(statement)
        if request.only_sign or approvals:
            return pb.FileDocumentReply(proposal=proposal_to_wire(Proposal(envelope, approvals)))
        self._take(envelope)
        return pb.FileDocumentReply(proposal=proposal_to_wire(Proposal(envelope, 0)))

    async def ListBudgets(self, request, context):
        self.node._note("ListBudgets", request)
        members = SimpleNamespace(membership=self.consortium.membership, name=GOVERNMENT)
        spent = Spent(Account("telco", GOVERNMENT, "scam-prevention"), "2026-11-01", 900)
        spending = SimpleNamespace(today=lambda: [(spent, 1_000)])
        return await GovernanceService(members, None, spending, None, None, system_clock).ListBudgets(
            request, context
        )  # type: ignore[arg-type]

    @property
    def _supervising(self) -> Supervising:
        members: Any = SimpleNamespace(membership=self.consortium.membership, name=GOVERNMENT)
        record: Any = None
        exchanges: Any = SimpleNamespace(unsettled=list)
        return Supervising(members, record, lambda: 0, exchanges, system_clock)

    async def ListBreaches(self, request, context):
        self.node._note("ListBreaches", request)
        return self._supervising.breaches(request.party)

    async def ListLeaks(self, request, context):
        self.node._note("ListLeaks", request)
        return self._supervising.leaks(request.party)

    async def CheckNotice(self, request, context):
        self.node._note("CheckNotice", request)
        text = "declares 90 days; oldest entry 143 days"
        return pb.CheckNoticeReply(drift=[pb.NoticeDrift(collection="nums", text=text)])

    async def SimulateRulebook(self, request, context):
        self.node._note("SimulateRulebook", request)
        denial = pb.SimulatedDenial(
            asker="telco", answerer="bank", purpose="rights", mode="match", times=3, rule="no-rule",
            message="no rule allows it", hint="write one", exchange_id="ab" * 16,
        )  # fmt: skip
        return pb.SimulateRulebookReply(permits=7, denials=[denial])

    async def InspectParty(self, request, context):
        self.node._note("InspectParty", request)
        return self._supervising.inspect(request.party, request.days)

    async def GetMeter(self, request, context):
        self.node._note("GetMeter", request)
        return self._supervising.meter(request.days)

    async def PublishProposal(self, request, context):
        self.node._note("PublishProposal", request)
        if documents.peek(request.envelope)[1]["issuer"] != GOVERNMENT:
            raise BadInputError("this is no proposal of this node's party")
        self._take(request.envelope)
        return pb.PublishProposalReply()

    def _approvals(self, statement: Filing) -> int:
        approvals = self.consortium.membership.approvals_for(statement)
        return approvals if self.consortium.membership.officers(GOVERNMENT).named else 0

    def _take(self, envelope: bytes) -> None:
        trial = self.consortium.membership.copy()
        checking.check(trial.apply(envelope), trial)
        self.consortium.membership = trial
