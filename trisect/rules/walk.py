"""How much of a kind's number space one asker may walk: who may ask about every number hides nothing from itself.

The sizes are orders of magnitude, each taken rather too small, so that the share is rather told too large. Kinds that
cannot be counted through, such as links, have none.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from types import MappingProxyType

from trisect.indicators.kinds import Kind

SPACES: Mapping[Kind, int] = MappingProxyType(
    {
        Kind.PHONE: 10**9,  # the mobile numbers of a large country (ITU-T E.164: nine free digits)
        Kind.SHORTCODE: 10**5,  # five digits, the usual length (CTIA, OFCOM)
        Kind.IMEI: 10**11,  # some 10^5 type allocation codes of 10^6 serials (3GPP TS 23.003)
        Kind.IMSI: 10**10,  # ten digits below one operator's code (ITU-T E.212)
        Kind.IBAN: 10**10,  # ten digits of account below one bank's code (ISO 13616)
        Kind.BANK_ACCOUNT: 10**10,
        Kind.PAYMENT_CARD: 10**9,  # nine digits below one issuer's number (ISO/IEC 7812)
        Kind.IP: 37 * 10**8,  # IPv4 without what is reserved (RFC 6890)
        Kind.NATIONAL_ID: 10**11,  # a region's people by day of birth and serial (GB 11643)
        Kind.PASSPORT: 10**8,  # eight digits (ICAO 9303)
    }
)
"""Kinds whose values can be counted through, and how many there are."""


def share(kind: Kind, elements_per_day: int, life: dt.timedelta) -> float:
    """Tell the share of a kind's number space that a daily budget walks within a time, 0.0 to 1.0."""
    space = SPACES.get(kind)
    return min(1.0, elements_per_day * (life / dt.timedelta(days=1)) / space) if space else 0.0
