"""A home folder: who can read it, whether its configuration loads, whether its daemon runs."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import tomllib
import urllib.error
from collections.abc import Iterator
from pathlib import Path

from trisect.cli.checks.finding import Finding
from trisect.clock import system_clock, to_text
from trisect.config import CONFIG_FILE
from trisect.daemon import ask
from trisect.errors import TrisectError
from trisect.home import MAX_SOCKET_PATH, STATE_FILE, Home
from trisect.store import keystore
from trisect.store.keystore import KEYSTORE_FILE
from trisect.trust import certificates

CHECK_S = 60
READY_S = 10
_CURES = {
    "clock": "turn on time synchronisation on this machine and the coordinator's: `timedatectl set-ntp true`",
    "database": "see the disk, owner and mode of the database",
    "admission": "a government admits it: `trisect party admit NAME --fingerprint F`; `trisect status` shows the fingerprint",
    "rulebook": "a government publishes one: `trisect rulebook publish`",
    "notice": "`trisect notice draft`, complete it, `trisect notice publish`",
    "head": "start the nodes of the witnesses, a proxy's among them; `trisect record show` tells who has cosigned",
}
_PRIVATE = (CONFIG_FILE, KEYSTORE_FILE, STATE_FILE)


def findings(path: Path) -> Iterator[Finding]:
    """Look at one home."""
    if not path.is_dir():
        yield Finding(
            "home",
            ok=False,
            detail=f"{path} is no folder",
            cure="is --home right? `trisect-node join` and `trisect-coordinator init` make homes",
        )
        return
    yield _folder(path)
    yield from (_file(path / name) for name in _PRIVATE if (path / name).exists())
    yield _config(path)
    yield from _certificate(path)
    yield from _daemon(path)


def _folder(path: Path) -> Finding:
    found = path.stat()
    mode = stat.S_IMODE(found.st_mode)
    if found.st_uid != os.getuid():
        return Finding(
            "home", ok=False, detail=f"{path} is another user's", cure="run this as the daemon's user"
        )
    ok = not mode & 0o077
    return Finding("home", ok, f"{path}, mode {mode:04o}", "" if ok else f"chmod 700 {path}")


def _file(path: Path) -> Finding:
    mode = stat.S_IMODE(path.stat().st_mode)
    ok = not mode & 0o077
    return Finding(f"mode:{path.name}", ok, f"mode {mode:04o}", "" if ok else f"chmod 600 {path}")


def _config(path: Path) -> Finding:
    """Let the daemon's own program read the configuration, since only it knows the keys."""
    try:
        keys = tomllib.loads((path / CONFIG_FILE).read_text(encoding="utf-8"))
    except OSError as error:
        return Finding(
            "config",
            ok=False,
            detail=f"{CONFIG_FILE} cannot be read: {error.strerror}",
            cure="has `trisect-node join` or `trisect-coordinator init` been run for this home?",
        )
    except ValueError:
        return Finding("config", ok=False, detail=f"{CONFIG_FILE} is not TOML", cure="mend it, or restore it")
    program = Path(sys.executable).with_name("trisect-node" if "party" in keys else "trisect-coordinator")
    try:
        ended = subprocess.run(
            [str(program), "check-config", "--home", str(path)],
            capture_output=True,
            timeout=CHECK_S,
            check=False,
            text=True,
        )
    except (OSError, subprocess.TimeoutExpired):
        return Finding(
            "config",
            ok=False,
            detail=f"{program.name} cannot be run",
            cure="install Trisect again: `make setup`",
        )
    if ended.returncode == 0:
        return Finding("config", ok=True, detail="the configuration is right")
    said = (ended.stderr.strip().splitlines() or ["no word why"])[0].removeprefix("error: ")
    return Finding("config", ok=False, detail=said, cure=f"mend {path / CONFIG_FILE}")


def _certificate(path: Path) -> Iterator[Finding]:
    """Look whether a node's certificate still lives; a coordinator makes its own anew."""
    try:
        pem = keystore.load(path / KEYSTORE_FILE).get("tls_certificate", b"")
        ends = certificates.validity(pem)[1] if pem else None
    except TrisectError as error:
        yield Finding("certificate", ok=False, detail=error.message, cure=error.hint)
        return
    if ends is None:
        return
    if ends > system_clock():
        yield Finding("certificate", ok=True, detail=f"until {to_text(ends)}")
        return
    yield Finding(
        "certificate",
        ok=False,
        detail=f"expired at {to_text(ends)}, and here it is {to_text(system_clock())}",
        cure="if the clock is right: ask the coordinator's administrator for a new invitation, stop the node, "
        "and repeat `trisect-node join` in this home; nothing in it is lost",
    )


def _daemon(path: Path) -> Iterator[Finding]:
    place = Home(path)
    try:
        state = place.running()
    except TrisectError:
        yield Finding(
            "daemon",
            ok=False,
            detail="no daemon runs from this home",
            cure=f"`trisect-node run --home {path}`",
        )
        return
    yield Finding("daemon", ok=True, detail=f"{state.get('name', 'a daemon')} runs as process {state['pid']}")
    socket = Path(str(state.get("socket", "")))
    there = socket.is_socket()
    short = len(str(socket).encode()) <= MAX_SOCKET_PATH
    yield Finding(
        "socket",
        there and short,
        str(socket) if there else f"{socket} is no socket",
        "" if there and short else "restart the daemon; it chooses a short path by itself",
    )
    if "http" in state:
        yield from _ready(str(state["http"]))


def _ready(http: str) -> Iterator[Finding]:
    """Ask the daemon what keeps it from its work."""
    try:
        with ask(f"{http}/ready", timeout_s=READY_S) as reply:
            reasons = json.load(reply)["reasons"]
    except urllib.error.HTTPError as refusal:
        with refusal:
            reasons = json.load(refusal)["reasons"]
    except (OSError, ValueError, KeyError):
        yield Finding("ready", ok=False, detail=f"{http} does not answer", cure="see the daemon's log")
        return
    if not reasons:
        yield Finding("ready", ok=True, detail="nothing keeps the daemon from its work")
    for one in reasons:
        cure = _CURES.get(one["check"], "docs/operation.md#health tells what to do about it")
        yield Finding(f"ready:{one['check']}", ok=False, detail=one["reason"], cure=cure)
