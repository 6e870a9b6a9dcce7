"""Where money moves: IBANs, other bank accounts, payment cards, payment handles, merchants."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from trisect.indicators.forms.countries import split_country
from trisect.indicators.forms.reasons import Reason, RejectedError
from trisect.indicators.forms.spelling import fold
from trisect.indicators.forms.telecom import passes_luhn

if TYPE_CHECKING:
    from trisect.indicators.forms.indicator import Profile

_GAPS = dict.fromkeys(map(ord, " -.\u00a0\u2010\u2011\u2012\u2013\u2014"), None)
_IBAN_LABEL = re.compile(r"IBAN\s*(?:NO\.?|NUMBER)?\s*[:#.]?\s*(?=[A-Z]{2}[0-9]{2})", re.IGNORECASE)
_IBAN = re.compile(r"[A-Z]{2}(?!00|01|99)[0-9]{2}[A-Z0-9]{11,30}")
_IBAN_CHECK_DIGITS = re.compile(r"[A-Z]{2}(?:00|01|99)")
_BANK = re.compile(r"[A-Z0-9]{2,20}")
_ACCOUNT = re.compile(r"(?=.*[0-9])[A-Z0-9]{4,34}")
_CARD = re.compile(r"[0-9][0-9 \-\u00a0\u2010\u2011]*[0-9]")
_CARD_LENGTHS = range(12, 20)
_CARD_GROUPED_EXTRA = re.compile(r"[0-9]{4}(?:[ -]?[0-9]{4}){2}[ -]?[0-9]{2,4}[ -]+[0-9]{3,4}")
_SECURITY_CODE_LENGTHS = (3, 4)
_AMEX, _AMEX_LENGTH = re.compile(r"3[47]"), 15
_MASTERCARD, _MASTERCARD_LENGTH = re.compile(r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720"), 16
_UPI = re.compile(r"[a-z0-9][a-z0-9._\-]{0,254}@[a-z][a-z0-9]{1,63}")
_NAMED_HANDLE = re.compile(r"([a-z][a-z0-9]{1,15})\s*:\s*([^\s:/?#%\x00-\x20]{1,128})")
_OTHER_SCHEMES = frozenset({"http", "https", "mailto", "tel", "sms", "data", "javascript", "hxxp", "hxxps"})
_MERCHANT = re.compile(r"([A-Za-z0-9._\-]{1,64})\s*:\s*([A-Za-z0-9._\-]{1,64})")


def iban(raw: str, _profile: Profile) -> str:
    """Electronic form of ISO 13616: capitals and digits without gaps, country format and mod 97 checked."""
    from schwifty import IBAN  # noqa: PLC0415 loads a bank registry
    from schwifty.exceptions import InvalidChecksumDigits, SchwiftyException  # noqa: PLC0415

    text = fold(raw)
    label = _IBAN_LABEL.match(text)
    bare = (text[label.end() :] if label else text).translate(_GAPS).upper()
    if _IBAN_CHECK_DIGITS.match(bare):
        raise RejectedError(Reason.CHECKSUM)
    if not _IBAN.fullmatch(bare):
        raise RejectedError(Reason.MASKED if re.search(r"[*_]|X{4}", bare) else Reason.INVALID)
    try:
        IBAN(bare)
    except InvalidChecksumDigits:
        raise RejectedError(Reason.CHECKSUM) from None
    except SchwiftyException:
        raise RejectedError(Reason.INVALID) from None
    return bare


def bank_account(raw: str, profile: Profile) -> str:
    """`CC:bank:account`; leading zeros stay, gaps go, letters become capitals."""
    country, rest = split_country(fold(raw), profile)
    parts = [part.translate(_GAPS).upper() for part in rest.split(":")]
    if len(parts) != 2:  # noqa: PLR2004 bank and account
        raise RejectedError(Reason.INVALID)
    bank, account = parts
    if not _BANK.fullmatch(bank) or not _ACCOUNT.fullmatch(account):
        raise RejectedError(Reason.MASKED if "*" in rest else Reason.INVALID)
    if not account.strip("0"):
        raise RejectedError(Reason.NULL_IDENTIFIER)
    return f"{country}:{bank}:{account}"


def payment_card(raw: str, _profile: Profile) -> str:
    """12 to 19 digits with Luhn check (ISO/IEC 7812-1); anything beside the number is refused."""
    text = fold(raw)
    if not _CARD.fullmatch(text):
        if re.search(r"[*xX\u2022#]{2}", text):
            raise RejectedError(Reason.MASKED)
        raise RejectedError(
            Reason.CARD_EXTRAS if sum(c.isdigit() for c in text) >= _CARD_LENGTHS[0] else Reason.INVALID
        )
    digits = text.translate(_GAPS)
    if len(digits) not in _CARD_LENGTHS:
        raise RejectedError(Reason.CARD_EXTRAS if len(digits) > _CARD_LENGTHS[-1] else Reason.INVALID)
    if digits[0] == "0" or len(set(digits)) == 1:
        raise RejectedError(Reason.NULL_IDENTIFIER)
    if _has_security_code(text, digits):
        raise RejectedError(Reason.CARD_EXTRAS)
    if not passes_luhn(digits):
        raise RejectedError(Reason.CHECKSUM)
    return digits


def _has_security_code(text: str, digits: str) -> bool:
    """Tell whether the number goes on after a whole card number."""
    if _AMEX.match(digits):
        return len(digits) > _AMEX_LENGTH
    if _MASTERCARD.match(digits):
        return len(digits) > _MASTERCARD_LENGTH
    if not _CARD_GROUPED_EXTRA.fullmatch(text):
        return False
    return any(passes_luhn(digits[:-extra]) for extra in _SECURITY_CODE_LENGTHS if len(digits) - extra >= 15)  # noqa: PLR2004


def payment_handle(raw: str, _profile: Profile) -> str:
    """UPI address `name@bank`, or `scheme:handle` of another scheme; case folded; of a QR code only `pa`."""
    text = fold(raw).casefold()
    if text.startswith("upi:"):
        text = _payee(text)
    if _UPI.fullmatch(text):
        return text
    named = _NAMED_HANDLE.fullmatch(text)
    if named and named[1] not in _OTHER_SCHEMES and text.isascii():
        return f"{named[1]}:{named[2]}"
    if re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", text):
        raise RejectedError(Reason.WRONG_KIND)
    raise RejectedError(Reason.MASKED if "**" in text or "xxxx" in text else Reason.INVALID)


def _payee(text: str) -> str:
    if "?" not in text:
        return text.removeprefix("upi:").lstrip("/")
    payees = [
        value for name, value in parse_qsl(urlsplit(text).query, keep_blank_values=True) if name == "pa"
    ]
    if len(payees) != 1:
        raise RejectedError(Reason.AMBIGUOUS if payees else Reason.INVALID)
    return fold(payees[0]).casefold()


def merchant(raw: str, _profile: Profile) -> str:
    """`acquirer:id`; the acquirer in small letters, the id exactly as the acquirer writes it."""
    match = _MERCHANT.fullmatch(fold(raw))
    if match is None:
        raise RejectedError(Reason.INVALID)
    if not match[2].strip("0"):
        raise RejectedError(Reason.NULL_IDENTIFIER)
    return f"{match[1].lower()}:{match[2]}"
