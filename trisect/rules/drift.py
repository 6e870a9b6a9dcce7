"""Drift: what a party's lists are, against what its notice says that it does."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from trisect.errors import BadInputError
from trisect.indicators.kinds import Kind
from trisect.rules.notices import Declaration, Processing
from trisect.rules.vocabulary import ALL, BasisName, basis

_AGE = re.compile(r"(?<=oldest entry) \d+ days")


@dataclass(frozen=True, slots=True)
class Held:
    """One list, as it is.

    Attributes:
        collection: its name, which stays with the party.
        kinds: of what is in it.
        legal_basis: on which it is kept.
        retention_days: for how long its entries are kept.
        oldest_days: how many days ago its oldest entry was listed last; None where it is empty.
        sharings: recipient and purpose of each.
    """

    collection: str
    kinds: frozenset[Kind]
    legal_basis: str
    retention_days: int
    oldest_days: int | None
    sharings: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Drift:
    """A deed that a notice does not cover.

    Attributes:
        collection: the list's name, which stays with the party.
        text: what it is; names no collection, so that anybody may read it.
        matter: the same without what changes by itself from day to day.
    """

    collection: str
    text: str
    matter: str


def drift(declaration: Declaration, lists: Iterable[Held], means: Callable[[str, str], bool]) -> list[Drift]:
    """Compare lists with a notice.

    Args:
        declaration: the notice's.
        lists: of the party.
        means: tells whether the first recipient takes the second in.
    """
    return [
        Drift(held.collection, text, _AGE.sub("", text))
        for held in lists
        for text in dict.fromkeys(_of(declaration, held, means))
    ]


def _of(declaration: Declaration, held: Held, means: Callable[[str, str], bool]) -> Iterator[str]:
    covering = [one for one in declaration.processing if held.kinds & set(one.kinds)]
    declared = {kind for one in declaration.processing for kind in one.kinds}
    for kind in sorted(held.kinds - declared):
        yield f"declares nothing of the kind {kind}; a list has it"
    if held.kinds and covering:
        yield from _kept(held, covering)
        named = _basis(held.legal_basis)
        if not any(named in one.legal_basis for one in covering):
            yield f"does not declare the legal basis {named} for these kinds; a list is kept on it"
    for recipient, purpose in held.sharings:
        found = next((one for one in declaration.processing if one.purpose == purpose), None)
        if found is None:
            yield f"does not declare the purpose {purpose}; a list is shared for it"
        elif not any(whom == ALL or means(whom, recipient) for whom in found.recipients):
            yield f"does not declare {recipient} as a recipient for {purpose}; a list is shared with it"


def _kept(held: Held, covering: Sequence[Processing]) -> Iterator[str]:
    longest = max(one.retention_days for one in covering)
    if held.oldest_days is not None and held.oldest_days > longest:
        yield f"declares {longest} days; oldest entry {held.oldest_days} days"
    if held.retention_days > longest:
        yield f"declares {longest} days; a list keeps its entries for {held.retention_days}"


def _basis(text: str) -> BasisName:
    try:
        return basis(text)[0]
    except BadInputError:
        return BasisName.UNSPECIFIED
