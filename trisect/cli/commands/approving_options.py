"""Options of every act that takes the approval of officers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

OfficerKeys = Annotated[
    list[Path],
    typer.Option(
        "--officer-key", metavar="FILE", help="The key of an officer who approves it here; may be repeated."
    ),
]
ProposalFile = Annotated[
    Path | None,
    typer.Option(
        "--proposal", metavar="FILE", help="Leave it there for officers to sign, and publish nothing yet."
    ),
]
