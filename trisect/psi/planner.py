"""Which engine runs, and what each side learns by it.

The planner chooses among the engines that there are and that serve the mode; what it says of them is shown
by `--explain` before a byte moves.
"""

from __future__ import annotations

from dataclasses import dataclass

from trisect.errors import BadInputError
from trisect.psi.items import answered_size, asked_size
from trisect.psi.points import POINT_BYTES
from trisect.rules.vocabulary import Mode

AUTO = "auto"
_SECONDS_PER_STEP = 80e-6
_FRAME_OVERHEAD = 1.001


@dataclass(frozen=True, slots=True)
class Engine:
    """One matching protocol, in words for people."""

    name: str
    modes: frozenset[Mode]
    asker_learns: str
    answerer_learns: str
    coordinator_learns: str
    assumes: str


ECDH = Engine(
    name="ecdh",
    modes=frozenset({Mode.MATCH}),
    asker_learns="which of its own entries the answerer has too; kinds, legal basis and, to within a band, size of the "
    "answerer's list",
    answerer_learns="that it was asked, for what purpose, when; kinds, legal basis and, to within a band, size of the "
    "asker's list; not what was asked, not what matched",
    coordinator_learns="who asked whom, when, for what purpose, by which rule; kinds, legal bases and, to within a band, "
    "sizes of both lists; no entry, no token, no collection's name, no result",
    assumes="the Diffie-Hellman problem on P-256; honest input: either side can lie about its own list",
)
ENGINES = {engine.name: engine for engine in (ECDH,)}


@dataclass(frozen=True, slots=True)
class Estimate:
    """What an exchange will cost: bytes both ways, and seconds on one core a side."""

    bytes: int
    seconds: float


def choose(wanted: str, mode: Mode) -> Engine:
    """Choose an engine for a mode.

    Args:
        wanted: an engine's name, or `auto`.
        mode: what the asker is to learn.

    Raises:
        BadInputError: no such engine, or none for this mode.
    """
    if wanted != AUTO:
        return require(wanted, mode)
    return require(ECDH.name, mode)


def require(name: str, mode: Mode) -> Engine:
    """Look an engine up that must serve a mode; raises BadInputError."""
    engine = ENGINES.get(name)
    if engine is None:
        raise BadInputError("there is no such engine", hint=f"engines: {AUTO}, {', '.join(ENGINES)}")
    if mode not in engine.modes:
        raise BadInputError(f"engine {name} does not do {mode.value} yet", hint="use `trisect match`")
    return engine


def why(wanted: str) -> str:
    """Say in a sentence why that engine was taken."""
    if wanted != AUTO:
        return "you named it"
    return "it is the default for a one-off match: it stays sound against an asker that deviates"


def estimate(asked_padded: int, answered_padded: int) -> Estimate:
    """Estimate an ECDH match of two padded sizes."""
    asked, answered = asked_size(asked_padded), answered_size(answered_padded, asked_padded)
    size = (2 * asked + answered) * POINT_BYTES * _FRAME_OVERHEAD
    return Estimate(int(size), (max(asked, answered) + asked) * _SECONDS_PER_STEP)
