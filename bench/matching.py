"""A match through the whole cluster against openmined-psi's four calls in one process, in one run.

The direct library is measured before and after ours, and the ratio is taken to the mean of both. All five
daemons run on this machine. Sets are a little above a round number, so that padding counts. `TRISECT_BENCH_SIZES`
names other sizes, separated by commas.
"""

from __future__ import annotations

import os
import re
import tempfile
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

import private_set_intersection.python as openmined
import psutil

from bench.parties import parties, trisect
from trisect.beat import LAG_WINDOW_S, LAG_WINDOWS
from trisect.home import Home

SIZES = (1_000, 100_003)
LARGEST_DIRECT = 200_000
SAMPLE_S = 0.1


def direct(size: int, common: int) -> float:
    """Run openmined-psi's four calls in this process on items as long as tokens; gives seconds."""
    both = [os.urandom(32) for _ in range(common)]
    asked = both + [os.urandom(32) for _ in range(size - common)]
    answered = both + [os.urandom(32) for _ in range(size - common)]
    client = openmined.client.CreateWithNewKey(True)  # noqa: FBT003  (the library's own signature)
    server = openmined.server.CreateWithNewKey(True)  # noqa: FBT003  (the library's own signature)
    started = time.perf_counter()
    setup = server.CreateSetupMessage(0.0, size, answered, openmined.DataStructure.RAW)
    request = client.CreateRequest(asked)
    response = server.ProcessRequest(request)
    found = client.GetIntersection(setup, response)
    seconds = time.perf_counter() - started
    assert len(found) == common
    return seconds


class Watch(threading.Thread):
    """Samples each node: proportional set size with its workers, and how long its loop was blocked; keeps the worst."""

    def __init__(self, homes: list[Path]) -> None:
        super().__init__(daemon=True)
        self._homes = homes
        self._pids = [Home(home).running()["pid"] for home in homes]
        self._ended = threading.Event()
        self._since = time.monotonic()
        self.peak_mib = 0.0
        self.lag_s = 0.0

    def run(self) -> None:
        """Sample until told to stop."""
        while not self._ended.wait(SAMPLE_S):
            self.peak_mib = max(self.peak_mib, *(_pss_mib(pid) for pid in self._pids))
            if time.monotonic() > self._since + LAG_WINDOWS * LAG_WINDOW_S:
                self.lag_s = max(self.lag_s, *map(_lag, self._homes))

    def end(self) -> None:
        """Stop, and look at the loops once more."""
        self._ended.set()
        self.join()
        self.lag_s = max(self.lag_s, *map(_lag, self._homes))


def main() -> None:
    """Measure all sizes."""
    sizes = [int(size) for size in os.environ.get("TRISECT_BENCH_SIZES", "").split(",") if size] or SIZES
    with parties() as folder, tempfile.TemporaryDirectory() as scratch:
        telco, bank = folder / "telco", folder / "bank"
        _fill(telco, bank, Path(scratch), "warm", 100)
        _match(telco, "warm")
        for size in sizes:
            name = f"list-{size}"
            _fill(telco, bank, Path(scratch), name, size)
            before = direct(size, size // 2) if size <= LARGEST_DIRECT else 0.0
            watch = Watch([telco, bank])
            watch.start()
            started = time.perf_counter()
            data = _match(telco, name)
            seconds = time.perf_counter() - started
            watch.end()
            assert data["matched"] == size // 2, data
            after = direct(size, size // 2) if size <= LARGEST_DIRECT else 0.0
            compared = (
                f"direct {before:.2f} and {after:.2f} s, ratio {2 * seconds / (before + after):.3f}"
                if before
                else ""
            )
            print(
                f"{size:>9,} x {size:,}: command {seconds:.2f} s, exchange {data['seconds']:.2f} s; {compared}; "
                f"peak of a node with its workers {watch.peak_mib:.0f} MiB; loop blocked at most {1000 * watch.lag_s:.0f} ms; "
                f"{(data['bytes_sent'] + data['bytes_received']) / size:.0f} bytes an element"
            )


def _fill(telco: Path, bank: Path, scratch: Path, name: str, size: int) -> None:
    for home, first in ((telco, 0), (bank, size - size // 2)):
        path = scratch / f"{home.name}-{name}.csv"
        path.write_text("domain\n" + "".join(f"host-{at}.example.com\n" for at in range(first, first + size)))
        trisect(home, "import", path, "--collection", name)
    trisect(
        bank,
        "collection",
        "share",
        name,
        "--with",
        "telco",
        "--purpose",
        "scam-prevention",
        "--mode",
        "match",
    )


def _match(telco: Path, name: str) -> dict[str, Any]:
    return trisect(
        telco, "match", "--collection", name, "--peer", "bank", "--with", name, "--purpose", "scam-prevention"
    )


def _lag(home: Path) -> float:
    with urllib.request.urlopen(Home(home).running()["http"] + "/metrics", timeout=5) as reply:
        text = reply.read().decode()
    found = re.search(r"^trisect_loop_lag_max_seconds (\S+)$", text, re.MULTILINE)
    assert found is not None
    return float(found[1])


def _pss_mib(pid: int) -> float:
    total = 0
    for process in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]:
        try:
            total += process.memory_full_info().pss
        except psutil.NoSuchProcess:
            continue
    return total / 2**20
