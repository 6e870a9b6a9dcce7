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

from nodes.exchanges.means import Means
from nodes.exchanges.running import Progress, Running
from nodes.exchanges.terms import Terms
from trisect.clock import to_text
from trisect.errors import (
    BadInputError,
    ConflictError,
    NotFoundError,
    StaleError,
    TrisectError,
    VerificationError,
)
from trisect.psi import planner
from trisect.psi.bands import band, is_band
from trisect.psi.items import Items, answered_items
from trisect.psi.sessions import AnswererSession
from trisect.rules import permit
from trisect.rules.budgets import nearly_spent, over_budget
from trisect.rules.offers import Accept, Details, Offer, Reason, Receipt, Refusal, Void, check_times
from trisect.rules.permit import Answer, Permit
from trisect.rules.sharing import Sharing, require_shared
from trisect.rules.vocabulary import Mode, Purpose, modes, purpose
from trisect.store.budgets import Account
from trisect.store.collections import Snapshot
from trisect.store.exchanges import Exchange, ExchangeState, Side
from trisect.trust import documents
from trisect.trust.channel import AnswererHandshake, ChannelKeys, Direction
from trisect.trust.documents import Signed
from trisect.trust.membership import Party
from trisect.wire.v1 import relay_pb2

_log = logging.getLogger(__name__)


class ExchangeVoidError(TrisectError):
    """The asker came to no result."""

    code = "TRI-VOID"


