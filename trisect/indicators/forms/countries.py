"""The `CC:rest` spelling that several kinds share: the country in front, from the value or the profile."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from phonenumbers import SUPPORTED_REGIONS

from trisect.indicators.forms.reasons import Reason, RejectedError

if TYPE_CHECKING:
    from trisect.indicators.forms.indicator import Profile

_COUNTRY = re.compile(r"([A-Za-z]{2})\s*:\s*(?=\S)")


def split_country(text: str, profile: Profile) -> tuple[str, str]:
    """Split `CC:rest` into both; a text without country takes the profile's.

    Raises:
        RejectedError: no country anywhere, an unknown one, or another than the profile's.
    """
    match = _COUNTRY.match(text)
    if match is None:
        if profile.region is None:
            raise RejectedError(Reason.NEEDS_REGION)
        return profile.region, text
    country = match[1].upper()
    if country not in SUPPORTED_REGIONS:
        raise RejectedError(Reason.UNSUPPORTED_COUNTRY)
    return country, text[match.end() :]
