"""The one family of errors, and the fault each of them carries.

A fault says whose turn it is: the caller's, the peer's, the operator's or ours. One table in
`trisect.rpc.status` maps it to a gRPC status and an exit code. Messages say what is wrong, hints say what
would mend it, and neither ever holds a raw value or a token.
"""

from __future__ import annotations

import enum


class Fault(enum.Enum):
    """What kind of failure it is, as far as a caller needs to know."""

    BAD_INPUT = "bad_input"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    UNREACHABLE = "unreachable"
    UNAUTHENTICATED = "unauthenticated"
    TIMED_OUT = "timed_out"
    DENIED = "denied"
    STALE = "stale"
    EXHAUSTED = "exhausted"
    FAILED = "failed"
    BUG = "bug"


class TrisectError(Exception):
    """Base of every failure that Trisect foresees.

    Args:
        message: one sentence, without any indicator, token or secret.
        hint: what would mend it; empty where there is nothing better to say than the class's `cure`.
        rule: the id of the rule or local limit that denied, or empty.

    Attributes:
        fault: what kind of failure the class stands for.
        code: its stable name.
        crosses_wire: whether what comes over the wire may be of this class; not for one program's own.
        cure: what mends most failures of the class.
    """

    fault = Fault.FAILED
    code = "TRI-FAILED"
    crosses_wire = True
    cure = ""

    def __init__(self, message: str, *, hint: str = "", rule: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint or self.cure
        self.rule = rule


class BadInputError(TrisectError):
    """The caller's arguments or file are wrong; the same call again gives the same error."""

    fault = Fault.BAD_INPUT
    code = "TRI-INPUT"


class NotFoundError(TrisectError):
    """What the caller named does not exist here."""

    fault = Fault.NOT_FOUND
    code = "TRI-UNKNOWN"


class ConflictError(TrisectError):
    """The act does not fit the present state, or somebody else was first."""

    fault = Fault.CONFLICT
    code = "TRI-CONFLICT"


class UnreachableError(TrisectError):
    """A daemon or a peer cannot be reached now."""

    fault = Fault.UNREACHABLE
    code = "TRI-UNREACHABLE"
    cure = "try again in a moment; `trisect status` shows which link is down"


class UnauthenticatedError(TrisectError):
    """The other end is not who it should be, or cannot prove it."""

    fault = Fault.UNAUTHENTICATED
    code = "TRI-AUTH"
    cure = "ask the coordinator's administrator for a new invitation, and join anew"


class TimedOutError(TrisectError):
    """A deadline passed."""

    fault = Fault.TIMED_OUT
    code = "TRI-TIMEOUT"
    cure = "try again; if it comes again, look at the load and the network of both ends"


class DeniedError(TrisectError):
    """A rule, a sharing, a limit or a suspension forbids it; again only after what the hint names."""

    fault = Fault.DENIED
    code = "TRI-DENIED"


class StaleError(TrisectError):
    """A pepper epoch, a rulebook or a record head is behind the other end's."""

    fault = Fault.STALE
    code = "TRI-STALE"


class ExhaustedError(TrisectError):
    """Disk, memory, a size limit or a queue is full; nothing was lost."""

    fault = Fault.EXHAUSTED
    code = "TRI-EXHAUSTED"


class VerificationError(TrisectError):
    """A signature, a certificate, a frame or a protocol message does not verify."""

    fault = Fault.FAILED
    code = "TRI-VERIFY"
    cure = "nothing of it was used; try again, and if it comes again tell both ends' administrators"
