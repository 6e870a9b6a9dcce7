"""Words of others are one bounded line that steers no terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trisect.rpc.words import MAX_CHARACTERS, bounded, printable


@pytest.mark.parametrize(
    "mark", ["\x1b", "\n", "\r", "\x00", "\x7f", "\x9b", "\u202e", "\u2066", "\u2028", "\u200f"]
)
def test_what_steers_a_terminal_becomes_a_question_mark(mark: str) -> None:
    assert printable(f"a{mark}b") == "a?b"


@pytest.mark.parametrize("text", ["", "plain words", "金 é ß", "docs/errors.md#input", "a…b"])
def test_plain_words_stay(text: str) -> None:
    assert printable(text) == bounded(text) == text


@given(st.text(max_size=3 * MAX_CHARACTERS))
def test_words_are_one_bounded_line(text: str) -> None:
    found = bounded(text)
    assert found.isprintable()
    assert len(found) == min(len(text), MAX_CHARACTERS)
    assert bounded(found) == found
    if len(text) > MAX_CHARACTERS:
        assert found.endswith("…")