@dataclass(slots=True)
class Answering:
    """Answers offers at one node."""

    means: Means

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
                return await self._on_receipt(call, party), False
            case relay_pb2.PEER_METHOD_INQUIRE:
                return await self._on_inquiry(call, party), False
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
                snapshot = await self._check(offer, party)
                await self.means.witness.check_gossip(offer.head)
                self.means.witness.require_fresh()
                answer = self._answer(snapshot)
                regime = self.means.regime
                leave = await asyncio.to_thread(permit.propose, offer, signed.payload_hash, answer, regime)
                envelope = await self._permitted(leave, call.body)
                reply = await self._accept(offer, signed, call.body, party, snapshot, leave, envelope, slot)
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

    async def _check(self, offer: Offer, party: Party) -> Snapshot:
        """Check an offer against everything but the rules, cheapest first."""
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
        await asyncio.to_thread(self._require_shared, details.collection, party, wanted, mode)
        use = self.means.use(offer, party.name)
        snapshot = await self.means.snapshot(details.collection, use, offer.pepper_epoch)
        least = self.means.limits_of(offer).min_set
        self.means.limits.check_set(snapshot.size, "the collection asked", least)
        return snapshot

    def _require_shared(self, name: str, party: Party, wanted: Purpose, mode: Mode) -> None:
        try:
            rows = self.means.collections.sharings(name)
        except NotFoundError:
            rows = ()
        require_shared(
            (Sharing(row.recipient, row.purpose, row.mode) for row in rows),
            asker=party.name,
            role=party.role,
            answerer=self.means.members.name,
            purpose=wanted,
            mode=mode,
        )

    def _answer(self, snapshot: Snapshot) -> Answer:
        """Write the facts on this side."""
        return Answer(
            permit=self.means.randomness(16),
            collection=snapshot.collection.public_id,
            version=snapshot.collection.version,
            kinds=snapshot.kinds,
            basis=snapshot.collection.legal_basis,
            padded=band(snapshot.size),
            retention_days=snapshot.collection.retention_days,
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

    async def _accept(
        self,
        offer: Offer,
        signed: Signed,
        envelope: bytes,
        party: Party,
        snapshot: Snapshot,
        leave: Permit,
        permitted: bytes,
        slot: ExitStack,
    ) -> relay_pb2.OfferReply:
        handshake = AnswererHandshake.reply(offer.share, self.means.randomness)
        accept = Accept(
            exchange=offer.exchange,
            offer_hash=signed.payload_hash,
            permit_hash=documents.payload_hash(permitted),
            answered_padded=leave.answered_padded,
            head=str(self.means.witness.note or ""),
            share=handshake.share,
            created=to_text(self.means.clock()),
        )
        answer = accept.sign(self.means.link.keys.identity)
        _, accepted = Accept.verify(answer, self.means.link.keys.identity.public)
        terms = Terms(offer, signed.payload_hash, accept, accepted.payload_hash, leave)
        exchange = Exchange(
            id=offer.exchange.hex(),
            side=Side.ANSWERER,
            peer=party.name,
            collection=snapshot.collection.name,
            peer_collection="",
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
            offer=envelope,
            answer=answer,
            permit=permitted,
        )
        await asyncio.to_thread(self.means.book.store.add, exchange)
        keys = handshake.finish(
            exchange_id=offer.exchange, attempt=offer.attempt, transcript=terms.transcript
        )
        self.means.book.run(exchange.id, self._run(exchange.id, terms, keys, snapshot), slot.pop_all())
        return relay_pb2.OfferReply(answer=answer, permit=permitted)

    async def _run(self, exchange_id: str, terms: Terms, keys: ChannelKeys, snapshot: Snapshot) -> None:
        started = time.monotonic()
        progress = self.means.book.progress(exchange_id) or Progress()
        progress.elements_total = terms.asked + terms.answered
        stream = self.means.link.exchange(terms.offer.exchange)

        def items() -> Items:
            secret, asked = keys.export(b"probes"), terms.offer.asked_padded
            return answered_items(snapshot.tokens, secret, asked, self.means.randomness)

        use = self.means.use(terms.offer, terms.offer.asker)

        async def unconfirmed() -> None:
            await self.means.require_usable(snapshot, use)
            await self._unconfirmed(exchange_id, terms, running, progress, started)

        running = Running(
            session=AnswererSession(terms.answered, terms.asked),
            staff=lambda: self.means.staffed(Side.ANSWERER, items),
            stream=stream,
            sealer=keys.sealer(Direction.ANSWERER_TO_ASKER),
            opener=keys.opener(Direction.ASKER_TO_ANSWERER),
            progress=progress,
            after_first=lambda: self._charge(terms.permit),
            before_final=unconfirmed,
            idle_s=terms.idle_s(Side.ANSWERER, self.means.idle_s),
            total_s=terms.total_s(self.means.idle_s),
            write_s=self.means.write_s,
        )
        try:
            await running.run()
        finally:
            stream.cancel()

    async def _unconfirmed(
        self, exchange_id: str, terms: Terms, running: Running, progress: Progress, started: float
    ) -> None:
        """Record that all is computed, before the asker can see the final frame."""
        receipt = terms.receipt(Side.ANSWERER, running.sealer, running.opener, self.means.clock)
        await asyncio.to_thread(
            self.means.book.store.update,
            exchange_id,
            state=ExchangeState.UNCONFIRMED,
            own_receipt=receipt.sign(self.means.link.keys.identity),
            bytes_sent=progress.bytes_sent,
            bytes_received=progress.bytes_received,
            seconds=time.monotonic() - started,
        )

    async def _on_receipt(self, call: relay_pb2.IncomingCall, party: Party) -> bytes:
        """Take the asker's receipt; gives our own, which it needs as often as it asks."""
        exchange = await self._own(call, party, Side.ANSWERER)
        await self._confirm(exchange, call.body, party)
        return exchange.own_receipt or b""

    async def _confirm(self, exchange: Exchange, receipt: bytes, party: Party) -> None:
        theirs, _ = Receipt.verify(receipt, *party.identities_since(Offer.peek(exchange.offer).asker_key))
        if exchange.own_receipt is None:
            raise ConflictError(
                "this exchange has not come to its end here", hint="wait: it is asked for again"
            )
        ours, _ = Receipt.verify(exchange.own_receipt, *self.means.link.keys.identities)
        try:
            ours.check_against(theirs)
        except VerificationError:
            self.means.accusing.contradicted(party.name, receipt, exchange.own_receipt)
            raise
        if exchange.state is ExchangeState.COMPLETE:
            return
        done = await asyncio.to_thread(
            self.means.book.store.update, exchange.id, state=ExchangeState.COMPLETE, peer_receipt=receipt
        )
        self.means.book.count(done)

    async def _on_inquiry(self, call: relay_pb2.IncomingCall, party: Party) -> bytes:
        """Tell an answerer what became of an exchange that we asked for: our receipt, or that it is void.

        The body is the offer, so that the word can be given on one that an older database here does not know.
        """
        own = self.means.link.keys.identity
        offer, signed = Offer.verify(call.body, *self.means.link.keys.identities)
        if (offer.exchange, offer.answerer) != (call.exchange_id, party.name):
            raise VerificationError("a peer inquires about an offer that was not made to it")
        void = Void(offer.exchange, signed.payload_hash)
        try:
            exchange = await self._own(call, party, Side.ASKER)
        except NotFoundError:
            return void.sign(own)
        if not exchange.state.ended:
            raise ConflictError("the exchange still runs here", hint="wait: it is asked for again")
        return exchange.own_receipt or void.sign(own)

    async def inquire(self, exchange: Exchange) -> None:
        """Ask an asker what became of an exchange that it has not confirmed; ends it either way."""
        party = self.means.members.membership.party(exchange.peer)
        word = await self.means.link.call(
            party.name, relay_pb2.PEER_METHOD_INQUIRE, bytes.fromhex(exchange.id), exchange.offer
        )
        kind, _ = documents.peek(word)
        if kind != Void.KIND:
            await self._confirm(exchange, word, party)
            return
        keys = party.identities_since(Offer.peek(exchange.offer).asker_key)
        void, _ = Void.verify(word, *keys)
        offer_hash = Offer.verify(exchange.offer, *keys)[1].payload_hash
        if (void.exchange.hex(), void.offer_hash) != (exchange.id, offer_hash):
            raise VerificationError("the asker's word is about another exchange")
        error = ExchangeVoidError(
            "the asker has signed that the exchange failed at its end", hint="start the match again"
        )
        await self.means.book.end(exchange.id, ExchangeState.FAILED, error, unconfirmed=True)

    async def _own(self, call: relay_pb2.IncomingCall, party: Party, side: Side) -> Exchange:
        exchange = await asyncio.to_thread(self.means.book.store.get, call.exchange_id.hex())
        if exchange.peer != party.name or exchange.side is not side:
            raise NotFoundError(
                "there is no such exchange between us", hint="look at both ends with `trisect exchange list`"
            )
        return exchange


def _mode(text: str) -> Mode:
    found = modes(text)
    if len(found) != 1:
        raise BadInputError("an exchange has one mode", hint="name match or count")
    return found[0]
