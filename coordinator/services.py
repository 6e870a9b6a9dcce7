"""The coordinator's gRPC services: translate, call, translate back."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Callable

from coordinator.permits import Permits
from coordinator.receipts import Receipts
from coordinator.record import PublicRecord
from coordinator.registry import Registry, stored_keys
from coordinator.switchboard import Switchboard
from trisect import __version__
from trisect.clock import Clock, to_text
from trisect.errors import BadInputError, DeniedError
from trisect.rpc.authentication import Context, certified, expires_at
from trisect.rpc.authorisation import Access
from trisect.rpc.gate import Authorise, Gate, caller
from trisect.rules import consent_frames, stale_frames
from trisect.trust.certificates import Caller, Principal
from trisect.trust.channel import EXCHANGE_ID_BYTES
from trisect.trust.equal_seals import EqualSeal
from trisect.trust.statements import Role, Standing
from trisect.wire.convert import keys_from_wire, keys_to_wire
from trisect.wire.v1 import (
    coordinator_admin_pb2,
    coordinator_admin_pb2_grpc,
    directory_pb2,
    directory_pb2_grpc,
    enrolment_pb2,
    enrolment_pb2_grpc,
    relay_pb2,
    relay_pb2_grpc,
)

_NO_CALLS = {relay_pb2.PEER_METHOD_CONSENTS, relay_pb2.PEER_METHOD_STALE_HITS}
EXCHANGE_KEY = "trisect-exchange"
TIME_KEY = "trisect-time"
TIMER_EARLY_S = 0.1
"""More than a timer may be early: a link that ends before its certificate could not say why."""


_PARTIES = frozenset((Access.ENROLLED, Access.MEMBER, Access.GOVERNMENT))


def authoriser(registry: Registry, consortium: str, clock: Clock) -> Authorise:
    """Make the check of the coordinator's TLS port: who has a certificate, is enrolled, is a member."""

    async def authorise(access: Access, context: Context) -> Principal | None:
        found = certified(context, clock)
        if found.consortium != consortium:
            raise DeniedError(
                "the certificate belongs to another consortium",
                hint="join this consortium with an invitation of its coordinator",
            )
        if access is Access.INVITED:
            if found.caller is not Caller.INVITATION:
                raise DeniedError(
                    "this method needs an invitation's certificate",
                    hint="use the invitation that the coordinator's administrator made",
                )
            return found
        if access is Access.ANYONE:
            return found
        if found.caller is not Caller.PARTY or access not in _PARTIES:
            raise DeniedError(
                "this method is not open to the caller", hint="call it with a party's certificate"
            )
        if access is Access.ENROLLED:
            await asyncio.to_thread(registry.require_enrolled, found.name)
            return found
        member = registry.require_member(found.name)
        if access is Access.GOVERNMENT and member.role is not Role.GOVERNMENT:
            raise DeniedError(
                "this method is open to government parties only", hint="ask a government party to do it"
            )
        return found

    return authorise


class EnrolmentService(enrolment_pb2_grpc.EnrolmentServicer):
    """Certificates."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    async def Redeem(  # noqa: N802
        self, request: enrolment_pb2.RedeemRequest, _context: Context
    ) -> enrolment_pb2.RedeemReply:
        """Trade an invitation for a certificate."""
        keys = keys_from_wire(request.keys)
        leaf, state = await asyncio.to_thread(
            self._registry.redeem, caller().name, request.signing_request, keys, request.proof
        )
        return enrolment_pb2.RedeemReply(certificate=leaf, state=state)

    async def Renew(  # noqa: N802
        self, request: enrolment_pb2.RenewRequest, _context: Context
    ) -> enrolment_pb2.RenewReply:
        """Issue the caller's next certificate."""
        leaf = await asyncio.to_thread(
            self._registry.renew, caller().name, request.signing_request, request.proof
        )
        return enrolment_pb2.RenewReply(certificate=leaf)


