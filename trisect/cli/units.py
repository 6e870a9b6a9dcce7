"""Spans of time and of work as people write and read them."""

from __future__ import annotations

import re

from trisect.cli.failures import UsageError

_SPAN = re.compile(r"([1-9][0-9]{0,7})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
MAX_SPAN_S = 2**32 - 1
SHORT_S = 10


def seconds(text: str, option: str) -> int:
    """Read a span such as 30m, 24h or 7d; raises UsageError naming the option."""
    found = _SPAN.fullmatch(text.strip())
    value = int(found[1]) * _SECONDS[found[2]] if found else 0
    if not 0 < value <= MAX_SPAN_S:
        raise UsageError(f"{option} is not a span of time", hint="write 90s, 30m, 24h or 7d")
    return value


def span(value: float) -> str:
    """Write a span in its two largest units; a short one with a tenth."""
    if value < SHORT_S:
        return f"{value:.1f}".removesuffix(".0") + "s"
    left = round(value)
    for name, next_name in (("d", "h"), ("h", "m"), ("m", "s")):
        unit = _SECONDS[name]
        if left >= unit:
            rest = left % unit // _SECONDS[next_name]
            return f"{left // unit}{name}" + (f" {rest}{next_name}" if rest else "")
    return f"{left}s"
