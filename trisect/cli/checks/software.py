"""Python, the platform, and the versions of what must fit together."""

from __future__ import annotations

import platform
import re
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata

from trisect.cli.checks.finding import Finding

OLDEST, NEWEST = (3, 11), (3, 13)
OLDEST_GLIBC = (2, 35)
TRIAL_S = 120
_PINNED = re.compile(r"([A-Za-z0-9._-]+)==([A-Za-z0-9.]+)")
_REINSTALL = "install Trisect again in a fresh virtual environment: `make setup`"
_SHARED = ("phonenumbers", "tldextract", "ada-url", "numpy")
"""They decide how values are spelled; members should run the same versions."""


def findings() -> Iterator[Finding]:
    """Look at all software."""
    yield _python()
    yield _platform()
    yield Finding("openssl", ok=True, detail=ssl.OPENSSL_VERSION)
    yield from _pins()
    for name in _SHARED:
        yield _shared(name)
    yield psi()


def _python() -> Finding:
    found = sys.version_info[:2]
    ok = OLDEST <= found <= NEWEST and sys.implementation.name == "cpython"
    return Finding(
        "python",
        ok,
        f"{platform.python_implementation()} {platform.python_version()}",
        ""
        if ok
        else "use CPython 3.11, 3.12 or 3.13; the PSI library has wheels for no other that we support",
    )


def _platform() -> Finding:
    libc, version = platform.libc_ver()
    return platform_finding(sys.platform, platform.machine(), libc, version)


def platform_finding(system: str, machine: str, libc: str, libc_version: str) -> Finding:
    """Tell whether openmined-psi 2.0.6 has a wheel for a platform."""
    detail = " ".join(part for part in (system, machine, libc, libc_version) if part)
    cure = ""
    if system == "linux":
        glibc = tuple(int(part) for part in libc_version.split(".")[:2] if part.isdigit())
        if machine not in {"x86_64", "AMD64"}:
            cure = f"the PSI library has no wheel for Linux on {machine}: use an x86-64 machine, or macOS on arm64"
        elif libc != "glibc":
            cure = (
                "the PSI library has no wheel for musl (Alpine): use a distribution with glibc 2.35 or newer"
            )
        elif glibc < OLDEST_GLIBC:
            cure = "the PSI library needs glibc 2.35 or newer: Debian 12, Ubuntu 22.04 or later"
    elif system == "darwin":
        if machine != "arm64":
            cure = "the PSI library has no wheel for Intel Macs: use macOS on arm64, or Linux on x86-64"
    else:
        cure = f"the PSI library has no wheel for {system}: use Linux on x86-64 (WSL 2 will do), or macOS on arm64"
    return Finding("platform", not cure, detail, cure)


def _pins() -> Iterator[Finding]:
    try:
        requirements = metadata.requires("trisect") or []
    except metadata.PackageNotFoundError:
        yield Finding("trisect", ok=False, detail="not installed as a package", cure=_REINSTALL)
        return
    for requirement in requirements:
        pinned = _PINNED.fullmatch(requirement.partition(";")[0].strip())
        if pinned:
            found = _version(pinned[1])
            ok = found == pinned[2]
            detail = found or "not installed"
            yield Finding(
                pinned[1],
                ok,
                detail if ok else f"{detail}, and {pinned[2]} is needed",
                "" if ok else _REINSTALL,
            )


def _shared(name: str) -> Finding:
    found = _version(name)
    return Finding(
        name,
        bool(found),
        f"{found} (members should run the same)" if found else "not installed",
        "" if found else _REINSTALL,
    )


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def psi(module: str = "trisect.cli.checks.psi_trial") -> Finding:
    """Match two tiny sets in a process of its own, since the library can take its process down."""
    try:
        ended = subprocess.run(
            [sys.executable, "-m", module], capture_output=True, timeout=TRIAL_S, check=False, text=True
        )
    except (OSError, subprocess.TimeoutExpired):
        return Finding("psi", ok=False, detail="a tiny match did not end", cure=_REINSTALL)
    if ended.returncode == 0:
        return Finding("psi", ok=True, detail="a tiny match gave the right answer")
    if ended.returncode < 0:
        why = f"killed by {signal.Signals(-ended.returncode).name}"
        cure = "the PSI library does not run on this processor or system; try another machine"
    else:
        why = (ended.stderr.strip().splitlines() or ["no word why"])[-1][:200]
        cure = _REINSTALL
    return Finding("psi", ok=False, detail=f"a tiny match failed: {why}", cure=cure)
