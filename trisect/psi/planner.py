"""Which engine runs, and what each side learns by it.

The planner chooses among the engines that there are and that serve the mode; what it says of them is shown
by `--explain` before a byte moves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from trisect.errors import BadInputError
from trisect.psi.items import client_size, server_size
from trisect.psi.points import POINT_BYTES
from trisect.rules.vocabulary import Mode

AUTO = "auto"
_SECONDS_PER_STEP = 80e-6
_FRAME_OVERHEAD = 1.001


@dataclass(frozen=True, slots=True)
class Learning:
    """What each side learns by an engine in one mode, in words for people."""

    asker_learns: str
    answerer_learns: str
    coordinator_learns: str
    assumes: str


@dataclass(frozen=True, slots=True)
class Engine:
    """One matching protocol, and what is learned by it in each mode that it serves."""

    name: str
    modes: Mapping[Mode, Learning]


_COORDINATOR_LEARNS = (
    "who asked whom, when, for what purpose, by which rule; kinds, legal bases and, to within a band, "
    "sizes of both lists; no entry, no token, no collection's name, no result"
)
_MATCH = Learning(
    asker_learns="which of its own entries the answerer has too; kinds, legal basis and, to within a band, size of the "
    "answerer's list",
    answerer_learns="that it was asked, for what purpose, when; kinds, legal basis and, to within a band, size of the "
    "asker's list; not what was asked, not what matched",
    coordinator_learns=_COORDINATOR_LEARNS,
    assumes="the Diffie-Hellman problem on P-256; honest input: either side can lie about its own list",
)
_COUNT = Learning(
    asker_learns="how many entries are common, with noise and rounded as the rulebook says, once a day; kinds, legal "
    "basis and, to within a band, size of the answerer's list; not which are common",
    answerer_learns="exactly how many entries are common and, if it deviates, which of its own the asker holds; that it "
    "was asked, for what purpose, when; kinds, legal basis and, to within a band, size of the asker's list",
    coordinator_learns=_COORDINATOR_LEARNS,
    assumes="the Diffie-Hellman problem on P-256; both sides follow the protocol, since an asker that deviates can have "
    "one common entry count many times, beyond the noise; honest input: either side can lie about its own list",
)
ECDH = Engine("ecdh", {Mode.MATCH: _MATCH, Mode.COUNT: _COUNT})
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
        raise BadInputError(
            f"engine {name} does not do {mode.value} yet", hint="use `trisect match` or `trisect count`"
        )
    return engine


def why(wanted: str) -> str:
    """Say in a sentence why that engine was taken."""
    if wanted != AUTO:
        return "you named it"
    return "it is the default for one-off questions: an asker that deviates learns no more by it"


def estimate(client_padded: int, server_padded: int) -> Estimate:
    """Estimate an ECDH exchange between two padded sizes: the asker's first in a match, the answerer's in a count."""
    client, server = client_size(client_padded), server_size(server_padded, client_padded)
    size = (2 * client + server) * POINT_BYTES * _FRAME_OVERHEAD
    return Estimate(int(size), (max(client, server) + client) * _SECONDS_PER_STEP)
