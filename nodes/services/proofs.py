"""Proofs that an entry was in the snapshot of an exchange. The value ends here: what proves and checks sees its token."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from nodes.exchanges.proving import Proving
from nodes.peppers import Peppers
from nodes.untreated import kind_or_auto
from trisect.indicators.entries import RawRow, to_entry
from trisect.indicators.forms import Profile
from trisect.indicators.tokens import Token
from trisect.rpc.authentication import Context
from trisect.rules.offers import Receipt
from trisect.store.exchanges import Side
from trisect.wire.v1 import proofs_pb2 as pb
from trisect.wire.v1 import proofs_pb2_grpc


@dataclass(frozen=True, slots=True)
class ProofsService(proofs_pb2_grpc.ProofsServicer):
    """Proves, and checks proofs."""

    proving: Proving
    peppers: Peppers
    profile: Callable[[str], Profile]
    """Tells how a value of a region, empty for the default one, is read."""

    async def ProveEntry(self, request: pb.ProveEntryRequest, _context: Context) -> pb.ProveEntryReply:  # noqa: N802
        """Prove that an entry was in the snapshot of an exchange."""
        proof, recorded = await self.proving.prove(request.exchange_id, partial(self._token, request.value))
        end = Receipt.peek(proof.receipt).side
        return pb.ProveEntryReply(proof=proof.to_text(), end=end, recorded=recorded)

    async def CheckProof(self, request: pb.CheckProofRequest, _context: Context) -> pb.CheckProofReply:  # noqa: N802
        """Check such a proof."""
        found = await self.proving.check(request.proof, partial(self._token, request.value))
        permit, asks = found.permit, found.end is Side.ASKER
        return pb.CheckProofReply(
            exchange_id=permit.exchange.hex(),
            owner=permit.asker if asks else permit.answerer,
            end=found.end.value,
            peer=permit.answerer if asks else permit.asker,
            purpose=permit.purpose,
            mode=permit.mode,
            collection=permit.asked_collection if asks else permit.answered_collection,
            version=permit.asked_version if asks else permit.answered_version,
            decided=permit.decided,
            finished=found.receipt.finished,
        )

    def _token(self, raw: pb.RawValue, epoch: int) -> Token:
        """Make the token of a value in a pepper epoch; raises RejectedError where the value is none."""
        row = RawRow(**(dict.fromkeys(RawRow._fields, "") | {"value": raw.value}))
        entry = to_entry(
            row,
            default_kind=kind_or_auto(raw.kind),
            profile=self.profile(raw.region),
            tokeniser=self.peppers.tokeniser(epoch),
        )
        return entry.token
