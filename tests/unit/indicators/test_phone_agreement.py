"""The compiled numbering plans and phonenumbers itself give the same answers, valid numbers and others."""

from __future__ import annotations

import random
import re

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trisect.indicators.forms import phone as phone_form
from trisect.indicators.forms import phone_plans
from trisect.indicators.forms.phone_reserved import is_reserved

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
TYPES = [
    phonenumbers.PhoneNumberType.FIXED_LINE,
    phonenumbers.PhoneNumberType.MOBILE,
    phonenumbers.PhoneNumberType.TOLL_FREE,
    phonenumbers.PhoneNumberType.VOIP,
]


def examples(region: str, chance: random.Random, count: int) -> list[str]:
    """Make up digits near valid numbers of a region: dialled nationally, abroad, cut, stretched, random."""
    code = str(phonenumbers.country_code_for_region(region))
    prefix = phonenumbers.ndd_prefix_for_region(region, strip_non_digits=True) or ""
    known = [n for kind in TYPES if (n := phonenumbers.example_number_for_type(region, kind)) is not None]
    made = []
    for _ in range(count):
        national = phonenumbers.national_significant_number(chance.choice(known))
        keep = chance.randint(0, len(national))
        national = national[:keep] + "".join(chance.choices("0123456789", k=len(national) - keep))
        national = chance.choice([national, national, national, national[:-1], national + "0"])
        made.append(
            chance.choice(
                ["", "", prefix, code, prefix + prefix, "00", "1", "+" + code, "+" + code + prefix, "+"]
            )
            + national
        )
    return made


def quick_and_library(digits: str, region: str) -> tuple[tuple[str, str] | None, tuple[str, str] | None]:
    if digits[0] == "+":
        return phone_plans.from_international(digits[1:]), phone_form._ask_library(digits, None)
    return phone_plans.from_national(digits, region), phone_form._ask_library(digits, region)


@pytest.mark.parametrize("region", REGIONS)
def test_a_plan_never_contradicts_the_library(region: str) -> None:
    chance = random.Random(f"trisect {region}")
    settled = 0
    for digits in examples(region, chance, 250):
        quick, library = quick_and_library(digits, region)
        if quick is not None:
            assert quick == library, (region, re.sub(r"\d", "9", digits))
            settled += 1
    assert settled > 20, "the plan of this region settles hardly anything"


@settings(max_examples=1500, deadline=None)
@given(region=st.sampled_from(REGIONS), digits=st.from_regex(r"\+?[0-9]{4,15}", fullmatch=True))
def test_a_plan_never_contradicts_the_library_on_any_digits(region: str, digits: str) -> None:
    quick, library = quick_and_library(digits, region)
    assert quick is None or quick == library


@settings(max_examples=1500, deadline=None)
@given(
    code=st.sampled_from(["1", "7", "39", "44", "47", "61", "212", "262", "358", "590", "599"]),
    national=st.from_regex(r"[0-9]{5,12}", fullmatch=True),
)
def test_shared_calling_codes_are_valid_where_the_library_says_so(code: str, national: str) -> None:
    number = phonenumbers.PhoneNumber(country_code=int(code), national_number=int(national))
    if national[0] == "0":
        number.italian_leading_zero = True
        number.number_of_leading_zeros = max(1, len(national[:-1]) - len(national[:-1].lstrip("0")))
    if phonenumbers.national_significant_number(number) == national:
        assert phone_plans.is_valid(code, national) == phonenumbers.is_valid_number(number)


def test_most_ordinary_spellings_are_settled_by_the_plans() -> None:
    for region, spelling in (
        ("US", "2025550143"),
        ("US", "12025550143"),
        ("GB", "02079460123"),
        ("CN", "13123456789"),
    ):
        assert phone_plans.from_national(spelling, region) is not None
    for spelling in ("12025550143", "442079460123", "4402079460123", "8613123456789", "390212345678"):
        assert phone_plans.from_international(spelling) is not None


def test_area_codes_in_use() -> None:
    codes = phone_plans.nanp_area_codes()
    assert 300 < len(codes) < 600
    assert {"202", "662", "833", "416"} <= codes
    assert not codes & {"000", "123", "911", "999"}


@pytest.mark.parametrize(
    ("code", "national", "reserved"),
    [("1", "2025550100", True), ("1", "2025551212", False), ("44", "7700900123", True), ("44", "7400123456", False),
     ("61", "491570006", True), ("33", "199001234", True), ("49", "3023125000", False)],
)  # fmt: skip
def test_numbers_kept_for_fiction(code: str, national: str, *, reserved: bool) -> None:
    assert is_reserved(code, national) is reserved
