"""The public record: durable appends a second, and the time to verify one proof of a million entries.

Run: python bench/record.py [entries]. Entries have the size of a statement. Appends go one at a time and in batches, to
an SQLite file in the working folder, since a temporary folder may be memory.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench import machine
from trisect.record import tree
from trisect.record.checkpoint import Checkpoint, EntryProof, log_key, origin
from trisect.store.database import Database, sqlite_url
from trisect.store.record import NewEntry, Record
from trisect.store.tables import coordinator_record
from trisect.trust.keys import IdentityKey

ENTRIES = 1_000_000
ENTRY_BYTES = 1_000
MEASURED_S = 3.0
BATCHES = (1, 10, 100)
PROOFS = 200


def appends() -> None:
    """Append to a record of its own for a while, in each size of batch."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        database = Database(sqlite_url(Path(folder) / "coordinator.db"))
        database.migrate("coordinator")
        record = Record(database, coordinator_record)
        for size in BATCHES:
            number, started = 0, time.perf_counter()
            while (taken := time.perf_counter() - started) < MEASURED_S:
                record.append([NewEntry(_entry(number + at)) for at in range(size)])
                number += size
            print(f"append, {size:3} at a time, each durable  {number / taken:10,.0f} entries/s")
        database.close()


def verification(entries: int) -> None:
    """Verify proofs of entries all over a large record, from their files."""
    nodes: dict[tuple[int, int], bytes] = {}
    frontier = tree.Frontier.empty()
    for number in range(entries):
        nodes.update({(level, position): found for level, position, found in _grown(frontier, number)})
    key = IdentityKey(bytes(31) + b"\x01")
    log = log_key("bench", key.public)
    note = Checkpoint(origin("bench"), entries, frontier.root).note.signed(log, key)
    files = []
    for at in range(PROOFS):
        number = at * entries // PROOFS
        hashes = tree.inclusion_proof(number, entries, lambda *place: nodes[place])
        files.append(str(EntryProof(number, tuple(hashes), note, _entry(number))))
    times = []
    for file in files:
        started = time.perf_counter()
        EntryProof.parse(file).check(log)
        times.append(time.perf_counter() - started)
    print(
        f"verify one proof of {entries:,} entries   median {statistics.median(times) * 1e3:.2f} ms, "
        f"slowest {max(times) * 1e3:.2f} ms of {PROOFS}"
    )


def _grown(frontier: tree.Frontier, number: int) -> Iterator[tuple[int, int, bytes]]:
    return frontier.append(tree.leaf_hash(_entry(number)))


def _entry(number: int) -> bytes:
    return number.to_bytes(8, "big") * (ENTRY_BYTES // 8)


def main(entries: int = ENTRIES) -> None:
    """Measure both."""
    appends()
    verification(entries)


if __name__ == "__main__":
    machine.tell()
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ENTRIES)
