"""What clocks have to do with a lost link and with refused offers, told in words.

The coordinator's time comes with its list of statements. It is a diagnosis and decides nothing: offers are
judged by both ends' own clocks, certificates by TLS.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import grpc.aio

from trisect.clock import Clock, from_text, to_text
from trisect.errors import TrisectError, UnauthenticatedError, UnreachableError
from trisect.rules.offers import CLOCK_TOLERANCE
from trisect.trust import certificates

TIME_KEY = "trisect-time"
CURE = "set the clocks of this machine and of the coordinator's (NTP)"
_OUT_OF_TIME = ("certificate is not yet valid", "certificate has expired")
"""How gRPC's TLS says that the coordinator's certificate does not hold now."""


class Times:
    """This node's clock beside the coordinator's.

    Attributes:
        trouble: what is wrong with the clocks, as far as is known; empty where nothing is.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.trouble = ""

    def heard(self, metadata: Iterable[tuple[str, str | bytes]], asked_at: dt.datetime) -> None:
        """Compare the coordinator's time in a reply with the own, which was `asked_at` when it was asked."""
        told = dict(metadata).get(TIME_KEY)
        try:
            theirs = from_text(told) if isinstance(told, str) else None
        except ValueError:
            theirs = None
        self.trouble = "" if theirs is None else _difference(theirs, asked_at, self._clock())

    def explained(self, error: TrisectError, certificate: bytes) -> TrisectError:
        """Give a better reason for a coordinator that cannot be reached, where a clock or a certificate is it.

        Args:
            error: what a call to the coordinator raised.
            certificate: the one that this node showed, PEM, or empty.
        """
        if not isinstance(error, UnreachableError):
            return error
        cause = error.__cause__
        details = (cause.details() or "") if isinstance(cause, grpc.aio.AioRpcError) else ""
        if any(sign in details for sign in _OUT_OF_TIME):
            self.trouble = "the coordinator's certificate does not hold at this machine's time"
            return UnauthenticatedError(self.trouble, hint=CURE)
        if certificate and (ended := certificates.validity(certificate)[1]) <= self._clock():
            return UnauthenticatedError(
                f"this node's certificate expired at {to_text(ended)}",
                hint="if the clock is right: ask the coordinator's administrator for a new invitation, stop the "
                "node, and repeat `trisect-node join` in this home; nothing in it is lost",
            )
        return error


def _difference(theirs: dt.datetime, before: dt.datetime, after: dt.datetime) -> str:
    ahead, behind = before - theirs, theirs - after
    most = max(ahead, behind)
    if most <= CLOCK_TOLERANCE:
        return ""
    return (
        f"this node's clock is {most.total_seconds():.0f} s {'ahead of' if most == ahead else 'behind'} the "
        f"coordinator's, and peers refuse offers from {CLOCK_TOLERANCE.total_seconds():.0f} s on: {CURE}"
    )
