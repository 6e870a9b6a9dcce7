"""Run all measurements, or those that are named."""

from __future__ import annotations

import sys

from bench import canonical, decision, imports, machine, matching, record

CANONICAL_ROWS = 50_000
MEASUREMENTS = {
    "canonical": lambda: canonical.main(CANONICAL_ROWS),
    "decision": decision.main,
    "imports": imports.main,
    "matching": matching.main,
    "record": record.main,
}


def main() -> None:
    """Run what the command line names."""
    wanted = sys.argv[1:] or list(MEASUREMENTS)
    unknown = set(wanted) - set(MEASUREMENTS)
    if unknown:
        sys.exit(f"no such measurement: {', '.join(sorted(unknown))}; there are {', '.join(MEASUREMENTS)}")
    machine.tell()
    for name in wanted:
        print(f"== {name}")
        MEASUREMENTS[name]()
        print()


if __name__ == "__main__":
    main()
