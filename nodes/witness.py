"""A node's eye on the public record: it follows every head, remembers the newest, and cosigns what it has verified.

It cosigns the newest head again and again, so that an old one that is shown tells by its age. A head that does not go
on from the one that was seen last is never cosigned and never forgotten: it is kept beside that one, both signed by the
coordinator, as the proof that it has shown two records. Not here: which heads count (`trisect.record.quorum`).
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections.abc import AsyncIterator, Sequence

from nodes.governing import Governing
from nodes.link import Link
from nodes.members import Members
from nodes.promised import Promised
from nodes.times import CURE
from nodes.withheld import Withheld
from trisect.clock import Clock
from trisect.errors import ConflictError, NotFoundError, StaleError, TrisectError, VerificationError
from trisect.record import tree
from trisect.record.checkpoint import Checkpoint, log_key, origin, witness_key
from trisect.record.notes import Note
from trisect.record.quorum import Cosigned, cosigned, require_fresh
from trisect.rules.regime import Regime
from trisect.rules.rulebook import Limits
from trisect.store.record import Record, numbered
from trisect.store.settings import Setting
from trisect.trust.keys import IdentityPublic
from trisect.trust.statements import Standing
from trisect.waiting import set_within
from trisect.wire.v1 import record_pb2

_log = logging.getLogger(__name__)
LOOK_EVERY_S = 30.0
_AGES = 4
"""How often a witness cosigns within the time that a head may be old."""
PAGE = 100
_TIMEOUT_S = 15.0
_RESTORE_S = 600.0


class Witness:
    """Follows the record for one node.

    Args:
        members: tells whose keys sign heads and cosignatures.
        governing: vouches for the coordinator's key, where this node is the eldest government's.
        link: the way to the coordinator.
        seen: keeps the newest head that was verified.
        fork: keeps a head that contradicts it.
        copy: keeps every entry, as it was verified.
        clock: tells the time of cosignatures.

    Attributes:
        trouble: what is wrong with the record, for /ready; empty where nothing is.
        note: the newest head that was verified, as it was signed and cosigned then; None before the first.
        counted: the newest head that counts, as it was cosigned when it was looked at last; None before the first.
        counted_at: when it last counted.
        any_counts: set once there is one.
        promised: the permits that have to stand in the record.
        contradiction: two heads that cannot be of one record, both signed by the coordinator; empty while none were seen.
    """

    def __init__(
        self,
        members: Members,
        governing: Governing,
        link: Link,
        seen: Setting,
        fork: Setting,
        copy: Record,
        clock: Clock,
    ) -> None:
        self._members = members
        self._governing = governing
        self._link = link
        self._seen = seen
        self._fork = fork
        self.copy = copy
        self._clock = clock
        self._following = asyncio.Lock()
        self.trouble = ""
        self.contradiction: tuple[str, ...] = ()
        self._withheld = Withheld(members, copy, clock)
        self.promised = Promised(clock)
        self.note: Note | None = None
        self.counted: Note | None = None
        self.counted_at: dt.datetime | None = None
        self.any_counts = asyncio.Event()

    @property
    def head(self) -> Checkpoint | None:
        """The newest head that was verified."""
        return Checkpoint.of(self.note) if self.note else None

    def cosigned(self) -> Cosigned | None:
        """Tell who has cosigned the newest head, as far as is known here."""
        return cosigned(self.note, self._members.membership) if self.note else None

    @property
    def size(self) -> int:
        """How many entries the newest head that was verified covers; the copy may have more, which nobody vouches for."""
        return self.head.size if self.head else 0

    async def of_exchange(self, exchange: str) -> Sequence[bytes]:
        """Give the entries of an exchange that the newest verified head covers."""
        return await asyncio.to_thread(self.copy.of_exchange, exchange, below=self.size)

    def require_one(self) -> None:
        """Raise VerificationError where the coordinator has shown two records, or keeps from this node what stands in it."""
        if withheld := _FORKED if self.contradiction else self._withheld.trouble:
            raise VerificationError(withheld, hint=_CALL)

    def require_fresh(self) -> None:
        """Check that the record can be gone by.

        Raises:
            VerificationError: as `require_one`.
            StaleError: the newest head that counts is older than the rulebook in force allows.
        """
        self.require_one()
        if trouble := self._link.times.trouble:
            raise StaleError(trouble, hint=CURE)
        require_fresh(self.counted_at, self._limits.max_head_age_s, self._clock())

    @property
    def _limits(self) -> Limits:
        try:
            return Regime(self._members.membership).rulebooks.at(self._clock()).provisions.limits
        except StaleError:  # none is in force
            return Limits()

    @property
    def _refresh_s(self) -> float:
        return self._limits.max_head_age_s / _AGES

    async def start(self) -> None:
        """Load what was seen before."""
        if not await asyncio.to_thread(self.copy.newest_statement):
            await asyncio.to_thread(self.copy.cut, 0)  # copied before statements were numbered in it
        elif seen := await asyncio.to_thread(self._seen.read):
            self.note = Note.parse(seen.decode())
            await asyncio.to_thread(
                self.copy.cut, Checkpoint.of(self.note).size
            )  # what was not verified to its end
        if kept := await asyncio.to_thread(self._fork.read):
            self.contradiction = tuple(kept.decode().split(_BETWEEN))
            self.trouble = _FORKED

    async def run(self) -> None:
        """Follow the record until cancelled."""
        while True:
            self._link.head_signed.clear()
            if self._link.connected:
                try:
                    await self.follow()
                except VerificationError as error:
                    self._tell(error.message)
                except ConflictError as error:
                    self._tell(f"record behind: {error.message}")
                    await self._give_back()
                except TrisectError as error:  # the link tells why, or there is no head yet
                    _log.info("the record could not be followed", extra={"reason": error.message})
            await set_within(self._link.head_signed, min(LOOK_EVERY_S, self._refresh_s))

    async def follow(self) -> None:
        """Fetch the newest head, verify that it goes on from the one seen last, remember and cosign it.

        Raises:
            VerificationError: it does not, or the coordinator's key has not signed it.
            ConflictError: it is older than what was seen.
            NotFoundError: there is none yet.
        """
        async with self._following:
            await self._follow()

    async def _follow(self) -> None:
        key = await self._coordinator_key()
        if key is None:
            return
        former = self.head
        async with self._link.translated():
            reply = await self._link.record.GetHead(
                record_pb2.GetHeadRequest(after=former.size if former else 0), timeout=_TIMEOUT_S
            )
        note = Note.parse(reply.note)
        head = Checkpoint.of(note)
        consortium = self._members.membership.consortium
        if head.origin != origin(consortium):
            raise VerificationError("the coordinator shows the record of another consortium")
        note.verify(log_key(consortium, key))
        if former is not None:
            if head.size == former.size and head.root != former.root:
                raise await self._contradicted(str(note))
            tree.check_consistency(former.size, former.root, head.size, head.root, list(reply.consistency))
        await self._copy(head)
        await asyncio.to_thread(self._seen.keep, str(note).encode())
        self.note = note
        await self._withheld.check(_CALL)
        await self._take_counted(reply.counted, key)
        await self._cosign(note)
        if not self.contradiction:
            self._tell(self.promised.trouble or self._withheld.unrecorded)

    async def _contradicted(self, text: str) -> VerificationError:
        """Keep a head that contradicts the one seen here, and that one; gives the error that says so."""
        if not self.contradiction:
            self.contradiction = (str(self.note), text)
            await asyncio.to_thread(self._fork.keep, _BETWEEN.join(self.contradiction).encode())
        self._tell(_FORKED)
        return VerificationError(_FORKED, hint=_CALL)

    async def _take_counted(self, text: str, key: IdentityPublic) -> None:
        """Take a head that counts, as the coordinator shows it, if it is of the record that was verified."""
        if not text:
            return
        note, membership = Note.parse(text), self._members.membership
        counted = Checkpoint.of(note)
        note.verify(log_key(membership.consortium, key))
        assert self.head is not None  # noqa: S101  (it was verified before)
        if counted.origin != self.head.origin or counted.size > self.head.size:
            raise VerificationError("the coordinator shows a head that counts, of another record or size")
        if await asyncio.to_thread(self.copy.root, counted.size) != counted.root:
            raise await self._contradicted(text)
        counted_at = cosigned(note, membership).counted_at
        if counted_at is None:  # keys or witnesses have changed since: what counted before still did so then
            _log.info("a head does not count by what is known here", extra={"entries": counted.size})
        elif self.counted_at is None or not counted_at < self.counted_at <= self._clock():
            self.counted, self.counted_at = note, counted_at
            self.any_counts.set()

    async def check_gossip(self, text: str) -> None:
        """Check that a head which another party has seen is of the record that is followed here.

        Raises:
            VerificationError: it is not; both are kept as the proof.
            StaleError: it is newer than any that the coordinator shows here.
        """
        if not text:
            raise StaleError("a peer has not seen the record yet", hint="it follows it by itself; try again")
        note, key = Note.parse(text), self._members.require_coordinator_key()
        other = Checkpoint.of(note)
        consortium = self._members.membership.consortium
        if other.origin != origin(consortium):
            raise VerificationError("a peer shows the record of another consortium")
        note.verify(log_key(consortium, key))
        if self.head is None or self.head.size < other.size:
            await self.follow()
        if self.head is None or self.head.size < other.size:
            raise StaleError(
                f"a peer has seen {other.size} entries of the record, which the coordinator does not show here",
                hint="try again in a moment; where that does not help, tell the government",
            )
        if await asyncio.to_thread(self.copy.root, other.size) != other.root:
            raise await self._contradicted(text)

    async def _copy(self, head: Checkpoint) -> None:
        """Fetch the entries up to a head, and check that they are its."""
        copied: list[bytes] = []
        while (size := await asyncio.to_thread(lambda: self.copy.size)) < head.size:
            async with self._link.translated():
                page = await self._link.record.ListEntries(
                    record_pb2.ListEntriesRequest(first=size), timeout=_TIMEOUT_S
                )
            stated = await asyncio.to_thread(self.copy.newest_statement)
            found = numbered(page.entries[: head.size - size], stated)
            if not found:
                raise VerificationError(f"the coordinator gives {size} of the record's {head.size} entries")
            await asyncio.to_thread(self.copy.append, found)
            copied += page.entries
        if await asyncio.to_thread(self.copy.root, head.size) != head.root:
            await asyncio.to_thread(self.copy.cut, self.head.size if self.head else 0)
            raise VerificationError("the entries of the record are not those of its signed head")
        self.promised.copied(copied)

    async def _give_back(self) -> None:
        """Bring back to a coordinator what it has lost, as after the restore of an old backup."""
        if self.note is None:
            return
        async with self._link.translated():
            reply = await self._link.record.Restore(self._lost(self.note), timeout=_RESTORE_S)
        _log.warning("the coordinator's record was brought back", extra={"entries": reply.size})
        self._link.head_signed.set()

    async def _lost(self, note: Note) -> AsyncIterator[record_pb2.RestoreRequest]:
        size = Checkpoint.of(note).size
        first = at = await self._size_there()
        while at < size:
            page = list(await asyncio.to_thread(self.copy.entries, at, limit=min(PAGE, size - at)))
            yield record_pb2.RestoreRequest(note=str(note), first=first, entries=page)
            at += len(page)

    async def _size_there(self) -> int:
        try:
            async with self._link.translated():
                newest = await self._link.record.GetHead(record_pb2.GetHeadRequest(), timeout=_TIMEOUT_S)
        except NotFoundError:
            return 0
        return Checkpoint.of(Note.parse(newest.note)).size

    async def _coordinator_key(self) -> IdentityPublic | None:
        """Give the key that a government has vouched for; the eldest does so where none has."""
        keys = self._members.membership.coordinator_keys
        if not keys and self._members.own is not None:
            async with self._link.translated():
                reply = await self._link.record.GetKey(record_pb2.GetKeyRequest(), timeout=_TIMEOUT_S)
            await self._governing.vouch_for_coordinator(IdentityPublic(reply.key))
            keys = self._members.membership.coordinator_keys
        return keys[-1] if keys else None

    async def _cosign(self, note: Note) -> None:
        own = self._members.own
        if own is None or own.standing is not Standing.ACTIVE or self._members.displaced:
            return
        if self._link.times.trouble:  # a time that is wrong would be taken by nobody
            return
        key = self._link.keys.identity
        name = witness_key(self._members.membership.consortium, own.name, key.public)
        now = self._clock().timestamp()
        if now - note.signers([name]).get(name, 0) < self._refresh_s:
            return
        line = Note(note.text).cosigned(name, key, int(now)).signatures[0]
        request = record_pb2.CosignRequest(line=str(line), size=Checkpoint.of(note).size)
        async with self._link.translated():
            await self._link.record.Cosign(request, timeout=_TIMEOUT_S)

    def _tell(self, trouble: str) -> None:
        if trouble and trouble != self.trouble:
            _log.warning("something is wrong with the record", extra={"reason": trouble})
        self.trouble = trouble


_BETWEEN = "\0"
_CALL = "call the government: nothing is exchanged by such a record"
_FORKED = (
    "the coordinator has shown two records: a head does not go on from the one that was seen before; "
    "both are kept, signed by it"
)
