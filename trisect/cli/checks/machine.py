"""Clock, disk, memory and limits of this machine."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import trisect
from trisect.cli.checks.finding import Finding
from trisect.cli.screen import size

GIB = 1024**3
NEEDED_DISK = 2 * GIB
NEEDED_MEMORY = 1 * GIB
NEEDED_FILES = 1024
WATCHED_S = 0.1
DRIFT_S = 0.05
NTP_S = 5


def findings(place: Path) -> Iterator[Finding]:
    """Look at the machine.

    Args:
        place: the folder whose disk counts.
    """
    yield clock(time.time, time.monotonic, time.sleep)
    found = _synchronised()
    if found is not None:
        yield found
    yield _disk(place)
    yield _memory()
    yield _open_files()


def clock(wall: Callable[[], float], steady: Callable[[], float], wait: Callable[[float], None]) -> Finding:
    """Look whether the wall clock is plausible and runs as fast as the steady one."""
    installed = Path(trisect.__file__).stat().st_mtime
    wall_before, steady_before = wall(), steady()
    wait(WATCHED_S)
    wall_passed, steady_passed = wall() - wall_before, steady() - steady_before
    if wall_before < installed - 86_400:
        return Finding(
            "clock",
            ok=False,
            detail="the clock is before the day on which Trisect was installed",
            cure="set the clock; certificates and offers are refused on a wrong one",
        )
    if abs(wall_passed - steady_passed) > DRIFT_S:
        return Finding(
            "clock",
            ok=False,
            detail=f"the clock jumped by {wall_passed - steady_passed:+.3f} s within {steady_passed:.1f} s",
            cure="let one time service set the clock, and none beside it",
        )
    return Finding("clock", ok=True, detail="plausible and steady")


def _synchronised() -> Finding | None:
    """Ask systemd whether the clock is synchronised; None where there is nobody to ask."""
    if not shutil.which("timedatectl"):
        return None
    try:
        answer = subprocess.run(
            ["timedatectl", "show", "--property=NTPSynchronized", "--value"],
            capture_output=True,
            timeout=NTP_S,
            check=False,
            text=True,
        ).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return None
    if answer not in {"yes", "no"}:
        return None
    ok = answer == "yes"
    cure = (
        ""
        if ok
        else "turn on time synchronisation: `timedatectl set-ntp true`; offers bear 60 s of difference"
    )
    return Finding("time-service", ok, "synchronised" if ok else "not synchronised", cure)


def _disk(place: Path) -> Finding:
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    ok = free >= NEEDED_DISK
    cure = (
        ""
        if ok
        else f"free some space: {size(NEEDED_DISK)} is the least for a node; nothing is lost on a full disk"
    )
    return Finding("disk", ok, f"{size(free)} free at {place}", cure)


def _memory() -> Finding:
    free = _available_bytes()
    ok = free >= NEEDED_MEMORY
    cure = "" if ok else f"a match of a million entries takes 700 MiB; have {size(NEEDED_MEMORY)} free"
    return Finding("memory", ok, f"{size(free)} available", cure)


def _available_bytes() -> int:
    """Tell what could be had without swapping; where the system does not say, the whole memory."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    fields = {name: rest.split() for name, _, rest in (line.partition(":") for line in lines)}
    return int(fields["MemAvailable"][0]) * 1024


def _open_files() -> Finding:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    ok = soft == resource.RLIM_INFINITY or soft >= NEEDED_FILES
    return Finding(
        "open-files",
        ok,
        "no limit" if soft == resource.RLIM_INFINITY else f"at most {soft}",
        "" if ok else f"raise it: `ulimit -n {NEEDED_FILES}`, or LimitNOFILE= in the systemd unit",
    )
