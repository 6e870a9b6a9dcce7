"""A daemon with what a test cannot wait for: another clock, less patience, smaller transactions.

Run as `python tuned_daemon.py run --home H`. `H/tuned.json`, read at the start, names constants of modules:

    {"shift_s": 7200, "trisect.store.database.BUSY_TIMEOUT_S": 0.3}

`shift_s` is no constant: Trisect's own clock is so many seconds ahead. TLS goes by the system's. Modules take the clock
when they are loaded, so such a daemon cannot be forked from a process that has loaded them (`support.nursery`).
"""

from __future__ import annotations

import datetime as dt
import importlib
import json
import sys
import tomllib
from pathlib import Path

from trisect import clock

PLAN = "tuned.json"
SHIFT = "shift_s"


def is_shifted(home: Path) -> bool:
    """Tell whether the plan changes the clock."""
    plan = home / PLAN
    return plan.exists() and SHIFT in json.loads(plan.read_text())


def tune(home: Path) -> None:
    """Change what the plan names, the clock first."""
    plan = json.loads((home / PLAN).read_text())
    shift, true_clock = dt.timedelta(seconds=plan.pop(SHIFT, 0)), clock.system_clock
    clock.system_clock = lambda: true_clock() + shift
    for name, value in plan.items():
        module, _, constant = name.rpartition(".")
        found = importlib.import_module(module)
        former = getattr(found, constant)  # what is not there cannot be tuned
        for other in list(sys.modules.values()):  # those that have taken it from there too
            if other is found or getattr(other, constant, None) is former:
                setattr(other, constant, value)


if __name__ == "__main__":
    place = Path(sys.argv[sys.argv.index("--home") + 1])
    tune(place)
    if "party" in tomllib.loads((place / "config.toml").read_text()):
        from nodes.cli import main
    else:
        from coordinator.cli import main
    main()