class DirectoryService(directory_pb2_grpc.DirectoryServicer):
    """Signed statements."""

    def __init__(self, registry: Registry, switchboard: Switchboard, gate: Gate, clock: Clock) -> None:
        self._registry = registry
        self._switchboard = switchboard
        self._gate = gate
        self._clock = clock

    async def ListStatements(  # noqa: N802
        self, request: directory_pb2.ListStatementsRequest, context: Context
    ) -> directory_pb2.ListStatementsReply:
        """List a page of statements; the time here goes with it, for a node that looks why it is refused."""
        await context.send_initial_metadata(((TIME_KEY, to_text(self._clock())),))
        page = await asyncio.to_thread(self._registry.statements_after, request.after)
        last = page[-1][0] if page else request.after
        return directory_pb2.ListStatementsReply(
            statements=[
                directory_pb2.Statement(sequence=sequence, envelope=envelope) for sequence, envelope in page
            ],
            more=last < self._registry.newest,
        )

    async def Publish(  # noqa: N802
        self, request: directory_pb2.PublishRequest, _context: Context
    ) -> directory_pb2.PublishReply:
        """Publish a statement; one that suspends a party cuts its running calls at once."""
        sequence = await asyncio.to_thread(self._registry.publish, caller().name, request.envelope)
        for party in self._registry.membership.parties.values():
            if party.standing is not Standing.ACTIVE:
                self._gate.cut(party.name)
                self._switchboard.drop(party.name)
        changed = relay_pb2.StatementsChanged(newest_statement=sequence)
        self._switchboard.notify(relay_pb2.LinkDown(statements_changed=changed))
        return directory_pb2.PublishReply(sequence=sequence)

    async def ListApplicants(  # noqa: N802
        self, _request: directory_pb2.ListApplicantsRequest, _context: Context
    ) -> directory_pb2.ListApplicantsReply:
        """List who waits for admission."""
        found = await asyncio.to_thread(self._registry.applicants)
        return directory_pb2.ListApplicantsReply(
            applicants=[
                directory_pb2.Applicant(
                    name=party.party,
                    role=party.role,
                    joined_at=party.joined_at,
                    keys=keys_to_wire(stored_keys(party)),
                )
                for party in found
            ]
        )


class RelayService(relay_pb2_grpc.RelayServicer):
    """Links, calls and frames."""

    def __init__(
        self,
        registry: Registry,
        switchboard: Switchboard,
        permits: Permits,
        receipts: Receipts,
        record: PublicRecord,
        clock: Clock,
    ) -> None:
        self._record = record
        self._receipts = receipts
        self._registry = registry
        self._switchboard = switchboard
        self._permits = permits
        self._clock = clock

    async def Attach(  # noqa: N802
        self, request_iterator: AsyncIterator[relay_pb2.LinkUp], context: Context
    ) -> AsyncIterator[relay_pb2.LinkDown]:
        """Serve one node's link until either end closes it, or the certificate that it came with expires."""
        link = self._switchboard.attach(caller().name)
        left_s = (expires_at(context) - self._clock()).total_seconds()
        expiry = asyncio.get_running_loop().call_later(left_s + TIMER_EARLY_S, link.close)

        async def read() -> None:
            async for message in request_iterator:
                if message.HasField("answer"):
                    self._switchboard.answer(link, message.answer)
                else:
                    await asyncio.to_thread(self._record.heard, link.party, message.hello.head)
            link.close()

        reading = asyncio.create_task(read(), name=f"link of {link.party}")
        try:
            yield relay_pb2.LinkDown(welcome=relay_pb2.Welcome(newest_statement=self._registry.newest))
            while (message := await link.down.get()) is not None:
                yield message
            certified(context, self._clock)
        finally:
            expiry.cancel()
            reading.cancel()
            self._switchboard.detach(link)

    async def Call(self, request: relay_pb2.CallRequest, _context: Context) -> relay_pb2.CallReply:  # noqa: N802
        """Pass a call to another party's node."""
        if len(request.exchange_id) != EXCHANGE_ID_BYTES:
            raise BadInputError(
                "a call needs an exchange id of 16 bytes",
                hint="bring both ends to the same version of Trisect",
            )
        if request.to == caller().name or request.method in _NO_CALLS:
            raise BadInputError(
                "a party does not call itself, nor brings consents or notices by the way of calls",
                hint="name another party; consents go by Deliver, and notices by Notify",
            )
        self._registry.require_member(request.to)
        return relay_pb2.CallReply(body=await self._switchboard.call(caller().name, request))

    async def Deliver(  # noqa: N802
        self, request: relay_pb2.DeliverRequest, _context: Context
    ) -> relay_pb2.DeliverReply:
        """Bring a proxy's frame of consents to another party's node, suspended or not, and its answer back."""
        self._registry.require_admitted(caller().name, role=Role.PROXY)
        method = relay_pb2.PEER_METHOD_CONSENTS
        return relay_pb2.DeliverReply(frame=await self._bring(method, request, consent_frames.SEAL))

    async def Notify(self, request: relay_pb2.NotifyRequest, _context: Context) -> relay_pb2.NotifyReply:  # noqa: N802
        """Bring an answerer's frame of stale hits to another party's node, suspended or not, and its answer back."""
        self._registry.require_admitted(caller().name)
        method = relay_pb2.PEER_METHOD_STALE_HITS
        return relay_pb2.NotifyReply(frame=await self._bring(method, request, stale_frames.SEAL))

    async def _bring(
        self,
        method: relay_pb2.PeerMethod.ValueType,
        request: relay_pb2.DeliverRequest | relay_pb2.NotifyRequest,
        seal: EqualSeal,
    ) -> bytes:
        self._registry.require_admitted(request.to)
        if len(request.frame) != seal.sealed_bytes or request.to == caller().name:
            raise BadInputError(
                f"such a frame has {seal.sealed_bytes} bytes and is for another party",
                hint="bring both ends to the same version of Trisect",
            )
        call = relay_pb2.CallRequest(to=request.to, method=method, body=request.frame)
        return await self._switchboard.call(caller().name, call)

    async def IssuePermit(  # noqa: N802
        self, request: relay_pb2.IssuePermitRequest, _context: Context
    ) -> relay_pb2.IssuePermitReply:
        """Judge and sign the permit that the caller proposes for an offer that waits for its answer."""
        permit = await asyncio.to_thread(self._permits.check, caller().name, request.offer, request.permit)
        self._switchboard.judged(permit.exchange.hex(), permit.asker, permit.answerer)
        signed = await asyncio.to_thread(self._permits.sign, permit, request.permit)
        self._switchboard.permit(permit.exchange.hex(), permit.asked_padded + permit.answered_padded)
        return relay_pb2.IssuePermitReply(permit=signed)

    async def EnterReceipt(  # noqa: N802
        self, request: relay_pb2.EnterReceiptRequest, _context: Context
    ) -> relay_pb2.EnterReceiptReply:
        """Commit in the public record to the caller's receipt of an exchange; a suspended party does it too."""
        self._registry.require_admitted(caller().name)
        await asyncio.to_thread(self._receipts.enter, caller().name, request.receipt)
        return relay_pb2.EnterReceiptReply()

    async def Exchange(  # noqa: N802
        self, request_iterator: AsyncIterator[relay_pb2.Frame], context: Context
    ) -> AsyncIterator[relay_pb2.Frame]:
        """Join one end of an accepted exchange."""
        exchange_id = _metadata(context, EXCHANGE_KEY)
        async for frame in self._switchboard.exchange(caller().name, exchange_id, request_iterator):
            yield frame


