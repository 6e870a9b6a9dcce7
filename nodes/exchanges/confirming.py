"""How an exchange is settled at its end: receipts, and an answerer's question what became of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from nodes.exchanges.means import Means
from trisect.errors import ConflictError, NotFoundError, TrisectError, VerificationError
from trisect.rules.offers import Offer, Receipt, Void
from trisect.store.exchanges import Exchange, ExchangeState, Side
from trisect.trust import documents
from trisect.trust.party import Party
from trisect.wire.v1 import relay_pb2


class ExchangeVoidError(TrisectError):
    """The asker came to no result."""

    code = "TRI-VOID"


@dataclass(slots=True)
class Confirming:
    """Settles the exchanges of one node."""

    means: Means

    async def on_receipt(self, call: relay_pb2.IncomingCall, party: Party) -> bytes:
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
        done = await asyncio.to_thread(self.means.book.store.confirm, exchange.id, receipt)
        if done is not None:
            self.means.book.count(done)

    async def on_inquiry(self, call: relay_pb2.IncomingCall, party: Party) -> bytes:
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
