"""Stale hits in the public record: whose asker keeps them though the time to drop them is over, as answerers say."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import ClassVar

from trisect.clock import from_text
from trisect.errors import VerificationError
from trisect.rules.document import Fields
from trisect.rules.regime import Regime
from trisect.trust.filings import Filing, StaleHitsFiling
from trisect.trust.keys import PartyName
from trisect.trust.membership import Membership

_EXCHANGE = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Kept(Fields):
    """What an answerer says of one exchange.

    Attributes:
        exchange: its id, hex.
        count: entries that have left the answerer's list since; 0 once the asker has dropped its hits.
        since: since when the asker could know.
    """

    WHAT: ClassVar[str] = "a word on stale hits"

    exchange: str
    count: int
    since: str


def check(filing: Filing, membership: Membership) -> None:
    """Check what an answerer says; raises VerificationError."""
    kept = Kept.from_body(filing.content)
    if not _EXCHANGE.fullmatch(kept.exchange) or kept.count < 0 or filing.issuer == filing.party:
        raise VerificationError("a word on stale hits is about an exchange that another party has asked for")
    try:
        since, issued = from_text(kept.since), from_text(filing.issued)
    except ValueError as error:
        raise VerificationError("a word on stale hits says no time") from error
    days = Regime(membership).deadlines(issued).stale_hits_days
    if kept.count and issued - since < dt.timedelta(days=days):
        raise VerificationError(f"an asker has {days} days to drop its hits")


def outstanding(membership: Membership, name: str) -> list[tuple[PartyName, Kept]]:
    """List what a party is said to keep, each with who says it."""
    newest: dict[tuple[PartyName, str], Kept] = {}
    for one in membership.filed(StaleHitsFiling, name):
        kept = Kept.from_body(one.filing.content)
        newest[one.filing.issuer, kept.exchange] = kept
    return [(issuer, kept) for (issuer, _), kept in newest.items() if kept.count]
