"""What the two ends of an exchange sign at its end goes into the record, as commitments that each end hands in.

One receipt of each end, the first that comes. Not here: whether two receipts agree (`trisect.rules.offers`).
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

from coordinator.record import PublicRecord
from coordinator.registry import Registry
from trisect.clock import Clock, from_text
from trisect.errors import ConflictError, DeniedError, NotFoundError, VerificationError
from trisect.record import entries
from trisect.rules.offers import LATEST_RECEIPT, RECEIPT_RULE, Receipt
from trisect.rules.permit import Permit
from trisect.store.exchanges import Side


class Receipts:
    """Enters receipts. Called from threads."""

    def __init__(self, registry: Registry, record: PublicRecord, clock: Clock) -> None:
        self._registry = registry
        self._record = record
        self._clock = clock
        self._entering = threading.Lock()

    def enter(self, party: str, envelope: bytes) -> None:
        """Enter a party's receipt of a permitted exchange; one that stands there already changes nothing.

        Raises:
            NotFoundError: the record has no permit of that exchange.
            VerificationError: the party is no end of it, or the receipt is not its own.
            DeniedError: it comes too late.
            ConflictError: another receipt of this end stands there.
            UnreachableError: nothing new goes in now.
        """
        claimed = Receipt.peek(envelope)
        with self._entering:
            found = self._record.of_exchange(claimed.exchange.hex())
            self._check(party, envelope, found)
            entry = entries.of_document(envelope)
            if entry in found:
                return
            if claimed.side in map(entries.side, found):
                raise ConflictError(
                    "another receipt of this end stands in the record",
                    hint="the first one counts; an end that has signed two was perhaps restored from a backup",
                )
            self._record.add(envelope)

    def _check(self, party: str, envelope: bytes, found: Sequence[bytes]) -> None:
        permit = next((Permit.peek(entry) for entry in found if entries.kind(entry) == Permit.KIND), None)
        if permit is None:
            raise NotFoundError(
                "the record has no permit of that exchange",
                hint="it comes back with the record's lost entries",
            )
        ends = {
            permit.asker: (Side.ASKER, permit.asker_key),
            permit.answerer: (Side.ANSWERER, permit.answerer_key),
        }
        if party not in ends:
            raise VerificationError("the exchange is between other parties")
        side, fingerprint = ends[party]
        keys = self._registry.membership.party(party).identities_since(fingerprint)
        receipt, _ = Receipt.verify(envelope, *keys)
        if (receipt.side, receipt.offer_hash) != (side.value, permit.offer_hash):
            raise VerificationError("a receipt is of another end, or of another offer than the permit")
        if self._clock() > from_text(permit.expires) + LATEST_RECEIPT:
            raise DeniedError(
                f"a receipt goes into the record within {LATEST_RECEIPT.days} days of its permit",
                hint="start the exchange again; by a receipt of which the record knows nothing nobody proves anything",
                rule=RECEIPT_RULE,
            )
