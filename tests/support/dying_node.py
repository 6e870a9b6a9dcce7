"""A node that is killed around the publication of a new pepper.

Run as `python dying_node.py run --home H`. `H/dying.txt` says when, once: `before` the grant of the new pepper is sent,
or `after` the coordinator has taken it, of which the node then hears nothing.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from nodes.cli import main
from nodes.members import Members
from trisect.trust import documents
from trisect.trust.statements import PepperGrant

PLAN = "dying.txt"


def dying(home: Path) -> None:
    """Have the node die as it is told."""
    send = Members._send

    async def send_or_die(members: Members, envelope: bytes) -> None:
        is_grant = documents.peek(envelope)[0] == PepperGrant.KIND
        when = (home / PLAN).read_text() if is_grant and (home / PLAN).exists() else ""
        if when == "before":
            die(home)
        await send(members, envelope)
        if when == "after":
            die(home)

    Members._send = send_or_die  # type: ignore[method-assign]


def die(home: Path) -> None:
    (home / PLAN).unlink()
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    dying(Path(sys.argv[sys.argv.index("--home") + 1]))
    main()
