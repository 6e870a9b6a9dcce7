"""Consents for tests: what is used for what, and what a proxy tells."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import replace
from typing import Any

from trisect.indicators.kinds import Kind
from trisect.rules.consent_frames import Granted, Revoked
from trisect.rules.vocabulary import Purpose
from trisect.store.consents import Use
from trisect.trust.keys import PartyName

NOW = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
USE = Use("bank", Purpose.SCAM_PREVENTION, NOW, 60, frozenset({"aid", "other"}))
"""An exchange with the bank, to prevent scams."""


def consent_id(number: int) -> bytes:
    """Make the id of a consent of a number."""
    return hashlib.sha256(f"consent {number}".encode()).digest()[:16]


def granted(number: int, sequence: int | None = None, **fields: Any) -> Granted:
    """Make the word that the person of a number has consented."""
    found = Granted(
        sequence=sequence or number,
        id=consent_id(number),
        subject=f"subject-{number}",
        purposes=(Purpose.SCAM_PREVENTION,),
        kinds=(Kind.PHONE,),
        parties=(PartyName("bank"), PartyName("telco")),
        voluntariness=100,
        expires="2027-01-01T00:00:00Z",
    )
    return replace(found, **fields)


def revoked(number: int, sequence: int) -> Revoked:
    """Make the word that the consent of a number was taken back."""
    return Revoked(sequence, consent_id(number))
