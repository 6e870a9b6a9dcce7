"""How long a newcomer waits: `make demo` twice, `make test` and `.ci/run`, each in a fresh clone of what is committed.

Run: python bench/setup_times.py [demo] [test] [ci]; all three by default, half an hour on two cores. A machine that does
nothing else tells the truth. Packages come from where pip finds them, so that the first demo also measures that way.
Not part of `make bench`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench import machine

ROOT = Path(__file__).parents[1]
JOBS = {
    "demo": (("make demo, first", ["make", "demo"]), ("make demo, second", ["make", "demo"])),
    "test": (("make test, from nothing", ["make", "test"]), ("make test, second", ["make", "test"])),
    "ci": ((".ci/run, from nothing", [".ci/run"]),),
}
LAST_LINES = 40


def main(jobs: Sequence[str] = (), source: Path = ROOT) -> None:
    """Clone anew for each job, and measure its commands one after the other.

    Args:
        jobs: of `JOBS`; all where none is named.
        source: the repository to clone.
    """
    unknown = set(jobs) - set(JOBS)
    if unknown:
        sys.exit(f"no such job: {', '.join(sorted(unknown))}; there are {', '.join(JOBS)}")
    for job in jobs or JOBS:
        with tempfile.TemporaryDirectory(prefix="trisect-clone-") as scratch:
            clone = Path(scratch) / "clone"
            _run(["git", "clone", "--quiet", "--no-hardlinks", str(source), str(clone)], Path(scratch))
            for name, line in JOBS[job]:
                print(f"{name:24} {_run(line, clone):8.1f} s", flush=True)


def _run(line: Sequence[str], folder: Path) -> float:
    """Run a command as from a new shell; gives seconds, and ends with the last lines of one that fails."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "PYTEST"))
    }
    started = time.perf_counter()
    done = subprocess.run(
        line, cwd=folder, env=kept, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode:
        said = "\n".join(done.stdout.splitlines()[-LAST_LINES:])
        sys.exit(f"{said}\n{' '.join(line)} ended with exit code {done.returncode}")
    return time.perf_counter() - started


if __name__ == "__main__":
    machine.tell()
    main(sys.argv[1:])
