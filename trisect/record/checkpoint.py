"""The signed head of the record (C2SP `tlog-checkpoint`), and the proof of one entry as a file (`tlog-proof`).

Not here: whose signatures make a head count (`trisect.record.quorum`).
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import Self

from trisect.errors import VerificationError
from trisect.record import tree
from trisect.record.notes import Algorithm, Note, NoteKey, decoded
from trisect.trust.keys import IdentityPublic

PROOF_HEADER = "c2sp.org/tlog-proof@v1"
PROOF_SUFFIX = ".tlog-proof"
_BODY = re.compile(r"([^\s+]+)\n(0|[1-9][0-9]{0,15})\n([A-Za-z0-9+/]{43}=)\n")
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,15})")


def origin(consortium: str) -> str:
    """Name a consortium's record, which is also the name that its log signs under."""
    return f"trisect/{consortium}/record"


def log_key(consortium: str, public: IdentityPublic) -> NoteKey:
    """Give the key under which a consortium's coordinator signs heads."""
    return NoteKey(origin(consortium), Algorithm.ED25519, public)


def witness_key(consortium: str, party: str, public: IdentityPublic) -> NoteKey:
    """Give the key under which a party's node cosigns heads."""
    return NoteKey(f"trisect/{consortium}/{party}", Algorithm.COSIGNATURE, public)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A head: how many entries the record has, and the root of its tree."""

    origin: str
    size: int
    root: bytes

    @property
    def note(self) -> Note:
        """The head as a note that nobody has signed yet."""
        return Note(f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n")

    @classmethod
    def of(cls, note: Note) -> Self:
        """Read a note's text as a head; signatures are for others to check. Raises VerificationError.

        Extension lines are refused: nobody who cosigns would vouch for them.
        """
        found = _BODY.fullmatch(note.text)
        if found is None or int(found[2]) > tree.MAX_SIZE:
            raise VerificationError("a head of the record is not origin, size and root")
        return cls(found[1], int(found[2]), decoded(found[3]))


@dataclass(frozen=True, slots=True)
class EntryProof:
    """That an entry stands in the record, for whoever has the log's key and no network.

    Attributes:
        index: of the entry, from 0.
        hashes: its proof of inclusion in the head.
        note: the signed head.
        extra: the entry itself, so that the file is all that is needed; the proof vouches for it.
    """

    index: int
    hashes: tuple[bytes, ...]
    note: Note
    extra: bytes

    def check(self, log: NoteKey) -> Checkpoint:
        """Check the head's signature and the entry's place below it; gives the head.

        Raises:
            VerificationError: one of them does not hold.
        """
        head = Checkpoint.of(self.note)
        if head.origin != log.name:
            raise VerificationError("a proof is of another record")
        self.note.verify(log)
        tree.check_inclusion(tree.leaf_hash(self.extra), self.index, head.size, self.hashes, head.root)
        return head

    def __str__(self) -> str:
        """Write the proof as a file."""
        lines = [
            PROOF_HEADER,
            f"extra {base64.b64encode(self.extra).decode()}",
            f"index {self.index}",
            *(base64.b64encode(found).decode() for found in self.hashes),
        ]
        return "\n".join(lines) + f"\n\n{self.note}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a proof's file; raises VerificationError."""
        head, separator, note = text.partition("\n\n")
        header, *lines = head.split("\n")
        if header != PROOF_HEADER or not separator or not lines or not lines[0].startswith("extra "):
            raise VerificationError(f"a proof's file does not begin with {PROOF_HEADER} and the entry")
        extra, *rest = lines
        index = _INDEX.fullmatch(rest[0]) if rest else None
        if index is None:
            raise VerificationError("a proof's file names no place in the record")
        hashes = tuple(decoded(line) for line in rest[1:])
        return cls(int(index[1]), hashes, Note.parse(note), decoded(extra.removeprefix("extra ")))
