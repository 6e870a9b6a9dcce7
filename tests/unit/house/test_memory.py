"""Large blocks of memory go back to the system when they are free, also after larger ones have been."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

HELD = """
import psutil, sys
from trisect.daemon import _return_large_blocks

if sys.argv[1] == "daemon":
    assert _return_large_blocks()
MIB = 1 << 20
def rss():
    return psutil.Process().memory_info().rss // MIB
largest = bytearray(30 * MIB)
del largest  # glibc has learned from this that such blocks come and go
before = rss()
kept = []
for _ in range(10):
    block = bytearray(20 * MIB)
    block[::4096] = bytes(len(block[::4096])).replace(b"\\0", b"x")
    kept.append(bytearray(200_000))  # what stays lies behind it
    del block
print(rss() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library has other thresholds")
def test_a_daemon_does_not_keep_what_a_large_list_has_taken() -> None:
    kept = {
        how: int(
            subprocess.run(
                [sys.executable, "-c", HELD, how], capture_output=True, text=True, check=True
            ).stdout
        )
        for how in ("daemon", "plain")
    }
    assert kept["daemon"] < 10 < kept["plain"]
