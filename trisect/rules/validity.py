"""From when until when a signed document holds."""

from __future__ import annotations

import datetime as dt

from trisect.errors import BadInputError


def check_life(noun: str, begins: dt.datetime, ends: dt.datetime, longest: dt.timedelta) -> None:
    """Check the times of a document, and that it does not hold for too long.

    Raises:
        BadInputError: a time has no zone or split seconds, or the end is before the beginning or too far from it.
    """
    for name, moment in (("valid_from", begins), ("valid_until", ends)):
        check_moment(noun, name, moment)
    if not dt.timedelta() < ends - begins <= longest:
        raise BadInputError(
            f"{noun} valid_until must be after valid_from, by {longest.days} days at most",
            hint="choose a later end, within that time",
        )


def check_moment(noun: str, name: str, moment: dt.datetime) -> None:
    """Check that a time has its zone and whole seconds; raises BadInputError."""
    if moment.utcoffset() is None or moment.microsecond:
        raise BadInputError(
            f"{noun} {name} needs its zone, and whole seconds", hint="such as 2026-01-31T00:00:00Z"
        )
