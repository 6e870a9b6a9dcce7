"""Search everything that a daemon keeps for values that it must not have.

A value is looked for as it is, in hex, base64 (at each of three alignments, both alphabets), URL-encoded, with
JSON's escapes and in UTF-16. Databases are read cell by cell too, and compressed logs unpacked. The search is
proven on a copy of the same folder in which a control is planted in every place and every form: a control that
is not found where it was planted fails the scan.
"""

from __future__ import annotations

import base64
import contextlib
import gzip
import json
import shutil
import sqlite3
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from trisect.errors import TrisectError

WINDOW = 8
DATABASE = "coordinator.db"
RELAY_RECORDING = "relay.bin"
LOG = "logs/coordinator.log"
ROTATED_LOG = "logs/coordinator.log.1"
COMPRESSED_LOG = "logs/coordinator.log.2.gz"
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_SHORTEST = 5
_SQLITE = b"SQLite format 3\0"
_PACKED = ".gz"
# What each encoding writes in its own way is in it, so that no two forms of a control are the same.
_CONTROL_VALUE = 'control-{place}-of-the-scan "???>>>~~~ÿÿÿ".example'

_Windows = npt.NDArray[np.uint64]
_NO_WINDOWS: _Windows = np.zeros(0, np.uint64)
_TABLE_BITS = 22
_MULTIPLIER, _SHIFT = np.uint64(0x9E3779B97F4A7C15), np.uint64(64 - _TABLE_BITS)  # Fibonacci hashing

Secrets = Mapping[str, Iterable[bytes]]
"""Sort of secret (`value`, `canonical form`, `token`, `pepper`) -> the secrets."""
Place = tuple[str, bytes]
"""Where something is kept, and all that is kept there."""


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


def scan(home: Path, secrets: Secrets, scratch: Path) -> Scan:
    """Search a coordinator's home.

    Args:
        home: the folder with database, logs and relay recording.
        secrets: what must not be in it.
        scratch: a folder for the copy with the planted controls, which is removed again.

    Raises:
        BlindScanError: a planted control was not found.
    """
    controls = _check_controls(home, scratch)
    searched = places(home)
    findings, needles = find(searched, secrets)
    return Scan(len(searched), sum(len(data) for _, data in searched), needles, findings, controls)


def places(home: Path) -> list[Place]:
    """Read all that is kept below a folder: every file, compressed ones unpacked, databases cell by cell too."""
    found: list[Place] = []
    for path in sorted(home.rglob("*")):
        if not path.is_file() or path.is_symlink():
            continue
        name, data = str(path.relative_to(home)), path.read_bytes()
        found.append((name, data))
        if path.suffix == _PACKED:
            found.append((f"{name}, unpacked", gzip.decompress(data)))
        if data.startswith(_SQLITE):
            found.append((f"{name}, cell by cell", _cells(path)))
    return found


def find(searched: Iterable[Place], secrets: Secrets) -> tuple[tuple[Finding, ...], int]:
    """Search places for every form of every secret; gives what was found, and for how many forms it looked."""
    needles: dict[bytes, tuple[str, str]] = {}
    for sort, found in secrets.items():
        for secret in found:
            for name, form in forms(secret).items():
                needles.setdefault(form, (sort, name))
    index = _Needles(needles)
    findings = [Finding(*needles[needle], place) for place, data in searched for needle in index.within(data)]
    return tuple(findings), len(needles)


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
        end = len(text) - (0, 3, 2)[(alignment + len(secret)) % 3]
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
        found["JSON-escaped"] = json.dumps(text_form)[1:-1].encode()
    return {name: form for name, form in found.items() if len(form) >= _SHORTEST}


def search(data: bytes, needles: Iterable[bytes]) -> list[bytes]:
    """Give the needles that occur in the data."""
    return _Needles(needles).within(data)


