"""Numbering plans compiled from the phonenumbers metadata, for the spellings that make up most of a list.

A plan answers only where its answer is certain to be that of phonenumbers, and otherwise None: then the
caller asks the library itself. `tests/unit/indicators/test_phone_agreement.py` holds the two together.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata

if TYPE_CHECKING:
    from phonenumbers import PhoneNumberDesc

NANP = "1"
"""Calling code of the North American Numbering Plan, shared by some 25 countries."""

_LONGEST_CALLING_CODE = 3
_NANP_NATIONAL_DIGITS = 10
_WORLD = "001"
_TYPES = (
    "premium_rate",
    "toll_free",
    "shared_cost",
    "voip",
    "personal_number",
    "pager",
    "uan",
    "voicemail",
    "fixed_line",
    "mobile",
)


@dataclass(frozen=True, slots=True)
class _Region:
    """One region's share of a calling code: leading digits or None, and valid numbers by their length."""

    leading: re.Pattern[str] | None
    valid: dict[int, re.Pattern[str]]

    def holds(self, national: str) -> bool:
        pattern = self.valid.get(len(national))
        return pattern is not None and pattern.fullmatch(national) is not None


@dataclass(frozen=True, slots=True)
class _Dialling:
    """How a region's national spellings begin.

    Attributes:
        code: calling code, digits.
        exit: international prefix (regular expression), or None.
        prefix: national prefix for parsing (regular expression), or None.
        rewrites: the prefix may also rewrite what follows (then only the library can tell).
        general: what every national number of the region looks like.
        lengths: possible lengths of national numbers.
    """

    code: str
    exit: re.Pattern[str] | None
    prefix: re.Pattern[str] | None
    rewrites: bool
    general: re.Pattern[str]
    lengths: frozenset[int]

    @property
    def prefix_is_code(self) -> bool:
        """Whether 1 is both calling code and national prefix, so that 11 digits mean one thing only."""
        return self.code == NANP and self.prefix is not None and self.prefix.pattern == NANP

    def national(self, digits: str) -> str | None:
        """Take a national prefix off as the library does; None where only the library can tell."""
        match = self.prefix.match(digits) if self.prefix is not None else None
        if match is None:
            return digits
        if self.rewrites and match.groups()[-1:] != (None,):
            return None
        national = digits[match.end() :]
        if self.general.fullmatch(digits) and not self.general.fullmatch(national):
            return digits
        return national if len(national) in self.lengths else None


@functools.cache
def _regions(code: str) -> tuple[_Region, ...]:
    """Compile the regions that share a calling code, in the library's order; empty for worldwide codes."""
    names = COUNTRY_CODE_TO_REGION_CODE.get(int(code), ())
    if _WORLD in names:
        return ()
    found = []
    for name in names:
        metadata = PhoneMetadata.metadata_for_region(name, None)
        if metadata is None or metadata.general_desc is None:
            continue
        leading = metadata.leading_digits
        general = metadata.general_desc
        descs = [desc for kind in _TYPES if (desc := getattr(metadata, kind)) is not None]
        found.append(_Region(re.compile(leading) if leading else None, _valid_by_length(general, descs)))
    return tuple(found)


def _valid_by_length(general: PhoneNumberDesc, descs: list[PhoneNumberDesc]) -> dict[int, re.Pattern[str]]:
    valid = {}
    for length in general.possible_length:
        patterns = dict.fromkeys(
            desc.national_number_pattern
            for desc in descs
            if desc.national_number_pattern and (not desc.possible_length or length in desc.possible_length)
        )
        if patterns:
            anyone = "|".join(f"(?:{pattern})" for pattern in patterns)
            valid[length] = re.compile(rf"(?=(?:{general.national_number_pattern})\Z)(?:{anyone})")
    return valid


@functools.cache
def _dialling(region: str) -> _Dialling | None:
    metadata = PhoneMetadata.metadata_for_region(region, None)
    if metadata is None or metadata.general_desc is None or metadata.country_code is None:
        return None
    prefix = metadata.national_prefix_for_parsing
    return _Dialling(
        code=str(metadata.country_code),
        exit=re.compile(metadata.international_prefix) if metadata.international_prefix else None,
        prefix=re.compile(prefix) if prefix else None,
        rewrites=bool(metadata.national_prefix_transform_rule),
        general=re.compile(metadata.general_desc.national_number_pattern or r"\Z\A."),
        lengths=frozenset(metadata.general_desc.possible_length),
    )


@functools.cache
def _main_dialling(code: str) -> _Dialling | None:
    regions = COUNTRY_CODE_TO_REGION_CODE.get(int(code), ())
    return _dialling(regions[0]) if regions and regions[0] != _WORLD else None


_KNOWN_CODES = frozenset(str(code) for code in COUNTRY_CODE_TO_REGION_CODE)


def is_valid(code: str, national: str) -> bool:
    """Tell whether a national number is valid in a region of a calling code (worldwide codes: never)."""
    for region in _regions(code):
        if region.leading is None:
            if region.holds(national):
                return True
        elif region.leading.match(national):
            return region.holds(national)
    return False


def from_international(digits: str) -> tuple[str, str] | None:
    """Read digits that follow a plus as (calling code, national number).

    Returns:
        Both parts of a valid number, or None where only the library can tell.
    """
    code = next(
        (digits[:n] for n in range(1, _LONGEST_CALLING_CODE + 1) if digits[:n] in _KNOWN_CODES),
        "",
    )
    if not code:
        return None
    main = _main_dialling(code)
    if main is None:
        return None
    national = main.national(digits[len(code) :])
    return _settled(code, national, main)


def from_national(digits: str, region: str) -> tuple[str, str] | None:
    """Read digits as they are dialled inside a region, as (calling code, national number).

    Returns:
        Both parts of a valid number, or None where only the library can tell.
    """
    plan = _dialling(region)
    if plan is None or (plan.exit is not None and plan.exit.match(digits)):
        return None
    if plan.prefix_is_code and len(digits) == _NANP_NATIONAL_DIGITS + 1:
        if digits[0] != NANP or digits[1] == NANP:
            return None
        national: str | None = digits[1:]
    elif digits.startswith(plan.code) and (
        len(digits) > max(plan.lengths) or not plan.general.fullmatch(digits)
    ):
        return None
    else:
        national = plan.national(digits)
    main = _main_dialling(plan.code)
    return _settled(plan.code, national, main) if main is not None else None


def _settled(code: str, national: str | None, main: _Dialling) -> tuple[str, str] | None:
    """Let a number pass only if it is valid and would be read as itself again."""
    if not national or main.national(national) != national:
        return None
    return (code, national) if is_valid(code, national) else None


@functools.cache
def nanp_area_codes() -> frozenset[str]:
    """List the area codes in use under calling code 1, three digits each."""
    return frozenset(str(area) for area in range(200, 1000) if is_valid(NANP, f"{area}2345678"))


def calling_code(region: str) -> str:
    """Find a region's calling code, digits; empty if the region has none."""
    plan = _dialling(region)
    return plan.code if plan is not None else ""
