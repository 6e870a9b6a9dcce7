"""Search everything that a coordinator keeps for values that it must not have.

A value is looked for as it is, in hex, base64 (at each of three alignments, both alphabets), URL-encoded and
in UTF-16. The search is proven on a copy of the same folder in which a control is planted in every place and
every form: a control that is not found fails the scan.
"""

from __future__ import annotations

import base64
import contextlib
import shutil
import sqlite3
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trisect.errors import TrisectError

WINDOW = 8
DATABASE = "coordinator.db"
RELAY_RECORDING = "relay.bin"
LOG = "logs/coordinator.log"
ROTATED_LOG = "logs/coordinator.log.1"
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_SHORTEST = 5
_CONTROL_VALUE = "control-{place}-of-the-scan.example"


class BlindScanError(TrisectError):
    """The scan did not find what was planted for it, so its silence proves nothing."""

    code = "TRI-SCAN"


@dataclass(frozen=True, slots=True)
class Finding:
    """A needle that was found: what sort of secret it is, in which form, in which file."""

    sort: str
    form: str
    file: str


@dataclass(frozen=True, slots=True)
class Scan:
    """The outcome: how much was searched for how many needles, what was found, and the controls found."""

    files: int
    bytes: int
    needles: int
    findings: tuple[Finding, ...]
    controls: int


def scan(home: Path, secrets: Mapping[str, Iterable[bytes]], scratch: Path) -> Scan:
    """Search a coordinator's home.

    Args:
        home: the folder with database, logs and relay recording.
        secrets: sort of secret (`value`, `canonical form`, `token`, `pepper`) -> the secrets.
        scratch: an empty folder for the copy with the planted controls; it is removed.

    Raises:
        BlindScanError: a planted control was not found.
    """
    controls = _check_controls(home, scratch)
    needles = {
        form: (sort, name)
        for sort, found in secrets.items()
        for secret in found
        for name, form in forms(secret).items()
    }
    places = [(str(path.relative_to(home)), path.read_bytes()) for path in _files(home)]
    places.append((f"{DATABASE}, cell by cell", _cells(home / DATABASE)))
    findings = [
        Finding(*needles[needle], place) for place, data in places for needle in search(data, needles)
    ]
    size = sum(len(data) for _, data in places)
    return Scan(len(places), size, len(needles), tuple(findings), controls)


def forms(secret: bytes) -> dict[str, bytes]:
    """Give all forms of a secret that are searched, by name."""
    found = {
        "raw": secret,
        "hex": secret.hex().encode(),
        "upper-case hex": secret.hex().upper().encode(),
    }
    for alignment in range(3):
        # Base64 of a secret inside other bytes: cut off what depends on the neighbours.
        text = base64.b64encode(b"\0" * alignment + secret)
        start = (0, 2, 3)[alignment]
        end = len(text) - (4 if (alignment + len(secret)) % 3 else 0)
        found[f"base64 at alignment {alignment}"] = text[start:end]
        found[f"URL-safe base64 at alignment {alignment}"] = text[start:end].translate(_URL_SAFE)
    try:
        text_form = secret.decode()
    except UnicodeDecodeError:
        found["URL-encoded"] = urllib.parse.quote_from_bytes(secret).encode()
    else:
        found["URL-encoded"] = urllib.parse.quote(text_form, safe="").encode()
        found["UTF-16 little endian"] = text_form.encode("utf-16-le")
        found["UTF-16 big endian"] = text_form.encode("utf-16-be")
    return {name: form for name, form in found.items() if len(form) >= _SHORTEST}


def search(data: bytes, needles: Iterable[bytes]) -> list[bytes]:
    """Give the needles that occur in the data.

    The first eight bytes of all needles are looked up among all windows of the data at once; only where they
    agree is a needle compared. Shorter needles are searched one by one.
    """
    long: dict[int, list[bytes]] = {}
    found = []
    for needle in set(needles):
        if len(needle) < WINDOW:
            if needle in data:
                found.append(needle)
        else:
            long.setdefault(int.from_bytes(needle[:WINDOW], "little"), []).append(needle)
    starts = np.fromiter(long, np.uint64, len(long))
    candidates: set[int] = set()
    for shift in range(WINDOW):
        usable = (len(data) - shift) // WINDOW * WINDOW
        if usable > 0:
            windows = np.frombuffer(data, "<u8", usable // WINDOW, shift)
            candidates.update(int(start) for start in starts[np.isin(starts, windows)])
    for start in candidates:
        found += [needle for needle in long[start] if needle in data]
    return found


def _files(home: Path) -> list[Path]:
    return sorted(path for path in home.rglob("*") if path.is_file() and not path.is_symlink())


def _cells(path: Path) -> bytes:
    """Read every cell of every table, since the file itself may split a long one over pages."""
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = (row for table in tables for row in connection.execute(f'SELECT * FROM "{table}"'))  # noqa: S608
        return b"\0".join(
            cell if isinstance(cell, bytes) else str(cell).encode() for row in rows for cell in row
        )


def _check_controls(home: Path, scratch: Path) -> int:
    """Plant a control of every form in every place of a copy, and find them all."""
    copy = scratch / "copy"
    planted: dict[bytes, str] = {}
    with contextlib.ExitStack() as stack:
        shutil.copytree(home, copy, ignore=shutil.ignore_patterns("*.sock"))
        stack.callback(shutil.rmtree, copy, ignore_errors=True)
        for place in ("database", LOG, ROTATED_LOG, RELAY_RECORDING):
            control = forms(_CONTROL_VALUE.format(place=place.replace("/", "-")).encode())
            planted |= dict.fromkeys(control.values(), place)
            if place == "database":
                stack.enter_context(_planted_in_database(copy / DATABASE, control.values()))
            else:
                (copy / place).parent.mkdir(exist_ok=True)
                with (copy / place).open("ab") as file:
                    file.writelines(b"\n" + form for form in control.values())
        found: set[bytes] = set()
        for path in _files(copy):
            found.update(search(path.read_bytes(), planted))
    missed = set(planted) - found
    if missed:
        raise BlindScanError(
            f"the scan is blind: {len(missed)} of {len(planted)} planted controls were not found",
            hint=f"first missed in: {planted[next(iter(missed))]}",
        )
    return len(planted)


@contextlib.contextmanager
def _planted_in_database(path: Path, control: Iterable[bytes]) -> Iterator[None]:
    """Hold rows in the write-ahead log of a copied database while the scan runs."""
    connection = sqlite3.connect(path)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA wal_autocheckpoint=0")
        connection.execute("CREATE TABLE planted (form BLOB)")
        connection.executemany("INSERT INTO planted VALUES (?)", [(form,) for form in control])
        connection.commit()
        yield
    finally:
        connection.close()
