"""A copy of the whole record as a file, and everything that can be checked about it without a network.

The first line is a JSON object with the consortium and the signed head; every further line is one entry in base64. What
such a file proves rests on one thing that it does not hold: the fingerprint of the founding government's first key.
"""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from trisect.errors import VerificationError
from trisect.record import entries, tree
from trisect.record.checkpoint import Checkpoint, log_key, origin
from trisect.record.notes import Note, NoteKey, decoded
from trisect.record.quorum import Cosigned, cosigned
from trisect.rules import checking
from trisect.rules.permit import Permit
from trisect.rules.tracing import Traced, trace
from trisect.trust.filings import STATEMENTS
from trisect.trust.keys import Fingerprint
from trisect.trust.membership import Membership

_SCHEMA = 1


def written(consortium: str, note: str, found: Iterable[bytes]) -> Iterator[str]:
    """Write an export, line by line."""
    yield json.dumps({"trisect_record": _SCHEMA, "consortium": consortium, "note": note}) + "\n"
    for entry in found:
        yield base64.b64encode(entry).decode() + "\n"


@dataclass(frozen=True, slots=True)
class Checked:
    """What holds of an export.

    Attributes:
        membership: the consortium as it follows from the entries.
        size: how many entries there are.
        kinds: how many there are of each kind of document.
        permits: each with the rulebook, rules and notices that it rests on.
        log: the key by which the head is signed, as a government has stated it.
        cosigned: who has cosigned the head.
    """

    membership: Membership
    size: int
    kinds: Mapping[str, int]
    permits: tuple[Traced, ...]
    log: NoteKey
    cosigned: Cosigned


def check(lines: Iterable[str], founder: Fingerprint | None) -> Checked:
    """Check an export: every statement and permit in it, the tree over all entries, the head's signatures.

    Args:
        lines: of the file.
        founder: the founding government's first fingerprint; None goes by whoever the record says founded it.

    Raises:
        VerificationError: something does not hold, or the file is cut short, or none.
    """
    rest = iter(lines)
    consortium, note = _head(next(rest, ""))
    head = Checkpoint.of(note)
    if head.origin != origin(consortium):
        raise VerificationError("an export's head is of another record")
    membership, kinds = Membership(consortium, founder), Counter[str]()
    frontier, permits = tree.Frontier.empty(), list[Traced]()
    for line in rest:
        entry = decoded(line.removesuffix("\n"))
        frontier.add(tree.leaf_hash(entry))
        kinds[entries.kind(entry)] += 1
        document = entries.document(entry)
        if document is not None and entries.kind(entry) in STATEMENTS:
            checking.check(membership.apply(document), membership)
        elif document is not None and entries.kind(entry) == Permit.KIND:
            permits.append(trace(document, membership))
    if (frontier.size, frontier.root) != (head.size, head.root):
        raise VerificationError(
            f"the {frontier.size} entries of an export are not the {head.size} of its signed head"
        )
    if not membership.coordinator_keys:
        raise VerificationError("no government has stated the key that signs the record's heads")
    log = log_key(consortium, membership.coordinator_keys[-1])
    note.verify(log)
    signers = cosigned(note, membership)
    return Checked(membership, head.size, kinds, tuple(permits), log, signers)


def _head(line: str) -> tuple[str, Note]:
    try:
        found = json.loads(line)
        if found["trisect_record"] == _SCHEMA:
            return str(found["consortium"]), Note.parse(str(found["note"]))
    except (ValueError, TypeError, KeyError, RecursionError):
        pass
    raise VerificationError("this is no export of a record", hint="`trisect record export` makes one")
