"""The coordinator's part in the public record: what goes in, heads that it signs, cosignatures that come back.

The statements are the source: whatever of them the record lacks, after a crash too, goes in when it is next
touched. Not here: the tree (`trisect.record.tree`) and the tables (`trisect.store.record`).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from coordinator.registry import Registry
from trisect.errors import ConflictError, NotFoundError, VerificationError
from trisect.record import entries
from trisect.record.checkpoint import Checkpoint, EntryProof, log_key, origin, witness_key
from trisect.record.notes import Note
from trisect.store.record import NewEntry, Record
from trisect.trust.keys import IdentityKey

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Head:
    """The newest signed head, with what a witness needs to follow it.

    Attributes:
        note: the head, the coordinator's signature and the cosignatures that have come.
        consistency: proves that it goes on from the size that was asked for.
    """

    note: str
    consistency: Sequence[bytes]


class PublicRecord:
    """The record of one consortium, at its coordinator. Called from threads.

    Args:
        store: where it is kept.
        registry: has the statements, and tells who may cosign.
        key: signs heads.
        consortium: names the record.
    """

    def __init__(self, store: Record, registry: Registry, key: IdentityKey, consortium: str) -> None:
        self._store = store
        self._registry = registry
        self._key = key
        self._consortium = consortium
        self._lock = threading.Lock()
        self._closed = False
        self._check()

    def _check(self) -> None:
        """Look whether the entries are those of the newest head; a record that was cut short must not go on."""
        note = self._store.head()
        if note is None:
            return
        head = Checkpoint.of(Note.parse(note))
        size = self._store.size
        if size < head.size or self._store.root(head.size) != head.root:
            raise VerificationError(
                f"the record has {size} entries, and its newest signed head is another tree of {head.size}",
                hint="restore the newest backup of the coordinator's database; a record is never cut",
            )

    def sign(self) -> int:
        """Take in the statements that the record lacks, and sign a head if there are entries beyond the newest.

        Returns:
            The size of the newest head, 0 without any entry.
        """
        with self._lock:
            if self._closed:
                return 0
            size = self._take_statements()
            newest = self._store.head()
            if newest is not None and Checkpoint.of(Note.parse(newest)).size == size:
                return size
            if size:
                head = Checkpoint(origin(self._consortium), size, self._store.root(size))
                note = head.note.signed(log_key(self._consortium, self._key.public), self._key)
                self._store.keep_head(size, str(note))
            return size

    def _take_statements(self) -> int:
        """Enter every statement that the record lacks, in order; gives the record's size."""
        after = self._store.newest_statement()
        while page := self._registry.statements_after(after):
            self._store.append(
                [NewEntry(entries.of_document(envelope), sequence) for sequence, envelope in page]
            )
            after = page[-1][0]
        return self._store.size

    def add(self, document: bytes) -> None:
        """Enter a document that is no statement, such as a permit, after the statements that came before it."""
        with self._lock:
            self._take_statements()
            self._store.append([NewEntry(entries.of_document(document))])

    def close(self) -> None:
        """Wait for a signature that is being made, and make no other: the database is about to be closed."""
        with self._lock:
            self._closed = True

    def head(self, after: int) -> Head:
        """Give the newest head and how it follows from the tree of another size.

        Args:
            after: the size that the asker has seen, 0 for none.

        Raises:
            NotFoundError: there is no head yet.
            ConflictError: the asker has seen more than there is.
        """
        note = self._store.head()
        if note is None:
            raise NotFoundError(
                "the record has no head yet", hint="the founding government has to join first"
            )
        size = Checkpoint.of(Note.parse(note)).size
        if after > size:
            raise ConflictError(
                f"the record has {size} entries, fewer than the {after} that were seen",
                hint="the coordinator was restored from an old backup, or shows another record",
            )
        return Head(note, self._store.consistency(after, size) if after else ())

    def cosign(self, party: str, size: int, line: str) -> None:
        """Put a party's cosignature under the head of a size.

        Raises:
            VerificationError: it is not that party's over that head.
            NotFoundError: no head of that size is kept.
        """
        keys = self._registry.membership.party(party).keys
        key = witness_key(self._consortium, party, keys.identity)
        with self._lock:
            found = self._store.head(size)
            if found is None:
                raise NotFoundError("no head of that size is kept", hint="cosign the newest")
            head = Note.parse(found)
            sent = Note.parse(f"{head.text}\n{line}")
            if len(sent.signatures) != 1:
                raise VerificationError("one cosignature is sent at a time")
            sent.verify(key)
            self._store.keep_head(size, str(head.with_signature(sent.signatures[0])))

    def entries(self, first: int) -> Sequence[bytes]:
        """Give a page of entries."""
        return self._store.entries(first)

    def prove(self, number: int) -> EntryProof:
        """Prove an entry in the newest head; raises NotFoundError."""
        note = Note.parse(self.head(0).note)
        hashes = self._store.inclusion(number, Checkpoint.of(note).size)
        (entry,) = self._store.entries(number, limit=1)
        return EntryProof(number, tuple(hashes), note, entry)
