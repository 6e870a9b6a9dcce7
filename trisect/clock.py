"""Time and randomness as arguments, so that the core can be run twice with the same outcome.

Not here: sleeping and timeouts; they belong to the event loop of the daemons.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Callable
from typing import TypeAlias

Clock: TypeAlias = Callable[[], dt.datetime]
"""Gives the present time, always with time zone UTC."""

Randomness: TypeAlias = Callable[[int], bytes]
"""Gives that many unpredictable bytes."""


def system_clock() -> dt.datetime:
    """Tell the time of the operating system, in UTC."""
    return dt.datetime.now(dt.UTC)


def system_randomness(count: int) -> bytes:
    """Draw `count` bytes from the operating system's generator."""
    return secrets.token_bytes(count)


def to_text(moment: dt.datetime) -> str:
    """Write a moment as RFC 3339 in UTC with whole seconds, as every document and answer shows it."""
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def days(moment: dt.datetime) -> int:
    """Count the whole days since 1970-01-01 (UTC)."""
    return int(moment.timestamp()) // 86_400


def from_seconds(seconds: int) -> dt.datetime:
    """Read seconds since 1970, as cosignatures carry them."""
    return dt.datetime.fromtimestamp(seconds, dt.UTC)


def from_text(text: str) -> dt.datetime:
    """Read what `to_text` wrote; raises ValueError for anything else."""
    return dt.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=dt.UTC)