class AdminService(coordinator_admin_pb2_grpc.CoordinatorAdminServicer):
    """What the coordinator's administrator asks."""

    def __init__(
        self, registry: Registry, switchboard: Switchboard, describe: Callable[[], dict[str, str]]
    ) -> None:
        self._registry = registry
        self._switchboard = switchboard
        self._describe = describe

    async def Invite(  # noqa: N802
        self, request: coordinator_admin_pb2.InviteRequest, _context: Context
    ) -> coordinator_admin_pb2.InviteReply:
        """Make an invitation."""
        invitation = await asyncio.to_thread(
            self._registry.invite,
            request.party,
            request.role,
            dt.timedelta(seconds=request.ttl_s),
            address=self._describe()["address"],
        )
        return coordinator_admin_pb2.InviteReply(
            invitation=invitation.to_text(), expires_at=invitation.expires_at
        )

    async def GetCoordinatorStatus(  # noqa: N802
        self, _request: coordinator_admin_pb2.GetCoordinatorStatusRequest, _context: Context
    ) -> coordinator_admin_pb2.GetCoordinatorStatusReply:
        """Tell how the coordinator is."""
        parties = await asyncio.to_thread(self._registry.enrolled)
        return coordinator_admin_pb2.GetCoordinatorStatusReply(
            **self._describe(),
            founder_fingerprint=self._registry.membership.founder or "",
            parties=[
                coordinator_admin_pb2.EnrolledParty(
                    name=party.party,
                    role=party.role,
                    state=state,
                    connected=self._switchboard.attached(party.party),
                )
                for party, state in parties
            ],
            running_exchanges=self._switchboard.running,
            version=__version__,
            contested_invitations=await asyncio.to_thread(self._registry.contested),
        )


def _metadata(context: Context, key: str) -> str:
    found = [value for name, value in context.invocation_metadata() or () if name == key]
    if len(found) != 1 or not isinstance(found[0], str):
        raise BadInputError(
            f"the call needs one metadata entry {key}", hint="bring both ends to the same version of Trisect"
        )
    return found[0]
