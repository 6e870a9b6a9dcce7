"""What this node's receipts commit to of its snapshots, and proofs that an entry was in one, made and checked.

A proof is checked against the node's own copy of the record, so without the network. Of which entry it is, the checker
says itself.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from nodes.members import Members
from nodes.witness import Witness
from trisect.clock import from_text, to_text
from trisect.errors import NotFoundError, VerificationError
from trisect.indicators.tokens import Token
from trisect.psi.bands import band
from trisect.record import entries
from trisect.record.snapshots import SnapshotProof, commit
from trisect.rules.offers import Receipt
from trisect.rules.permit import Permit
from trisect.store.collections import Snapshot
from trisect.store.exchanges import Exchanges, Side
from trisect.store.snapshots import Snapshots

_SECRET = b"trisect/snapshots/v1"


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
        kept: the commitments of this node.
        exchanges: its exchanges.
        members: tell whose keys sign receipts.
        witness: has the copy of the record.
        storage_key: 32 bytes, of the keystore; what salts leaves follows from it.
    """

    def __init__(
        self,
        kept: Snapshots,
        exchanges: Exchanges,
        members: Members,
        witness: Witness,
        storage_key: bytes,
    ) -> None:
        self._kept = kept
        self._exchanges = exchanges
        self._members = members
        self._witness = witness
        self._secret = hmac.digest(storage_key, _SECRET, "sha256")

    async def commit(self, snapshot: Snapshot, permit: Permit) -> bytes:
        """Commit to what an exchange is about to use, and keep it as long as its hits may be; gives the root."""
        until = from_text(permit.decided) + dt.timedelta(days=permit.retention_days)

        def work() -> bytes:
            found = commit(snapshot.tokens, self._secret, band(snapshot.size))
            self._kept.keep(found, to_text(until))
            return found.root

        return await asyncio.to_thread(work)

    async def prove(self, exchange_id: str, token_of: TokenOf) -> tuple[SnapshotProof, bool]:
        """Prove that an entry was in this node's snapshot; tells besides whether the record has the receipt yet.

        Raises:
            NotFoundError: it was not, the exchange has no receipt, or the snapshot is kept no more.
        """
        found = await asyncio.to_thread(self._exchanges.get, exchange_id)
        if found.own_receipt is None or found.permit is None or found.snapshot is None:
            raise NotFoundError(
                "this exchange has no receipt, so there is nothing to prove by",
                hint="`trisect exchange show` tells how it ended",
            )
        token = token_of(Permit.peek(found.permit).pepper_epoch)
        kept = await asyncio.to_thread(self._kept.find, found.snapshot)
        proof = await asyncio.to_thread(SnapshotProof.of, token, kept, self._secret, found.own_receipt)
        entry = entries.of_document(found.own_receipt)
        return proof, entry in await asyncio.to_thread(self._witness.copy.of_exchange, exchange_id)

    async def check(self, text: str, token_of: TokenOf) -> Proved:
        """Check a proof of any party's.

        Raises:
            VerificationError: it does not hold for that entry, or its receipt is not the one in the record.
        """
        proof = SnapshotProof.parse(text)
        claimed = Receipt.peek(proof.receipt)
        found = await asyncio.to_thread(self._witness.copy.of_exchange, claimed.exchange.hex())
        if entries.of_document(proof.receipt) not in found:
            raise VerificationError(
                "the record, as this node has it, does not have the receipt of this proof",
                hint="a receipt comes into the record within a minute: is this node's copy new? `trisect record show` tells",
            )
        permit = next(Permit.peek(entry) for entry in found if entries.kind(entry) == Permit.KIND)
        asked = claimed.side == Side.ASKER
        owner, key = (permit.asker, permit.asker_key) if asked else (permit.answerer, permit.answerer_key)
        keys = self._members.membership.party(owner).identities_since(key)
        receipt, _ = Receipt.verify(proof.receipt, *keys)
        proof.check(token_of(permit.pepper_epoch))
        return Proved(permit, receipt)
