"""Telephone numbers: E.164, with an extension as in RFC 3966; dialled short codes become their own kind.

Most spellings are settled by `phone_plans`; the rest goes to phonenumbers, but only as bare digits with or
without a plus: the library would turn letters and masks into digits, and drop extensions.
"""

from __future__ import annotations

import functools
import re
import unicodedata

import phonenumbers

from trisect.indicators.forms import phone_plans
from trisect.indicators.forms.indicator import Indicator, Profile
from trisect.indicators.forms.phone_reserved import is_reserved
from trisect.indicators.forms.reasons import Reason, RejectedError
from trisect.indicators.forms.spelling import MAX_CHARACTERS, fold
from trisect.indicators.kinds import Kind

_MARKS = dict.fromkeys(
    map(ord, " \t-.()/[]\u00a0\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u30fc\u3000\u2060"), None
)
_DIGITS = re.compile(r"\+?[0-9]{2,20}")
_EXTENSION = re.compile(
    r"(?P<rfc>;ext=)?(?P<word>[\s,;.(/-]*(?:ext(?:ension|n)?|分机|转)[\s.:#=]*)?(?P<x>[\s,]*[x#]\s*)?"
    r"(?P<digits>[0-9]{1,9})\)?\Z",
    re.IGNORECASE,
)
_MASK = re.compile(r"[xX]{2}|[nN]{2}|\*{2}|#{2}|_|\?{2}|\.{4}|[\u2022\u25cf\u2026]")
_MASK_LETTERS = frozenset("xXnN")
_VANITY = re.compile(r"\+?1?8(?:00|33|44|55|66|77|88)([A-Z]{7}|[a-z]{7})")
_NO_VANITY_WORDS = frozenset(
    [
        "unknown",
        "missing",
        "private",
        "blocked",
        "invalid",
        "deleted",
        "removed",
        "nothing",
        "nonumber",
        "notgiven",
        "hangups",
        "unnamed",
        "unlisted",
        "without",
        "nocalls",
        "spoofed",
        "changed",
        "several",
        "various",
        "numbers",
    ]
)
_DISTINCT_VANITY_LETTERS = 4
_KEYPAD = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "22233344455566677778889999")
_MEXICO, _MEXICAN_OLD_MOBILE_DIGITS = "52", 11
_STRAY_PLUS_DIGITS = 10


def phone(raw: str, profile: Profile) -> Indicator:
    """Bring a telephone number into canonical form.

    Returns:
        A phone (`+` and at most 15 digits, then perhaps `;ext=` and digits) or a shortcode.

    Raises:
        RejectedError: with the reason.
    """
    if len(raw) <= MAX_CHARACTERS:
        digits = raw.translate(_MARKS)
        plus = digits[:1] == "+"
        if plus:
            digits = digits[1:]
        if digits.isdigit() and digits.isascii():
            found = _quick(digits, profile, plus=plus)
            if found is not None:
                return Indicator(Kind.PHONE, found)
    return _careful(raw, profile)


def _quick(digits: str, profile: Profile, *, plus: bool) -> str | None:
    if plus:
        parts = phone_plans.from_international(digits)
    elif profile.plus_optional or profile.region is None:
        return None
    else:
        parts = phone_plans.from_national(digits, profile.region)
    if parts is None:
        return None
    code, national = parts
    return _checked(code, national, profile)


def _careful(raw: str, profile: Profile) -> Indicator:
    text, extension, glued = _split_extension(_folded(raw))
    digits = _only_digits(text, profile)
    parts = _read(digits, profile)
    if parts is None:
        short = None if extension else _short_code(digits, profile)
        if short is None:
            raise RejectedError(_why_unreadable(digits, profile))
        return Indicator(Kind.SHORTCODE, short)
    code, national = parts
    if glued and code != phone_plans.NANP:
        raise RejectedError(Reason.MASKED)
    value = _checked(code, national, profile)
    return Indicator(Kind.PHONE, f"{value};ext={extension}" if extension else value)


def _folded(raw: str) -> str:
    text = fold(raw)
    if not text.isascii():
        text = "".join(str(unicodedata.decimal(c, c)) for c in text)
    return text[4:].lstrip() if text[:4].lower() == "tel:" else text


def _split_extension(text: str) -> tuple[str, str, bool]:
    """Split a text into (number, extension digits, whether an `x` follows the number without a gap)."""
    match = _EXTENSION.search(text)
    if match is None or match.group("rfc", "word", "x") == (None, None, None):
        return text, "", False
    mark = match["x"] or ""
    glued = match["rfc"] is None and match["word"] is None and mark[:1] in ("x", "X", "#")
    return text[: match.start()].rstrip(" ,;"), match["digits"], glued


