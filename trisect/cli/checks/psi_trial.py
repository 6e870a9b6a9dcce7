"""A match of two tiny sets, run as a process: `python -m trisect.cli.checks.psi_trial`."""

from __future__ import annotations

import sys

from trisect.psi.ecdh import EcdhClient, EcdhServer

_COMMON = 3
_EACH = 8


def trial() -> bool:
    """Match eight items with eight, of which three are common."""
    own = [bytes([number]) * 32 for number in range(1, _EACH + 1)]
    other = own[:_COMMON] + [bytes([number]) * 32 for number in range(100, 100 + _EACH - _COMMON)]
    asker, answerer = EcdhClient(b"".join(own)), EcdhServer(b"".join(other))
    answerer.setup(0, _EACH)
    asker.add_setup(answerer.sorted_setup(0, _EACH), _EACH)
    evaluated = answerer.respond(asker.request(0, _EACH), _EACH)
    return sorted(asker.intersect(0, evaluated, _EACH)) == list(range(_COMMON))


if __name__ == "__main__":
    if not trial():
        sys.exit("the answer was wrong")
