"""Receipts for tests."""

from __future__ import annotations

import dataclasses
from typing import Any

from trisect.rules.offers import ANSWERER, ASKER, Receipt

EXCHANGE = b"e" * 16
ASKED = Receipt(
    exchange=EXCHANGE,
    side=ASKER,
    offer_hash=b"o" * 32,
    accept_hash=b"a" * 32,
    asker_frames=3,
    asker_transcript=b"t" * 32,
    answerer_frames=4,
    answerer_transcript=b"u" * 32,
    elements_evaluated=60,
    asked_snapshot=b"1" * 32,
    answered_snapshot=b"2" * 32,
    finished="2026-11-25T12:00:00Z",
)
"""The asker's receipt of an exchange."""


def receipt(side: str = ASKER, **changes: Any) -> Receipt:
    """Vary the receipt of an end; both ends' agree."""
    return dataclasses.replace(ASKED, side=side, **changes)


ANSWERED = receipt(ANSWERER)
