"""What a node says of its clock, by the coordinator's."""

from __future__ import annotations

import datetime as dt

import pytest

from nodes.times import TIME_KEY, Times
from trisect.clock import to_text
from trisect.rules.offers import CLOCK_TOLERANCE

NOW = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)
A_SECOND = dt.timedelta(seconds=1)


def said(apart: dt.timedelta, *, under_way: dt.timedelta = dt.timedelta(0)) -> str:
    """Give what a node whose clock is so far ahead says, after a call that took so long."""
    times = Times(lambda: NOW + apart + under_way)
    times.heard([(TIME_KEY, to_text(NOW))], NOW + apart)
    return times.trouble


@pytest.mark.parametrize(("sign", "where"), [(1, "ahead of"), (-1, "behind")])
def test_a_clock_that_is_more_than_a_minute_off_is_told(sign: int, where: str) -> None:
    assert said(sign * CLOCK_TOLERANCE) == ""
    assert f"this node's clock is 61 s {where} the coordinator's" in said(sign * (CLOCK_TOLERANCE + A_SECOND))


def test_a_call_that_takes_long_makes_no_clock_wrong() -> None:
    assert said(-CLOCK_TOLERANCE, under_way=2 * CLOCK_TOLERANCE) == ""
    assert said(-2 * CLOCK_TOLERANCE, under_way=CLOCK_TOLERANCE) == ""
    assert "behind" in said(-2 * CLOCK_TOLERANCE - A_SECOND, under_way=CLOCK_TOLERANCE)


@pytest.mark.parametrize(
    "told", [[], [(TIME_KEY, "soon")], [(TIME_KEY, b"\x00")]], ids=["nothing", "no time", "bytes"]
)
def test_a_coordinator_that_tells_no_time_proves_nothing(told: list[tuple[str, str | bytes]]) -> None:
    times = Times(lambda: NOW)
    times.heard([(TIME_KEY, to_text(NOW - 2 * CLOCK_TOLERANCE))], NOW)
    assert times.trouble
    times.heard(told, NOW)
    assert times.trouble == ""
