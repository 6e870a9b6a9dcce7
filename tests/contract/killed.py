"""The child that is killed: imports, rolls or appends to the record, says at a chosen transaction where it is, and waits there.

Arguments: URL, `import`, `roll` or `record`, the number of the transaction, and `before` or `after` its commit.
"""

from __future__ import annotations

import sys
from typing import NoReturn
from unittest import mock

import sqlalchemy as sa
from contract import rows
from sqlalchemy import event

from trisect.indicators.tokens import Pepper, Token, roll
from trisect.store import rolling
from trisect.store.database import Database
from trisect.store.intake import Imports, Progress, RejectRow
from trisect.store.record import NewEntry, Record
from trisect.store.rolling import Rolling
from trisect.store.tables import coordinator_record

BATCHES = [range(at, at + 40) for at in range(0, 240, 30)]  # ten of each are duplicates of the batch before
PEPPERS = tuple(Pepper(bytes([number]) * 32) for number in range(3))
ROLL_BATCH = 50
ENTRIES = 40
HERE = "here"


def climb(token: Token, epoch: int) -> Token:
    """Carry a token to the newest epoch."""
    for pepper in PEPPERS[epoch + 1 :]:
        token = roll(pepper, token)
    return token


def import_all(database: Database) -> Progress:
    """Import every batch that is not yet done, and end the import."""
    imports = Imports(database)
    progress = imports.begin(1, b"the file", replace=True)
    for at, numbers in enumerate(BATCHES):
        if at >= progress.batches_done:
            refused = [RejectRow(f"{at}", "phone", "too_short")]
            progress = imports.add(progress, rows.batch(numbers), refused, epoch=0, day=20_784)
    imports.finish(progress, allow_large_drop=True)
    return progress


def roll_all(database: Database) -> None:
    """Roll every batch that is behind, in small ones."""
    with mock.patch.object(rolling, "BATCH", ROLL_BATCH):
        while sum(Rolling(database).roll(len(PEPPERS) - 1, climb)):
            pass


def record_all(database: Database) -> None:
    """Append entries in small batches until there are enough."""
    record = Record(database, coordinator_record)
    while (size := record.size) < ENTRIES:
        record.append([NewEntry(b"entry %d" % number, number + 1) for number in range(size, size + 5)])


def main(url: str, work: str, number: int, place: str) -> None:
    """Work until the chosen transaction."""
    database = Database(url)
    commits = 0

    def stay() -> NoReturn:
        sys.stdout.write(f"{HERE}\n")
        sys.stdout.flush()
        sys.stdin.read()
        sys.exit("the parent went away")

    def before(_connection: sa.Connection) -> None:
        nonlocal commits
        commits += 1
        if commits == number and place == "before":
            stay()

    def again(connection: sa.Connection) -> None:
        del connection
        if commits == number and place == "after":
            stay()

    event.listen(database.writer, "commit", before)
    event.listen(database.writer, "begin", again)
    {"import": import_all, "roll": roll_all, "record": record_all}[work](database)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4])
