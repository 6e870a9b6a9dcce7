"""Identifiers of the telephone network other than numbers: short codes, SMS senders, devices, SIMs."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from trisect.indicators.forms.countries import split_country
from trisect.indicators.forms.reasons import Reason, RejectedError
from trisect.indicators.forms.spelling import fold

if TYPE_CHECKING:
    from trisect.indicators.forms.indicator import Profile

_SEPARATORS = dict.fromkeys(map(ord, " -./\u00a0\u2010\u2011\u2012\u2013\u2014"), None)
_SHORTCODE = re.compile(r"[0-9]{3,8}")
_CHINESE_PORT = re.compile(r"106[0-9]{2,17}")
_SENDER_LENGTH = 11
_IMEI_LENGTH, _IMEI_CHECKED_LENGTH, _IMEI_VERSION_LENGTH = 14, 15, 16
_IMSI_LENGTH = 15
_TEST_NETWORKS, _PRIVATE_NETWORKS = "001", "999"


def shortcode(raw: str, profile: Profile) -> str:
    """`CC:digits`: 3 to 8 digits, or in China a service port of up to 20 that begins with 106."""
    country, rest = split_country(fold(raw), profile)
    digits = rest.translate(_SEPARATORS)
    if _SHORTCODE.fullmatch(digits) or (country == "CN" and _CHINESE_PORT.fullmatch(digits)):
        if not digits.strip("0"):
            raise RejectedError(Reason.NULL_IDENTIFIER)
        return f"{country}:{digits}"
    raise RejectedError(_why_no_digits(digits))


def sms_sender(raw: str, _profile: Profile) -> str:
    """Alphanumeric sender (3GPP TS 23.040, TP-OA): at most 11 characters, case folded, at least one letter."""
    text = fold(raw).casefold()
    folded = unicodedata.normalize("NFKC", text)
    if len(folded) > _SENDER_LENGTH:
        raise RejectedError(Reason.TOO_LONG)
    if not any(c.isalpha() for c in folded):
        numeric = folded.translate(_SEPARATORS).lstrip("+").isdecimal()
        raise RejectedError(Reason.WRONG_KIND if numeric else Reason.INVALID)
    if not folded.isprintable() or unicodedata.normalize("NFKC", folded.casefold()) != folded:
        raise RejectedError(Reason.INVALID)
    return folded


def imei(raw: str, _profile: Profile) -> str:
    """14 digits, type allocation code and serial (3GPP TS 23.003, 6.2); check digit and version are dropped."""
    digits = fold(raw).translate(_SEPARATORS)
    if not (digits.isascii() and digits.isdigit()):
        raise RejectedError(_why_no_digits(digits))
    if len(digits) not in (_IMEI_LENGTH, _IMEI_CHECKED_LENGTH, _IMEI_VERSION_LENGTH):
        raise RejectedError(Reason.INVALID)
    device = digits[:_IMEI_LENGTH]
    if len(set(device)) == 1:
        raise RejectedError(Reason.NULL_IDENTIFIER)
    if len(digits) == _IMEI_CHECKED_LENGTH and not passes_luhn(digits):
        raise RejectedError(Reason.CHECKSUM)
    return device


def imsi(raw: str, profile: Profile) -> str:
    """15 digits that begin with a mobile country code in use (ITU-T E.212); 001 is for tests, 999 private."""
    from stdnum import imsi as registry  # noqa: PLC0415 its registry is read on first use only
    from stdnum.exceptions import ValidationError  # noqa: PLC0415

    digits = fold(raw).translate(_SEPARATORS)
    if not (digits.isascii() and digits.isdigit()):
        raise RejectedError(_why_no_digits(digits))
    if len(digits) != _IMSI_LENGTH:
        raise RejectedError(Reason.INVALID)
    if not digits.strip("0"):
        raise RejectedError(Reason.NULL_IDENTIFIER)
    if digits.startswith(_PRIVATE_NETWORKS):
        raise RejectedError(Reason.PRIVATE)
    if digits.startswith(_TEST_NETWORKS) and not profile.allow_reserved:
        raise RejectedError(Reason.RESERVED)
    try:
        registry.validate(digits)
    except ValidationError:
        raise RejectedError(Reason.INVALID) from None
    return digits


def passes_luhn(digits: str) -> bool:
    """Tell whether the last digit is the Luhn check digit of the others (ISO/IEC 7812-1, annex B)."""
    total = sum(map(int, digits[-1::-2])) + sum(sum(divmod(2 * int(d), 10)) for d in digits[-2::-2])
    return total % 10 == 0


def _why_no_digits(text: str) -> Reason:
    if any(c in "*_?#\u2022" for c in text) or "xx" in text.lower():
        return Reason.MASKED
    return Reason.LETTERS if any(c.isalpha() for c in text) else Reason.INVALID