def _only_digits(text: str, profile: Profile) -> str:
    """Take the format marks off and refuse everything that is no digit or leading plus."""
    if _MASK.search(text):
        raise RejectedError(Reason.MASKED)
    if text[:1] in ("*", "#"):
        raise RejectedError(Reason.FEATURE_CODE)
    bare = text.translate(_MARKS)
    letters = {c for c in bare if c.isalpha()}
    if letters:
        bare = _vanity(bare, profile)
        if not bare:
            raise RejectedError(Reason.MASKED if letters <= _MASK_LETTERS else Reason.LETTERS)
    if not bare:
        raise RejectedError(Reason.EMPTY)
    if not _DIGITS.fullmatch(bare):
        raise RejectedError(Reason.INVALID)
    if not bare.lstrip("+0"):
        raise RejectedError(Reason.NULL_IDENTIFIER)
    return bare


def _vanity(bare: str, profile: Profile) -> str:
    """Turn a toll-free number that ends in a seven-letter word into digits; empty if it is none."""
    match = _VANITY.fullmatch(bare)
    american = bare.startswith("+1") or (
        profile.region is not None and phone_plans.calling_code(profile.region) == phone_plans.NANP
    )
    if match is None or not american:
        return ""
    word = match[1].lower()
    if word in _NO_VANITY_WORDS or len(set(word)) < _DISTINCT_VANITY_LETTERS:
        return ""
    return bare.upper().translate(_KEYPAD)


def _read(digits: str, profile: Profile) -> tuple[str, str] | None:
    if digits[0] == "+":
        return _ask_library(digits, None)
    readings = set()
    if profile.plus_optional:
        readings.add(_ask_library("+" + digits, None))
    if profile.region is not None:
        readings.add(_ask_library(digits, profile.region))
    readings.discard(None)
    if len(readings) > 1:
        raise RejectedError(Reason.AMBIGUOUS)
    return readings.pop() if readings else None


@functools.cache
def _prepare_library() -> None:
    phonenumbers.enable_pattern_cache()


def _ask_library(digits: str, region: str | None) -> tuple[str, str] | None:
    """Read digits with phonenumbers; None if they are no valid number or would be read otherwise again."""
    _prepare_library()
    try:
        number = phonenumbers.parse(digits, region)
    except phonenumbers.NumberParseException:
        return None
    code, national = str(number.country_code), phonenumbers.national_significant_number(number)
    if not phonenumbers.is_valid_number(number):
        if code != _MEXICO or len(national) != _MEXICAN_OLD_MOBILE_DIGITS or national[0] != "1":
            return None
        national = national[1:]  # mobiles lost the 1 after the country code in 2019
        if not phone_plans.is_valid(code, national):
            return None
    settled = f"+{code}{national}"
    if settled != digits and _ask_library(settled, None) != (code, national):
        return None
    return code, national


def _checked(code: str, national: str, profile: Profile) -> str:
    """Refuse numbers that are kept for fiction, or that may be a national number behind a stray plus."""
    if not profile.allow_reserved and is_reserved(code, national):
        raise RejectedError(Reason.RESERVED)
    if (
        code != phone_plans.NANP
        and profile.region is not None
        and not profile.trust_plus
        and len(code) + len(national) == _STRAY_PLUS_DIGITS
        and phone_plans.calling_code(profile.region) == phone_plans.NANP
        and (code + national)[:3] in phone_plans.nanp_area_codes()
    ):
        raise RejectedError(Reason.AMBIGUOUS)
    return f"+{code}{national}"


def _short_code(digits: str, profile: Profile) -> str | None:
    if profile.region is None or digits[0] == "+":
        return None
    code = phone_plans.calling_code(profile.region)
    number = phonenumbers.PhoneNumber(
        country_code=int(code),
        national_number=int(digits),
        italian_leading_zero=digits[0] == "0",
        number_of_leading_zeros=len(digits) - len(digits.lstrip("0")) or None,
    )
    if not phonenumbers.is_valid_short_number_for_region(number, profile.region):
        return None
    return f"{profile.region}:{digits}"


def _why_unreadable(digits: str, profile: Profile) -> Reason:
    if digits[0] != "+" and profile.region is None and not profile.plus_optional:
        return Reason.NEEDS_REGION
    return Reason.INVALID
