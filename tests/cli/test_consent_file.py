"""Files of consents: every line is read as it stands or refused with what is wrong."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from trisect.cli.acts import consent_file
from trisect.errors import BadInputError

WISH = {"person": "1", "purposes": ["rights"], "kinds": ["phone"], "parties": ["bank"], "method": "an app"}


def test_a_line_says_all_that_it_can() -> None:
    more = {"days": 30, "pressures": ["bundled"], "notice": 2, "language": "zh"}
    found = consent_file._request(json.dumps(WISH | more))
    assert (found.person, found.days, found.notice, found.language, found.once) == ("1", 30, 2, "zh", True)
    assert (list(found.purposes), list(found.kinds), list(found.parties)) == (["rights"], ["phone"], ["bank"])
    assert list(found.pressures) == ["bundled"]
    assert consent_file._request(json.dumps(WISH)).days == 365


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("", "no JSON"),
        ("[1]", "no JSON"),
        ("3", "no JSON"),
        ("[" * 100_000, "no JSON"),
        (json.dumps({name: WISH[name] for name in WISH if name != "kinds"}), "kinds is missing"),
        (json.dumps(WISH | {"token": "ab"}), "unknown"),
        *(
            (json.dumps(WISH | changes), next(iter(changes)))
            for changes in (
                {"person": 1},
                {"purposes": "rights"},
                {"parties": [1]},
                {"days": True},
                {"days": 0},
                {"days": 2**31},
                {"notice": -1},
                {"language": None},
            )
        ),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_line_that_is_not_sound_is_refused(line: str, wrong: str) -> None:
    with pytest.raises(BadInputError, match=wrong):
        consent_file._request(line)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("", []),
        ("a\n\nb", [1, 3]),
        ("a\nb\n", [1, 2]),
        ("x" * consent_file.MAX_LINE * 2 + "\nb", [1, 2]),
        ("x" * consent_file.MAX_LINE + "\nb", [1, 2]),
        ("x" * (consent_file.MAX_LINE - 1) + "\nb", [1, 2]),
    ],
    ids=["none", "a blank one", "a last break", "too long", "by one too long", "as long as may be"],
)
def test_lines_keep_their_numbers(text: str, numbers: list[int]) -> None:
    found: list[tuple[int, Any]] = list(consent_file._lines(io.StringIO(text)))
    assert [number for number, _ in found] == numbers
    assert all(len(line) <= consent_file.MAX_LINE for _, line in found)
