"""What the two ends of an exchange sign at its end goes into the record as commitments, as it passes the relay.

One receipt of each end, the first that comes; what another one is worth, the other end judges. Not here: whether two
receipts agree (`trisect.rules.offers`).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

from coordinator.record import PublicRecord
from coordinator.registry import Registry
from trisect.errors import VerificationError
from trisect.record import entries
from trisect.rules.offers import Receipt
from trisect.rules.permit import Permit
from trisect.store.exchanges import Side

_log = logging.getLogger(__name__)


class Receipts:
    """Enters receipts. Called from threads."""

    def __init__(self, registry: Registry, record: PublicRecord) -> None:
        self._registry = registry
        self._record = record
        self._entering = threading.Lock()

    def enter(self, party: str, exchange: bytes, envelope: bytes) -> None:
        """Enter what a party gives as its receipt of a permitted exchange, unless that is none or it has given one.

        Raises:
            UnreachableError: nothing new goes in now.
        """
        with self._entering:
            found = self._record.of_exchange(exchange.hex())
            try:
                receipt = self._verified(party, envelope, found)
            except VerificationError as error:
                _log.warning(
                    "a receipt is not entered in the record",
                    extra={"exchange_id": exchange.hex(), "party": party, "reason": error.message},
                )
                return
            if receipt.side not in map(entries.side, found):
                self._record.add(envelope)

    def _verified(self, party: str, envelope: bytes, found: Sequence[bytes]) -> Receipt:
        permit = next((Permit.peek(entry) for entry in found if entries.kind(entry) == Permit.KIND), None)
        if permit is None:
            raise VerificationError("the exchange has no permit")
        ends = {
            permit.asker: (Side.ASKER, permit.asker_key),
            permit.answerer: (Side.ANSWERER, permit.answerer_key),
        }
        if party not in ends:
            raise VerificationError("the exchange is between other parties")
        side, fingerprint = ends[party]
        keys = self._registry.membership.party(party).identities_since(fingerprint)
        receipt, _ = Receipt.verify(envelope, *keys)
        if (receipt.exchange, receipt.side) != (permit.exchange, side.value):
            raise VerificationError("a receipt is of another exchange or end")
        return receipt
