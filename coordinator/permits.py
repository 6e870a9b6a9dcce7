"""The coordinator's judgement of permits: the same rules over the same facts, a ledger of budgets, one signature.

It sees who asks whom, for what, of which kinds, in padded sizes, and never a collection's name or an entry. Not here:
the judgement itself (`trisect.rules.permit`).
"""

from __future__ import annotations

import logging

from prometheus_client import Counter

from coordinator.record import PublicRecord
from coordinator.registry import Registry
from trisect.clock import Clock, from_text
from trisect.errors import DeniedError, VerificationError
from trisect.rules.budgets import over_budget
from trisect.rules.offers import Offer, check_times
from trisect.rules.permit import Permit, judge
from trisect.rules.regime import Regime
from trisect.rules.vocabulary import Purpose
from trisect.store.budgets import Account, Budgets
from trisect.trust import documents
from trisect.trust.keys import IdentityKey

_log = logging.getLogger(__name__)
ISSUED = Counter("trisect_permits_issued", "Permits that the coordinator has signed.")
DENIED = Counter("trisect_permits_denied", "Permits that it has refused to sign.")


class Permits:
    """Judges and signs permits. Called from threads."""

    def __init__(
        self, registry: Registry, record: PublicRecord, budgets: Budgets, key: IdentityKey, clock: Clock
    ) -> None:
        self._registry = registry
        self._record = record
        self._budgets = budgets
        self._key = key
        self._clock = clock

    def check(self, answerer: str, offer: bytes, permit: bytes) -> Permit:
        """Judge a permit that an answerer has signed.

        Raises:
            VerificationError: it or its offer is not signed by whom it must be, or they do not fit each other.
            DeniedError: the rulebook does not allow it.
            StaleError: another rulebook or notice is in force, a clock is wrong, or no fresh head of the record counts.
        """
        membership = self._registry.membership
        asked = Offer.peek(offer)
        asker = membership.party(asked.asker)
        asked, signed = Offer.verify(offer, asker.keys.identity)
        found, _ = Permit.verify(permit, membership.party(answerer).keys.identity)
        if found.answerer != answerer:
            raise VerificationError("a permit is proposed by another party than it names")
        if asked.consortium != membership.consortium:
            raise VerificationError("an offer is of another consortium")
        for party in (asker, membership.party(answerer)):
            party.require_active()
        fingerprints = (asker.keys.identity.fingerprint, membership.party(answerer).keys.identity.fingerprint)
        if (asked.asker_key, asked.answerer_key) != fingerprints:
            raise VerificationError("an offer names another key than the party's own")
        check_times(asked.created, asked.expires, self._clock())
        if self._record.of_exchange(asked.exchange.hex()):
            raise DeniedError("this exchange has had its permit", hint="a permit is used once; offer anew")
        try:
            regime = Regime(membership)
            judge(found, asked, signed.payload_hash, regime)
            rulebook = regime.rulebooks.named(found.rulebook, from_text(found.decided))
            self._record.require_fresh(rulebook.provisions.limits.max_head_age_s)
        except DeniedError as error:
            DENIED.inc()
            _log.warning(
                "a permit was refused",
                extra={
                    "exchange_id": asked.exchange.hex(),
                    "party": asked.asker,
                    "peer": answerer,
                    "rule": error.rule,
                },
            )
            raise
        return found

    def sign(self, permit: Permit, envelope: bytes) -> bytes:
        """Charge a permit that was judged, sign it and enter it in the record; gives it with both signatures.

        Raises:
            DeniedError: the asker's budget at this answerer does not suffice.
        """
        regime = Regime(self._registry.membership)
        purpose = Purpose(permit.purpose)
        limit = regime.budget(permit.asker, permit.answerer, purpose, permit.budget_day, permit.rulebook)
        account = Account(permit.asker, permit.answerer, permit.purpose)
        if not self._budgets.charge(account, permit.budget_day, permit.budget, limit):
            DENIED.inc()
            raise over_budget(permit, self._budgets.spent(account, permit.budget_day), limit)
        signed = documents.countersign(envelope, self._key)
        self._record.add(signed)
        ISSUED.inc()
        return signed
