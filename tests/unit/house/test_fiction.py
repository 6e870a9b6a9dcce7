"""Telephone numbers in tests, manual, figures and configurations are nobody's: a test must not ring at a person's."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

import phonenumbers
import pytest

from trisect.indicators.forms.phone_reserved import is_reserved

ROOT = Path(__file__).parents[3]
SEARCHED = ("tests", "docs", "bench", "deploy", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
NOT_SEARCHED = {
    "tests/vectors/awkward_inputs.json": "given to the project as it is",
    "deploy/samples/bank": "tests/unit/samples knows the range of every number of the samples",
    "deploy/samples/canonical": "tests/unit/samples, as above; and digits in names of public lists",
    "deploy/samples/government": "tests/unit/samples, as above",
    "deploy/samples/known_answer.json": "tests/unit/samples, as above",
    "deploy/samples/proxy": "tests/unit/samples, as above",
    "deploy/samples/telco": "tests/unit/samples, as above",
}
"""Files and folders, and why. What is not there any more must leave the list."""
NAMED = {
    "+12025551212": "directory assistance, no person's",
    "+15550123456": "an area code that there is not",
    "+18003569377": "1-800-FLOWERS, a shop that spells it so itself",
    "+6620162300": "of the given awkward inputs: Thai and North American at once",
    "+493023125000": "of the range that the Bundesnetzagentur keeps for fiction",
}
"""Numbers that no pattern or library knows to be nobody's, and why they may stand."""
NO_NUMBERS = {
    "1767225600": "a time in seconds",
    "2130706433": "127.0.0.1 as one number",
    "925076473": "the specimen passport of the United Kingdom",
}
"""Digits that could be a telephone number and are something else."""
REGIONS = ("US", "GB", "AU", "FR", "DE", "CN", "MX", "EG")
"""Where a number without its country may be meant."""
TYPES = (
    phonenumbers.PhoneNumberType.FIXED_LINE,
    phonenumbers.PhoneNumberType.MOBILE,
    phonenumbers.PhoneNumberType.TOLL_FREE,
)
WRITTEN = re.compile(
    r"(?<![\w.:/+*-])(?<!\d )(?!\d{4}-\d\d-\d\d)\+?(?:\(?\d\)?(?: ?- ?|[ .])?){8,12}\d(?!\w|[ -]\d)"
)
"""9 to 13 digits that are no date and no part of more digits."""
_E164 = phonenumbers.PhoneNumberFormat.E164


def readings(text: str) -> Iterator[phonenumbers.PhoneNumber]:
    """Give every number that a text may mean."""
    whole = [text] if text.startswith("+") else [f"+{text}", *(f"{region}:{text}" for region in REGIONS)]
    for one in whole:
        region, _, digits = one.rpartition(":")
        with contextlib.suppress(phonenumbers.NumberParseException):
            yield phonenumbers.parse(digits, region or None)


def is_nobodys(number: phonenumbers.PhoneNumber) -> bool:
    """Whether a number is kept for fiction, an example that libphonenumber publishes, or named above."""
    national = phonenumbers.national_significant_number(number)
    if is_reserved(str(number.country_code), national):
        return True
    region = phonenumbers.region_code_for_number(number)
    examples = (phonenumbers.example_number_for_type(region, kind) for kind in TYPES)
    return number in examples or phonenumbers.format_number(number, _E164) in NAMED


def persons(text: str) -> Iterator[str]:
    """Find what may be a person's telephone number: valid in some reading, and nobody's in none."""
    for match in WRITTEN.finditer(text):
        found = list(readings(match.group()))
        valid = any(phonenumbers.is_valid_number(number) for number in found)
        if valid and re.sub(r"\D", "", match.group()) not in NO_NUMBERS and not any(map(is_nobodys, found)):
            yield match.group()


def searched() -> list[Path]:
    found = [
        path
        for name in SEARCHED
        for path in ((ROOT / name).rglob("*") if (ROOT / name).is_dir() else [ROOT / name])
    ]
    return sorted(
        path
        for path in found
        if path.is_file()
        and "__pycache__" not in path.parts
        and not any(path.is_relative_to(ROOT / name) for name in NOT_SEARCHED)
    )


def test_no_number_is_a_person_s() -> None:
    paths = searched()
    assert {ROOT / "deploy/samples/bad_rows.csv", Path(__file__)} <= set(paths)
    found = {str(path.relative_to(ROOT)): list(persons(path.read_text(encoding="utf-8"))) for path in paths}
    assert {name: numbers for name, numbers in found.items() if numbers} == {}


def test_every_exception_is_there() -> None:
    assert [name for name in NOT_SEARCHED if not (ROOT / name).exists()] == []
    everything = "".join(path.read_text(encoding="utf-8") for path in searched() if path != Path(__file__))
    assert [text for text in NO_NUMBERS if text not in everything] == []
    digits = re.sub("[^0-9]", "", everything)
    assert [number for number in NAMED if number[-9:] not in digits] == []


@pytest.mark.parametrize("kept", ["+1 202 555 0143", "020 7946 0123", "0491 570 006", "+52 222 123 4567"])
def test_numbers_of_fiction_are_left_alone(kept: str) -> None:
    assert list(persons(f"call {kept} now")) == []


@pytest.mark.parametrize("spelling", ["+{0}{1}", "+{0} {1}", "{1}", "{0}{1}"])
def test_a_person_s_number_would_be_found(spelling: str) -> None:
    """The switchboard of a government: it is public, and put together here so that it does not stand in the file."""
    made = spelling.format("1", "".join(map(str, (2, 0, 2, 4, 5, 6, 1, 4, 1, 4))))
    assert list(persons(f'"{made}"')) == [made]
