"""The coordinator's part in the public record: what goes in, heads that it signs, cosignatures that come back.

The statements are the source of their entries: whatever of them the record lacks, after a crash too, goes in when it is
next touched. What else it lacks after the restore of a backup the nodes have, who bring it back with a head that this
coordinator has signed; until then, and until its witnesses were heard after a start, nothing new goes in, so that it never
goes on in another way than it did. Not here: the tree (`trisect.record.tree`) and the tables (`trisect.store.record`).
"""

from __future__ import annotations

import datetime as dt
import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from coordinator.registry import Registry
from trisect.clock import Clock, from_seconds, to_text
from trisect.errors import ConflictError, NotFoundError, UnreachableError, VerificationError
from trisect.record import entries, quorum
from trisect.record.checkpoint import Checkpoint, log_key, origin, witness_key
from trisect.record.notes import Note
from trisect.store.record import NewEntry, Record, numbered
from trisect.trust.keys import IdentityKey, PartyName

_log = logging.getLogger(__name__)
PAGE_BYTES = 2 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Head:
    """The newest signed head, with what a witness needs to follow it.

    Attributes:
        note: the head, the coordinator's signature and the cosignatures that have come.
        consistency: proves that it goes on from the size that was asked for.
        counted: the newest head that counts, with its cosignatures; empty where there is none.
    """

    note: str
    consistency: Sequence[bytes]
    counted: str


class PublicRecord:
    """The record of one consortium, at its coordinator. Called from threads.

    Args:
        store: where it is kept.
        registry: has the statements, and tells who may cosign.
        key: signs heads.
        consortium: names the record.
        clock: tells how old a head is.
    """

    def __init__(
        self, store: Record, registry: Registry, key: IdentityKey, consortium: str, clock: Clock
    ) -> None:
        self._store = store
        self._registry = registry
        self._key = key
        self._consortium = consortium
        self._clock = clock
        self._lock = threading.Lock()
        self._closed = False
        self._lost = 0
        membership = registry.membership
        named = {name for names in quorum.appointed(membership, clock()).values() for name in names}
        self._unheard = named if store.head() is not None else set()
        self._check()
        self._counted: Note | None = None
        self._counted_at: dt.datetime | None = None
        any(self._count(Note.parse(kept)) for kept in store.heads())

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
            newest = self._store.head()
            signed = Checkpoint.of(Note.parse(newest)).size if newest else 0
            if self.waits:
                return signed
            size = self._take_statements()
            if size == signed:
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

    @property
    def waits(self) -> str:
        """Why nothing new goes in now, empty where it does."""
        if self._lost:
            return (
                f"the record has {self._store.size} entries and had {self._lost}, as after the restore of an old backup; "
                "nodes bring the others back"
            )
        return "the coordinator has just started and waits for its witnesses" if self._unheard else ""

    def heard(self, party: str, note: str) -> None:
        """Take note of the newest head that a party's node has seen; one of our own tells what we had."""
        self._unheard.discard(PartyName(party))
        if not note:
            return
        try:
            seen = self._own_head(Note.parse(note))
        except VerificationError as error:
            _log.warning("a node shows a head that is none", extra={"party": party, "reason": error.message})
            return
        if seen.size > self._store.size:
            self._lost = max(self._lost, seen.size)
            _log.warning("the record is behind", extra={"party": party, "reason": self.waits})

    def settle(self) -> None:
        """Wait no longer for witnesses that do not come."""
        self._unheard.clear()

    def restore(self, note: str, first: int, found: Sequence[bytes]) -> int:
        """Take back entries that a node has and this record has lost; gives the record's size.

        Args:
            note: a head that this coordinator has signed.
            first: the number of the first entry that is given.
            found: entries from there up to the head's size.

        Raises:
            VerificationError: they do not lead to that head, which then is the proof of two records.
        """
        head = Note.parse(note)
        wanted = self._own_head(head)
        with self._lock:
            size = self._store.size
            if wanted.size > size:
                known = self._store.entries(first, limit=max(size - first, 1))[: size - first]
                if (
                    first > size
                    or list(found[: size - first]) != list(known)
                    or first + len(found) != wanted.size
                ):
                    raise VerificationError(
                        "the entries that a node brings back do not go on from those here"
                    )
                new = numbered(found[size - first :], self._store.newest_statement())
                self._store.append(new, root=wanted.root)
                self._store.keep_head(wanted.size, str(head))
                _log.warning("lost entries of the record are back", extra={"reason": f"{len(new)} entries"})
            if self._store.size >= self._lost:
                self._lost = 0
            return self._store.size

    def _own_head(self, note: Note) -> Checkpoint:
        """Read a head that must be of this record, by this coordinator."""
        head = Checkpoint.of(note)
        if head.origin != origin(self._consortium):
            raise VerificationError("a head is of another record")
        note.verify(log_key(self._consortium, self._key.public))
        return head

    def add(self, document: bytes) -> None:
        """Enter a document that is no statement, such as a permit, after the statements that came before it.

        Raises:
            UnreachableError: nothing new goes in now.
        """
        if waits := self.waits:
            raise UnreachableError(waits, hint="try again in a moment")
        with self._lock:
            self._take_statements()
            entry = entries.of_document(document)
            self._store.append([NewEntry(entry, exchange=entries.exchange(entry))])

    def of_exchange(self, exchange: str) -> Sequence[bytes]:
        """Give the entries of an exchange."""
        return self._store.of_exchange(exchange)

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
        consistency = self._store.consistency(after, size) if after else ()
        return Head(note, consistency, str(self._counted or ""))

    def require_fresh(self, max_age_s: int) -> None:
        """Raise StaleError where the newest head that counts is older than a rulebook allows."""
        quorum.require_fresh(self._counted_at, max_age_s, self._clock())

    def cosign(self, party: str, size: int, line: str) -> bool:
        """Put a party's cosignature under the head of a size, in place of an older one of the same party.

        Returns:
            Whether a newer head counts by it than did before.

        Raises:
            VerificationError: it is not that party's over that head, or of a time that has not come.
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
            moment = from_seconds(sent.verify(key))
            if moment > self._clock() + quorum.CLOCK_TOLERANCE:
                raise VerificationError(f"a head is cosigned at {to_text(moment)}, a time that has not come")
            if moment < from_seconds(head.signers([key]).get(key, 0)):
                return False
            signed = head.with_signature(sent.signatures[0])
            self._store.keep_head(size, str(signed))
            return self._count(signed)

    def _count(self, note: Note) -> bool:
        """Remember the newest head that counts, and when it last did; tells whether it is a newer one."""
        size, former = Checkpoint.of(note).size, Checkpoint.of(self._counted).size if self._counted else 0
        counted_at = quorum.cosigned(note, self._registry.membership).counted_at
        if size < former or counted_at is None:
            return False
        self._counted, self._counted_at = note, counted_at
        return size > former

    def entries(self, first: int) -> Sequence[bytes]:
        """Give a page of entries."""
        found = self._store.entries(first)
        total, count = 0, 0
        for entry in found:
            total += len(entry)
            count += total <= PAGE_BYTES or not count
        return found[:count]
