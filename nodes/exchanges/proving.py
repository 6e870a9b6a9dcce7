"""What this node's receipts commit to of its snapshots, and proofs that an entry was in one, made and checked.

A proof is checked against the node's own copy of the record, so without the network. Of which entry it is, the checker
says itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from nodes.members import Members
from nodes.witness import Witness
from trisect.errors import NotFoundError, VerificationError
from trisect.indicators.tokens import Token
from trisect.record import entries
from trisect.record.snapshots import SnapshotProof
from trisect.rules.offers import Receipt
from trisect.rules.permit import Permit
from trisect.rules.tracing import trace
from trisect.store.exchanges import Exchanges, Side
from trisect.store.snapshots import Snapshots

TokenOf: TypeAlias = Callable[[int], Token]
"""Gives the token of the entry in question, by pepper epoch."""


@dataclass(frozen=True, slots=True)
class Proved:
    """What a proof shows.

    Attributes:
        permit: of the exchange, as it stands in the record.
        receipt: of the end whose snapshot had the entry.
    """

    permit: Permit
    receipt: Receipt

    @property
    def end(self) -> Side:
        """Which end's list had the entry."""
        return Side(self.receipt.side)


class Proving:
    """Commits to snapshots, proves and checks.

    Args:
        kept: the trees of this node's snapshots.
        exchanges: its exchanges.
        members: tell whose keys sign receipts.
        witness: has the copy of the record.
        secret: 32 bytes, by which they are salted.
    """

    def __init__(
        self,
        kept: Snapshots,
        exchanges: Exchanges,
        members: Members,
        witness: Witness,
        secret: bytes,
    ) -> None:
        self._kept = kept
        self._exchanges = exchanges
        self._members = members
        self._witness = witness
        self._secret = secret

    async def prove(self, exchange_id: str, token_of: TokenOf) -> tuple[SnapshotProof, bool]:
        """Prove that an entry was in this node's snapshot; tells besides whether the record has the receipt yet.

        Raises:
            NotFoundError: it was not, the exchange has no receipt, or the snapshot is kept no more.
        """
        found = await asyncio.to_thread(self._exchanges.get, exchange_id)
        if found.own_receipt is None or found.permit is None:
            raise NotFoundError(
                "this exchange has no receipt, so there is nothing to prove by",
                hint="`trisect exchange show` tells how it ended",
            )
        if found.snapshot is None:
            raise NotFoundError(
                "this exchange told a count again and took no list",
                hint="prove by the exchange that was counted: the first of that day between the two for that purpose",
            )
        token = token_of(Permit.peek(found.permit).pepper_epoch)
        kept = await asyncio.to_thread(self._kept.find, found.snapshot)
        proof = await asyncio.to_thread(SnapshotProof.of, token, kept, self._secret, found.own_receipt)
        recorded = await self._witness.of_exchange(exchange_id)
        return proof, _is_first(entries.of_document(found.own_receipt), recorded)

    async def check(self, text: str, token_of: TokenOf) -> Proved:
        """Check a proof of any party's.

        Raises:
            VerificationError: it does not hold for that entry, or its receipt is not the one in the record.
        """
        proof = SnapshotProof.parse(text)
        claimed = Receipt.peek(proof.receipt)
        self._witness.require_one()
        found = await self._witness.of_exchange(claimed.exchange.hex())
        permitted = next((entry for entry in found if entries.kind(entry) == Permit.KIND), None)
        if permitted is None or not _is_first(entries.of_document(proof.receipt), found):
            raise VerificationError(
                "the record, as this node has it, does not have the receipt of this proof",
                hint="a receipt comes into the record within minutes: is this node's copy new? `trisect record show` tells",
            )
        membership = self._members.membership
        permit = trace(permitted, membership).permit
        asks = claimed.side == Side.ASKER
        owner, key = (permit.asker, permit.asker_key) if asks else (permit.answerer, permit.answerer_key)
        receipt, _ = Receipt.verify(proof.receipt, *membership.party(owner).identities_since(key))
        if (receipt.exchange, receipt.offer_hash) != (permit.exchange, permit.offer_hash):
            raise VerificationError("the receipt of this proof is of another offer than the permit")
        proof.check(token_of(permit.pepper_epoch), permit.asked_padded if asks else permit.answered_padded)
        return Proved(permit, receipt)


def _is_first(entry: bytes, found: Sequence[bytes]) -> bool:
    """Whether an entry commits to the first receipt of its end among those of an exchange."""
    mine = entries.side(entry)
    return entry == next((one for one in found if entries.side(one) == mine), None)