class _Needles:
    """Many needles that are looked for in one go.

    The first eight bytes of all needles are looked up among all windows of the data at once; only where they
    agree is a needle compared. Shorter needles are searched one by one.
    """

    def __init__(self, needles: Iterable[bytes]) -> None:
        self._short: list[bytes] = []
        self._long: dict[int, list[bytes]] = {}
        for needle in set(needles):
            if len(needle) < WINDOW:
                self._short.append(needle)
            else:
                self._long.setdefault(int.from_bytes(needle[:WINDOW], "little"), []).append(needle)
        self._starts = np.fromiter(self._long, np.uint64, len(self._long))
        # Most windows are ruled out by a look into this table, whatever they hash to.
        self._known = np.zeros(1 << _TABLE_BITS, np.bool_)
        self._known[_hashed(self._starts)] = True

    def within(self, data: bytes) -> list[bytes]:
        """Give those that occur in the data."""
        found = [needle for needle in self._short if needle in data]
        candidates: set[int] = set()
        for shift in range(WINDOW):
            usable = max(len(data) - shift, 0) // WINDOW
            windows = np.frombuffer(data, "<u8", usable, shift) if usable else _NO_WINDOWS
            likely = windows[self._known[_hashed(windows)]]
            candidates.update(np.intersect1d(likely, self._starts).tolist())
        for start in candidates:
            found += [needle for needle in self._long[start] if needle in data]
        return found


def _hashed(windows: _Windows) -> _Windows:
    return (windows * _MULTIPLIER) >> _SHIFT


def _cells(path: Path) -> bytes:
    """Read every cell of every table, since the file itself may split a long one over pages."""
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = (row for table in tables for row in connection.execute(f'SELECT * FROM "{table}"'))  # noqa: S608
        return b"\0".join(
            cell if isinstance(cell, bytes) else str(cell).encode() for row in rows for cell in row
        )


def _check_controls(home: Path, scratch: Path) -> int:
    """Plant a control of every form in every place of a copy, and find each where it was planted."""
    copy = scratch / "copy"
    planted = {
        place: list(forms(_CONTROL_VALUE.format(place=place.replace("/", "-")).encode()).values())
        for place in (DATABASE, LOG, ROTATED_LOG, COMPRESSED_LOG, RELAY_RECORDING)
    }
    with contextlib.ExitStack() as stack:
        shutil.copytree(home, copy, ignore=shutil.ignore_patterns("*.sock"))
        stack.callback(shutil.rmtree, copy, ignore_errors=True)
        for place, controls in planted.items():
            if place == DATABASE:
                stack.enter_context(_planted_in_database(copy / place, controls))
            else:
                _planted_in_file(copy / place, controls)
        searched = places(copy)
    for place, controls in planted.items():
        # SQLite keeps a database in several files whose names begin with the database's.
        found = {
            needle for name, data in searched if name.startswith(place) for needle in search(data, controls)
        }
        if missed := len(set(controls) - found):
            raise BlindScanError(
                f"the scan is blind: {missed} of {len(controls)} controls planted in {place} were not found",
                hint="nothing is proven by its silence; report this",
            )
    return sum(map(len, planted.values()))


def _planted_in_file(path: Path, controls: Sequence[bytes]) -> None:
    path.parent.mkdir(exist_ok=True)
    text = b"".join(b"\n" + form for form in controls)
    with path.open("ab") as file:
        file.write(gzip.compress(text) if path.suffix == _PACKED else text)


@contextlib.contextmanager
def _planted_in_database(path: Path, controls: Sequence[bytes]) -> Iterator[None]:
    """Hold rows in the write-ahead log of a copied database while the scan runs."""
    connection = sqlite3.connect(path)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA wal_autocheckpoint=0")
        connection.execute("CREATE TABLE planted (form BLOB)")
        connection.executemany("INSERT INTO planted VALUES (?)", [(form,) for form in controls])
        connection.commit()
        yield
    finally:
        connection.close()
