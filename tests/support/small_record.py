"""A small public record in memory: a consortium's statements, and its head, signed and cosigned."""

from __future__ import annotations

from dataclasses import dataclass

from support.membership import CONSORTIUM, GOVERNMENT, Consortium, identity, keys, signed

from trisect.record import entries, export, tree
from trisect.record.checkpoint import Checkpoint, EntryProof, log_key, origin, witness_key
from trisect.record.notes import Note
from trisect.trust.statements import COORDINATOR, Role

FOUNDER = keys(GOVERNMENT).identity.fingerprint
LOG = log_key(CONSORTIUM, identity(COORDINATOR).public)
NOW_S = 1_700_000_000


@dataclass(frozen=True)
class SmallRecord:
    """Entries and who has cosigned their head."""

    found: tuple[bytes, ...]
    cosigners: tuple[str, ...] = (GOVERNMENT, "proxy")

    @property
    def note(self) -> Note:
        head = Checkpoint(origin(CONSORTIUM), len(self.found), tree.root(len(self.found), self.node))
        note = head.note.signed(LOG, identity(COORDINATOR))
        for name in self.cosigners:
            key = witness_key(CONSORTIUM, name, identity(name).public)
            note = note.cosigned(key, identity(name), NOW_S)
        return note

    def node(self, level: int, position: int) -> bytes:
        if level == 0:
            return tree.leaf_hash(self.found[position])
        return tree.node_hash(*(self.node(level - 1, 2 * position + side) for side in (0, 1)))

    def proof(self, number: int) -> EntryProof:
        hashes = tree.inclusion_proof(number, len(self.found), self.node)
        return EntryProof(number, tuple(hashes), self.note, self.found[number])

    def lines(self) -> list[str]:
        return list(export.written(CONSORTIUM, str(self.note), self.found))


def small_record() -> SmallRecord:
    """Make the record of a founding, two admissions, the coordinator's key and a grant."""
    return SmallRecord(tuple(map(entries.of_document, small_consortium()[1])))


def small_consortium() -> tuple[Consortium, list[bytes]]:
    """Make a consortium by a founding, two admissions, the coordinator's key and a grant; gives the statements too."""
    consortium, found = Consortium(), []
    for make in (
        consortium.founding,
        consortium.coordinator_key,
        lambda: consortium.admission("telco"),
        lambda: consortium.admission("proxy", Role.PROXY),
        lambda: consortium.grant(GOVERNMENT, 0),
    ):
        envelope = signed(make(), GOVERNMENT)
        consortium.membership.apply(envelope)
        found.append(envelope)
    return consortium, found
