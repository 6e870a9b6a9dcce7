"""The asker's side: offer, run, release.

Hits are written only after the answerer's authenticated final frame, together with the end of the exchange.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from nodes.exchanges.committing import Pending
from nodes.exchanges.means import Means
from nodes.exchanges.running import Progress, Running
from nodes.exchanges.terms import Terms
from trisect.clock import from_text, to_text
from trisect.errors import BadInputError, DeniedError, Fault, TrisectError, VerificationError
from trisect.indicators.tokens import Token
from trisect.psi import noise, planner
from trisect.psi.bands import band, is_band
from trisect.psi.counting import CountingAsker, RepeatingAsker
from trisect.psi.halves import Action
from trisect.psi.items import Arrangement, Items, client_items, server_items
from trisect.psi.sessions import AskerSession, Session
from trisect.rpc.status import restore
from trisect.rules import permit
from trisect.rules import terms as sharing_terms
from trisect.rules.offers import OFFER_LIFE, Accept, Details, Offer, Reason, Receipt, Refusal
from trisect.rules.permit import Permit
from trisect.rules.vocabulary import Mode, Purpose
from trisect.store.collections import Snapshot
from trisect.store.exchanges import Exchange, ExchangeState, InRecord, Side
from trisect.trust import documents
from trisect.trust.channel import AskerHandshake, ChannelKeys, Direction
from trisect.trust.party import Party
from trisect.wire.v1 import errors_pb2, relay_pb2

_log = logging.getLogger(__name__)
TOKEN_BYTES = 32
_REFUSALS = {
    fault.value for fault in (Fault.DENIED, Fault.STALE, Fault.EXHAUSTED, Fault.CONFLICT, Fault.BAD_INPUT)
}
"""The faults that a refusal may have; a peer that names another one means to choose our exit code."""


@dataclass(frozen=True, slots=True)
class Question:
    """What an administrator asks for."""

    collection: str
    peer: str
    peer_collection: str
    purpose: Purpose
    mode: Mode
    engine: str


@dataclass(slots=True)
class Asking:
    """Starts exchanges of one node."""

    means: Means

    async def start(self, question: Question) -> str:
        """Offer an exchange and, once it is accepted, run it in the background.

        Returns:
            The exchange's id, in hex.

        Raises:
            BadInputError: the peer is this party.
            DeniedError: not admitted, suspended, too small a set, or the peer does not share.
            ExhaustedError: too many exchanges run here, or at the peer.
            UnreachableError: the peer's node is offline; names it.
            StaleError: the peer has another pepper epoch, or no fresh head of the record counts.
        """
        with self.means.slots.take(Side.ASKER, question.peer) as slot:
            return await self._start(question, slot)

    async def _start(self, question: Question, slot: ExitStack) -> str:
        await self.means.settle()
        party, snapshot, engine = await self.check(question)
        handshake = AskerHandshake(self.means.randomness)
        offer = self.offer(question, party, snapshot, engine, share=handshake.share)
        await self.preview(offer)
        envelope = offer.sign(self.means.link.keys.identity)
        exchange = self._record(offer, envelope, question, snapshot, party)
        await asyncio.to_thread(self.means.book.store.add, exchange)
        try:
            body = await self.means.link.call(
                party.name, relay_pb2.PEER_METHOD_OFFER, offer.exchange, envelope
            )
            reply = relay_pb2.OfferReply.FromString(body)
            terms = await asyncio.to_thread(self._read_reply, reply, offer, envelope, party)
            self.means.witness.promised.expect(reply.permit)
            await self.means.witness.check_gossip(terms.accept.head)
            self.means.witness.require_fresh()
            await asyncio.to_thread(
                self.means.book.store.update,
                exchange.id,
                state=ExchangeState.RUNNING,
                answer=reply.answer,
                permit=reply.permit,
                terms=reply.terms,
                answered_padded=terms.accept.answered_padded,
            )
        except TrisectError as error:
            refused = isinstance(error, DeniedError)
            await self.means.book.end(
                exchange.id, ExchangeState.REFUSED if refused else ExchangeState.FAILED, error
            )
            raise
        keys = handshake.finish(
            terms.accept.share, exchange_id=offer.exchange, attempt=offer.attempt, transcript=terms.transcript
        )
        self.means.book.run(exchange.id, self._run(exchange.id, terms, keys, snapshot, party), slot.pop_all())
        return exchange.id

    async def check(self, question: Question) -> tuple[Party, Snapshot, str]:
        """Check all that can be checked without asking the peer."""
        self.means.members.require_active()
        self.means.peppers.require_ready()
        party = self.means.members.membership.party(question.peer)
        if party.name == self.means.members.name:
            raise BadInputError(
                "a party does not match with itself",
                hint="name another party with --peer; `trisect party list` shows all",
            )
        party.require_active()
        engine = planner.choose(question.engine, question.mode).name
        limits = self.means.regime.rulebooks.at(self.means.clock()).provisions.limits
        if self.means.link.connected:  # else the call to the peer says why not
            self.means.witness.require_fresh()
        use = self.means.use_of(party.name, question.purpose, self.means.clock(), limits)
        snapshot = await self.means.snapshot(question.collection, use, self.means.peppers.epoch)
        self.means.limits.check_set(snapshot.size, f"collection {question.collection}", limits.min_set)
        return party, snapshot, engine

    async def preview(self, offer: Offer) -> None:
        """Judge an offer before it is made; raises DeniedError where nobody could permit it."""
        await asyncio.to_thread(permit.preview, offer, self.means.regime)

    def offer(
        self, question: Question, party: Party, snapshot: Snapshot, engine: str, *, share: bytes = b""
    ) -> Offer:
        """Write an offer; without a share nobody can accept it."""
        now = self.means.clock()
        regime, exchange_id = self.means.regime, self.means.randomness(16)
        return Offer(
            consortium=self.means.members.membership.consortium,
            exchange=exchange_id,
            attempt=1,
            asker=self.means.members.name,
            asker_key=self.means.link.keys.identity.public.fingerprint,
            answerer=party.name,
            answerer_key=party.keys.identity.fingerprint,
            purpose=question.purpose.value,
            mode=question.mode.value,
            engine=engine,
            pepper_epoch=snapshot.epoch,
            collection=snapshot.collection.public_id,
            version=snapshot.collection.version,
            kinds=permit.joined(snapshot.kinds),
            basis=snapshot.collection.legal_basis,
            consents=snapshot.consents,
            asked_padded=band(snapshot.size),
            rulebook=regime.rulebooks.at(now).hash,
            notice=regime.notice_hash(self.means.members.name),
            head=str(self.means.witness.note or ""),
            share=share,
            details=Details(question.peer_collection).seal(party.keys.sealing, exchange_id),
            created=to_text(now),
            expires=to_text(now + OFFER_LIFE),
        )

    def _record(
        self, offer: Offer, envelope: bytes, question: Question, snapshot: Snapshot, party: Party
    ) -> Exchange:
        return Exchange(
            id=offer.exchange.hex(),
            side=Side.ASKER,
            peer=party.name,
            collection=question.collection,
            peer_collection=question.peer_collection,
            public_id=offer.collection,
            version=offer.version,
            purpose=offer.purpose,
            mode=offer.mode,
            engine=offer.engine,
            key_check=party.key_check.value,
            state=ExchangeState.OFFERED,
            asked=snapshot.size,
            asked_padded=offer.asked_padded,
            answered_padded=0,
            started_at=offer.created,
            expires_at=offer.expires,
            offer=envelope,
        )

    def _read_reply(self, reply: relay_pb2.OfferReply, offer: Offer, envelope: bytes, party: Party) -> Terms:
        """Verify the peer's answer and judge the permit; raises its refusal."""
        answer = reply.answer
        offer_hash = documents.verify(envelope, Offer.KIND, self.means.link.keys.identities).payload_hash
        kind, _ = documents.peek(answer)
        key = party.keys.identity
        if kind == Refusal.KIND:
            refusal, _ = Refusal.verify(answer, key)
            if refusal.offer_hash != offer_hash:
                raise VerificationError("the peer's refusal is about another offer")
            reason = Reason.open(refusal.reason, self.means.link.keys.sealing, offer.exchange)
            raise restore(
                errors_pb2.ErrorDetail(
                    fault=reason.fault if reason.fault in _REFUSALS else Fault.DENIED.value,
                    code=reason.code,
                    message=f"{party.name} refuses: {reason.message}",
                    hint=reason.hint,
                    rule=reason.rule,
                )
            )
        accept, signed = Accept.verify(answer, key)
        if accept.offer_hash != offer_hash or accept.exchange != offer.exchange:
            raise VerificationError("the peer's accept is about another offer")
        if not is_band(accept.answered_padded):
            raise VerificationError("the peer declared a size that padding cannot yield")
        self.means.limits.check_padded(accept.answered_padded, f"the collection of {party.name}")
        leave, permitted = Permit.verify(
            reply.permit, key, self.means.members.require_coordinator_key(), signers=2
        )
        permit.judge(leave, offer, offer_hash, self.means.regime)
        permit.require_in_force(leave, self.means.clock())
        sharing_terms.check(reply.terms, leave, self.means.members.role, *party.identities)
        if (accept.permit_hash, accept.answered_padded) != (permitted.payload_hash, leave.answered_padded):
            raise VerificationError("the peer's accept is under another permit")
        return Terms(offer, offer_hash, accept, signed.payload_hash, leave)

    async def _run(
        self, exchange_id: str, terms: Terms, keys: ChannelKeys, snapshot: Snapshot, party: Party
    ) -> None:
        started = time.monotonic()
        progress = self.means.book.progress(exchange_id) or Progress()
        progress.elements_total = terms.asked + (terms.answered if terms.counts else terms.asked)
        pending = Pending(self.means.committing, snapshot, terms.permit, Side.ASKER)
        pending.begin()
        stream = self.means.link.exchange(terms.offer.exchange)
        use = self.means.use(terms.offer, party.name)
        session = _session(terms)
        try:
            items, arrangement = await asyncio.to_thread(
                self._arrange, terms, snapshot.tokens, keys.export(b"probes")
            )
            unloaded = [items]  # the worker's copy is the only one while the exchange runs
            del items
            running = Running(
                session=session,
                staff=lambda: self.means.staffed(session.HALF, unloaded.pop),
                stream=stream,
                sealer=keys.sealer(Direction.ASKER_TO_ANSWERER),
                opener=keys.opener(Direction.ANSWERER_TO_ASKER),
                progress=progress,
                after_first=_nothing,
                before_final=lambda: self.means.require_usable(snapshot, use),
                commitment=pending.shown,
                tally=_no_tally,
                idle_s=terms.idle_s(Side.ASKER, self.means.idle_s),
                total_s=terms.total_s(self.means.idle_s),
                write_s=self.means.write_s,
            )
            found = await running.run()
            both = (await pending.shown(), running.committed)
            receipt = terms.receipt(Side.ASKER, running.sealer, running.opener, both, self.means.clock)
            ended = {
                "snapshot": await pending.receipted(),
                "recorded": InRecord.PENDING,
                "own_receipt": receipt.sign(self.means.link.keys.identity),
                "bytes_sent": progress.bytes_sent,
                "bytes_received": progress.bytes_received,
                "seconds": time.monotonic() - started,
            }
            if found.count is None:
                await self._release(exchange_id, terms, snapshot, arrangement, found.matched, ended)
            else:
                await self._tell(exchange_id, terms, found.count, ended)
        finally:
            stream.cancel()
            pending.cancel()
        try:
            await self.confirm(exchange_id, party)
        except TrisectError as error:
            _log.warning(
                "the peer's receipt is missing; it is asked for until it comes",
                extra={"exchange_id": exchange_id, "peer": party.name, "reason": error.message},
            )

    def _arrange(self, terms: Terms, tokens: bytes, secret: bytes) -> tuple[Items, Arrangement | None]:
        """Arrange this end's items; which is which is known in a match only, where the result says which match."""
        if terms.counts:
            padded = terms.accept.answered_padded
            return server_items(tokens, secret, padded, self.means.randomness), None
        return client_items(tokens, secret, self.means.randomness)

    async def _tell(self, exchange_id: str, terms: Terms, count: int, ended: dict[str, Any]) -> None:
        """Write a count, receipt and end in one transaction; raises VerificationError where no rounding yields it."""
        limits = self.means.limits_of(terms.offer)
        most = min(terms.offer.asked_padded, terms.accept.answered_padded)
        if not noise.may_be_told(count, most, limits.count_unit, limits.count_epsilon):
            raise VerificationError(
                "the answerer told a number that no count with that noise and unit yields"
            )
        done = await asyncio.to_thread(
            self.means.book.store.update,
            exchange_id,
            state=ExchangeState.COMPLETE,
            counted=count,
            rounded_to=limits.count_unit,
            **ended,
        )
        self._completed(done)

    def _completed(self, done: Exchange) -> None:
        self.means.book.count(done)
        _log.info(
            f"a {done.mode} is complete",
            extra={"exchange_id": done.id, "peer": done.peer, "seconds": round(done.seconds, 3)},
        )

    async def _release(
        self,
        exchange_id: str,
        terms: Terms,
        snapshot: Snapshot,
        arrangement: Arrangement | None,
        matched: tuple[int, ...],
        ended: dict[str, Any],
    ) -> None:
        """Check the probes and write hits, receipt and end in one transaction."""
        assert arrangement is not None  # noqa: S101  (a match's)
        indices = await asyncio.to_thread(arrangement.matched, matched)
        keep_until = from_text(terms.permit.decided) + dt.timedelta(days=terms.permit.retention_days)
        found = [Token(snapshot.tokens[at * TOKEN_BYTES : (at + 1) * TOKEN_BYTES]) for at in indices]
        peppers = self.means.peppers
        async with peppers.held() as epoch:  # a rotation may have rolled the entries meanwhile
            tokens = [peppers.climb(token, snapshot.epoch, epoch) for token in found]
            done = await asyncio.to_thread(
                self.means.book.store.complete,
                exchange_id,
                tokens,
                now=to_text(self.means.clock()),
                keep_until=to_text(keep_until),
                **ended,
            )
        self._completed(done)

    async def confirm(self, exchange_id: str, party: Party) -> None:
        """Give the answerer our receipt and take its own.

        Raises:
            UnreachableError: the peer is away.
            VerificationError: its receipt contradicts ours.
        """
        exchange = await asyncio.to_thread(self.means.book.store.get, exchange_id)
        if exchange.own_receipt is None:
            return
        own = Receipt.peek(exchange.own_receipt)
        keys = party.identities_since(Offer.peek(exchange.offer).answerer_key)
        reply = await self.means.link.call(
            party.name, relay_pb2.PEER_METHOD_RECEIPT, own.exchange, exchange.own_receipt
        )
        other, _ = Receipt.verify(reply, *keys)
        try:
            own.check_against(other)
        except VerificationError:
            self.means.accusing.contradicted(party.name, reply, exchange.own_receipt)
            raise
        await asyncio.to_thread(self.means.book.store.set_peer_receipt, exchange_id, reply)


def _session(terms: Terms) -> Session:
    if terms.permit.repeats:
        return RepeatingAsker()
    return (CountingAsker if terms.counts else AskerSession)(terms.asked, terms.answered)


async def _nothing() -> None:
    return None


async def _no_tally(found: int) -> list[Action]:
    raise NotImplementedError(found)
