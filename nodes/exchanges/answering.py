"""The answerer's side: decide on an offer, run, wait to be confirmed.

Order matters: everything that can refuse an offer is checked before anything is computed, and what the asker
is told of a refusal does not depend on what exists here.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import ExitStack
from dataclasses import dataclass

from nodes.exchanges.committing import Pending
from nodes.exchanges.confirming import Confirming
from nodes.exchanges.means import Means
from nodes.exchanges.running import Progress, Running
from nodes.exchanges.terms import Terms
from trisect.clock import to_text
from trisect.errors import (
    BadInputError,
    StaleError,
    TrisectError,
    VerificationError,
)
from trisect.psi import noise, planner
from trisect.psi.bands import band, is_band
from trisect.psi.counting import CountingAnswerer, RepeatingAnswerer
from trisect.psi.halves import Action
from trisect.psi.items import Items, client_items, present_probes, server_items
from trisect.psi.sessions import AnswererSession, Session
from trisect.rules import permit
from trisect.rules import terms as sharing_terms
from trisect.rules.budgets import nearly_spent, over_budget
from trisect.rules.offers import Accept, Details, Offer, Reason, Receipt, Refusal, check_times
from trisect.rules.permit import Answer, Permit
from trisect.rules.vocabulary import Mode, Purpose, modes, on_consent, purpose
from trisect.store.budgets import Account
from trisect.store.collections import Snapshot
from trisect.store.counts import Counting
from trisect.store.exchanges import Exchange, ExchangeState, InRecord, Side
from trisect.trust import documents
from trisect.trust.channel import AnswererHandshake, ChannelKeys, Direction
from trisect.trust.party import Party
from trisect.wire.v1 import relay_pb2

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Accepted:
    """An offer that is permitted.

    Attributes:
        envelope: the signed offer.
        permitted: the signed permit.
        terms: the signed terms that it names.
        repeated: the count that is told again; None where there is something to compute.
    """

    offer: Offer
    envelope: bytes
    offer_hash: bytes
    permit: Permit
    permitted: bytes
    terms: bytes
    snapshot: Snapshot
    repeated: int | None


@dataclass(slots=True)
class Answering:
    """Answers the calls of peers at one node."""

    means: Means
    confirming: Confirming

    async def on_call(self, call: relay_pb2.IncomingCall) -> tuple[bytes, bool]:
        """Answer a call of a peer; gives the reply, and whether it accepts an offer.

        Raises:
            BadInputError: a method that this version does not know.
            TrisectError: the call cannot be answered at all.
        """
        party = self.means.members.membership.party(getattr(call, "from"))
        match call.method:
            case relay_pb2.PEER_METHOD_OFFER:
                return await self._on_offer(call, party)
            case relay_pb2.PEER_METHOD_RECEIPT:
                return await self.confirming.on_receipt(call, party), False
            case relay_pb2.PEER_METHOD_INQUIRE:
                return await self.confirming.on_inquiry(call, party), False
            case _:
                raise BadInputError(
                    "this node's version does not know that call",
                    hint="bring both ends to the same version of Trisect",
                )

    async def _on_offer(self, call: relay_pb2.IncomingCall, party: Party) -> tuple[bytes, bool]:
        offer, signed = Offer.verify(call.body, party.keys.identity)
        self._check_addressed(offer, call, party)
        try:
            with self.means.slots.take(Side.ANSWERER, party.name) as slot:
                await self.means.settle()
                snapshot, terms = await self._check(offer, party)
                await self.means.witness.check_gossip(offer.head)
                self.means.witness.require_fresh()
                repeated = await self._repeated(offer, snapshot)
                answer = self._answer(snapshot, terms, repeats=repeated is not None)
                regime = self.means.regime
                leave = await asyncio.to_thread(permit.propose, offer, signed.payload_hash, answer, regime)
                envelope = await self._permitted(leave, call.body)
                accepted = Accepted(
                    offer, call.body, signed.payload_hash, leave, envelope, terms, snapshot, repeated
                )
                reply = await self._accept(accepted, party, slot)
                return reply.SerializeToString(), True
        except TrisectError as error:
            _log.warning(
                "an offer was refused",
                extra={"exchange_id": offer.exchange.hex(), "peer": party.name, "code": error.code},
            )
            self.means.accusing.suspect(offer, call.body)
            reason = Reason(error.fault.value, error.code, error.message, error.hint, error.rule)
            sealed = reason.seal(party.keys.sealing, offer.exchange)
            refusal = Refusal(offer.exchange, signed.payload_hash, sealed)
            answered = refusal.sign(self.means.link.keys.identity)
            return relay_pb2.OfferReply(answer=answered).SerializeToString(), False

    def _check_addressed(self, offer: Offer, call: relay_pb2.IncomingCall, party: Party) -> None:
        """Check that the offer is this caller's, to this party, about this exchange."""
        *former, own = (key.fingerprint for key in self.means.link.keys.identities)
        if (offer.asker, offer.asker_key) != (party.name, party.keys.identity.fingerprint):
            raise VerificationError("an offer does not come from whom it says")
        if (offer.answerer, offer.answerer_key) in {(self.means.members.name, key) for key in former}:
            raise StaleError(
                "an offer is for a key of this party that another one has succeeded",
                hint="the asker's node learns of the new key within a minute; try again then",
            )
        if (offer.answerer, offer.answerer_key) != (self.means.members.name, own):
            raise VerificationError("an offer is for another party, or for another key of this one")
        if offer.exchange != call.exchange_id or offer.consortium != self.means.members.membership.consortium:
            raise VerificationError("an offer is about another exchange or consortium")

    async def _check(self, offer: Offer, party: Party) -> tuple[Snapshot, bytes]:
        """Check an offer against everything but the rules, cheapest first; gives the list, and the terms of its sharing."""
        self.means.members.require_active()
        party.require_active()
        check_times(offer.created, offer.expires, self.means.clock())
        wanted, mode = purpose(offer.purpose), _mode(offer.mode)
        planner.require(offer.engine, mode)
        if offer.attempt != 1 or not is_band(offer.asked_padded):
            raise BadInputError(
                "an offer declares an attempt or a size that cannot be",
                hint="bring both ends to the same version of Trisect",
            )
        self.means.limits.check_padded(offer.asked_padded, "the set offered")
        self.means.peppers.require_ready()
        if offer.pepper_epoch != self.means.peppers.epoch:
            raise StaleError(
                f"stale pepper epoch: the offer has {offer.pepper_epoch}, here it is {self.means.peppers.epoch}",
                hint="the end that is behind gets its peppers within a minute; try again then",
            )
        details = Details.open(offer.details, self.means.link.keys.sealing, offer.exchange)
        terms = await asyncio.to_thread(self.means.shared, details.collection, party, wanted, mode)
        use = self.means.use(offer, party.name)
        snapshot = await self.means.snapshot(details.collection, use, offer.pepper_epoch)
        least = self.means.limits_of(offer).min_set
        self.means.limits.check_set(snapshot.size, "the collection asked", least)
        return snapshot, terms

    async def _repeated(self, offer: Offer, snapshot: Snapshot) -> int | None:
        """Give what was told of the same count before; raises DeniedError where another was told today."""
        if offer.mode != Mode.COUNT:
            return None
        counting = _counting(offer, snapshot)
        return await asyncio.to_thread(self.means.counts.told, counting, offer.collection)

    def _answer(self, snapshot: Snapshot, terms: bytes, *, repeats: bool) -> Answer:
        """Write the facts on this side."""
        longest = sharing_terms.Terms.peek(terms).retention_days
        return Answer(
            permit=self.means.randomness(16),
            collection=snapshot.collection.public_id,
            version=snapshot.collection.version,
            kinds=snapshot.kinds,
            basis=snapshot.collection.legal_basis,
            padded=band(snapshot.size),
            retention_days=min(snapshot.collection.retention_days, longest),
            terms=documents.payload_hash(terms),
            consents=snapshot.consents,
            repeats=repeats,
        )

    async def _permitted(self, leave: Permit, offer: bytes) -> bytes:
        """Sign a permit, and have the coordinator judge and sign it; gives the envelope.

        Raises:
            DeniedError: nothing is left of the asker's budget, here or at the coordinator, or it judges otherwise.
        """
        await self._check_budget(leave)
        envelope = await self.means.link.issue_permit(offer, leave.sign(self.means.link.keys.identity))
        own = self.means.link.keys.identity.public
        found, _ = Permit.verify(envelope, own, self.means.members.require_coordinator_key(), signers=2)
        if found != leave:
            raise VerificationError("the coordinator has signed another permit than the one proposed")
        self.means.witness.promised.expect(envelope)
        return envelope

    async def _check_budget(self, leave: Permit) -> None:
        account, limit = self._account(leave)
        spent = await asyncio.to_thread(self.means.budgets.spent, account, leave.budget_day)
        if spent + leave.budget > limit:
            raise over_budget(leave, spent, limit)

    def _account(self, leave: Permit) -> tuple[Account, int]:
        purpose = Purpose(leave.purpose)
        limit = self.means.regime.budget(
            leave.asker, leave.answerer, purpose, leave.budget_day, leave.rulebook
        )
        return Account(leave.asker, leave.answerer, leave.purpose), limit

    async def _charge(self, leave: Permit) -> None:
        """Charge the asker's budget, once its first sealed frame is here and before anything is computed."""
        account, limit = self._account(leave)
        charged = await asyncio.to_thread(
            self.means.budgets.charge, account, leave.budget_day, leave.budget, limit
        )
        spent = await asyncio.to_thread(self.means.budgets.spent, account, leave.budget_day)
        if not charged:
            raise over_budget(leave, spent, limit)
        if nearly_spent(spent, limit):
            _log.warning(
                "a budget is nearly spent",
                extra={"peer": leave.asker, "purpose": leave.purpose, "spent": spent, "limit": limit},
            )

    async def _accept(self, accepted: Accepted, party: Party, slot: ExitStack) -> relay_pb2.OfferReply:
        offer, leave, snapshot = accepted.offer, accepted.permit, accepted.snapshot
        handshake = AnswererHandshake.reply(offer.share, self.means.randomness)
        accept = Accept(
            exchange=offer.exchange,
            offer_hash=accepted.offer_hash,
            permit_hash=documents.payload_hash(accepted.permitted),
            answered_padded=leave.answered_padded,
            head=str(self.means.witness.note or ""),
            share=handshake.share,
            created=to_text(self.means.clock()),
        )
        answer = accept.sign(self.means.link.keys.identity)
        _, signed = Accept.verify(answer, self.means.link.keys.identity.public)
        terms = Terms(offer, accepted.offer_hash, accept, signed.payload_hash, leave)
        exchange = Exchange(
            id=offer.exchange.hex(),
            side=Side.ANSWERER,
            peer=party.name,
            collection=snapshot.collection.name,
            peer_collection="",
            public_id=snapshot.collection.public_id,
            version=snapshot.collection.version,
            purpose=offer.purpose,
            mode=offer.mode,
            engine=offer.engine,
            key_check=party.key_check.value,
            state=ExchangeState.RUNNING,
            asked=0,
            asked_padded=offer.asked_padded,
            answered_padded=accept.answered_padded,
            started_at=to_text(self.means.clock()),
            expires_at=offer.expires,
            offer=accepted.envelope,
            answer=answer,
            permit=accepted.permitted,
            terms=accepted.terms,
        )
        await asyncio.to_thread(self.means.book.store.add, exchange)
        keys = handshake.finish(
            exchange_id=offer.exchange, attempt=offer.attempt, transcript=terms.transcript
        )
        self.means.book.run(exchange.id, self._run(exchange.id, terms, keys, accepted), slot.pop_all())
        return relay_pb2.OfferReply(answer=answer, permit=accepted.permitted, terms=accepted.terms)

    async def _run(self, exchange_id: str, terms: Terms, keys: ChannelKeys, accepted: Accepted) -> None:
        started = time.monotonic()
        progress = self.means.book.progress(exchange_id) or Progress()
        progress.elements_total = terms.answered + (terms.answered if terms.counts else terms.asked)
        pending = Pending(self.means.committing, accepted.snapshot, terms.permit, Side.ANSWERER)
        stream = self.means.link.exchange(terms.offer.exchange)
        snapshot = accepted.snapshot

        def items() -> Items:
            secret = keys.export(b"probes")
            if terms.counts:
                return client_items(snapshot.tokens, secret, self.means.randomness)[0]
            return server_items(snapshot.tokens, secret, terms.offer.asked_padded, self.means.randomness)

        use = self.means.use(terms.offer, terms.offer.asker)
        session = _session(terms, accepted.repeated)

        async def unconfirmed() -> None:
            await self.means.require_usable(snapshot, use)
            both = (await pending.shown(), running.committed)
            receipt = terms.receipt(Side.ANSWERER, running.sealer, running.opener, both, self.means.clock)
            root = await pending.receipted()
            await self._unconfirmed(exchange_id, receipt, root, progress, started)

        async def begun() -> None:
            await self._charge(terms.permit)
            pending.begin()

        async def tally(found: int) -> list[Action]:
            assert isinstance(session, CountingAnswerer)  # noqa: S101  (nothing else tallies)
            return session.told(await self._settle(terms.offer, snapshot, found))

        running = Running(
            session=session,
            staff=lambda: self.means.staffed(session.HALF, items),
            stream=stream,
            sealer=keys.sealer(Direction.ANSWERER_TO_ASKER),
            opener=keys.opener(Direction.ASKER_TO_ANSWERER),
            progress=progress,
            after_first=begun,
            before_final=unconfirmed,
            commitment=pending.shown,
            tally=tally,
            idle_s=terms.idle_s(Side.ANSWERER, self.means.idle_s),
            total_s=terms.total_s(self.means.idle_s),
            write_s=self.means.write_s,
        )
        try:
            await running.run()
        finally:
            stream.cancel()
            pending.cancel()

    async def _settle(self, offer: Offer, snapshot: Snapshot, found: int) -> int:
        """Draw the noise of a count and keep what comes of it, before anybody is told; gives what is told."""
        limits = self.means.limits_of(offer)
        count = noise.told(found, limits.count_unit, limits.count_epsilon, self.means.randomness)
        collection = snapshot.collection
        return await asyncio.to_thread(
            self.means.counts.settle,
            _counting(offer, snapshot),
            offer.collection,
            count,
            collection.version if on_consent(collection.legal_basis) else None,
        )

    async def _unconfirmed(
        self, exchange_id: str, receipt: Receipt, root: bytes | None, progress: Progress, started: float
    ) -> None:
        """Record that all is computed, before the asker can see the final frame."""
        await asyncio.to_thread(
            self.means.book.store.update,
            exchange_id,
            state=ExchangeState.UNCONFIRMED,
            own_receipt=receipt.sign(self.means.link.keys.identity),
            snapshot=root,
            recorded=InRecord.PENDING,
            bytes_sent=progress.bytes_sent,
            bytes_received=progress.bytes_received,
            seconds=time.monotonic() - started,
        )


def _mode(text: str) -> Mode:
    found = modes(text)
    if len(found) != 1:
        raise BadInputError("an exchange has one mode", hint="name match or count")
    return found[0]


def _session(terms: Terms, repeated: int | None) -> Session:
    if repeated is not None:
        return RepeatingAnswerer(repeated)
    if terms.counts:
        probes = present_probes(terms.accept.answered_padded)
        return CountingAnswerer(terms.answered, terms.asked, probes)
    return AnswererSession(terms.answered, terms.asked)


def _counting(offer: Offer, snapshot: Snapshot) -> Counting:
    return Counting(offer.asker, snapshot.collection.public_id, offer.purpose, offer.created[:10])
