"""Notices: what a party does to personal information, in words for people and in terms that rules can read.

A provider's is its disclosure (paper, 4.5); a government or a proxy tells by what mandate it acts. It is written as
`notice.toml`, signed by the party itself, and in force from one moment to another. Without one nobody exchanges
anything with the party, and it takes in nothing new.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Self

from trisect import config
from trisect.clock import to_text
from trisect.errors import BadInputError, VerificationError
from trisect.indicators.kinds import Kind
from trisect.rules import dpv
from trisect.rules.validity import check_life
from trisect.rules.vocabulary import AiUse, BasisName, Purpose, Source, recipient
from trisect.trust.canonical_json import Json
from trisect.trust.statements import Role

NOTICE_FILE = "notice.toml"
LONGEST = dt.timedelta(days=366)
"""After a year a notice is stale, whatever it says."""
MAX_BYTES = 64 * 1024
_NOUN = "notice key"


@dataclass(frozen=True, slots=True)
class Processing:
    """What a party does for one purpose.

    Attributes:
        purpose: why.
        kinds: categories of personal information, as kinds of indicators.
        sources: from whom it has them.
        obtained: how, in words: by reports of customers, by monitoring of calls.
        legal_basis: on what basis, with the clause, as collections carry it.
        retention_days: how long it keeps them at most.
        recipients: who may ask: parties, `role:ROLE` or `all`.
        ai_uses: what AI does to them.
    """

    purpose: Purpose
    kinds: tuple[Kind, ...]
    sources: tuple[Source, ...]
    obtained: str
    legal_basis: tuple[BasisName, ...]
    retention_days: int
    recipients: tuple[str, ...]
    ai_uses: tuple[AiUse, ...]


@dataclass(frozen=True, slots=True)
class Declaration:
    """All that stands in `notice.toml`.

    Attributes:
        title: for people.
        text: the whole in plain words.
        text_zh: the same in Chinese.
        contact: where people turn to.
        storage_place: where the information is kept.
        valid_from: when it begins.
        valid_until: when it ends, a year later at most.
        mandate: by what law or statute a government or proxy acts; empty for a provider.
        processing: what is done for each purpose.
    """

    title: str
    text: str
    text_zh: str
    contact: str
    storage_place: str
    valid_from: dt.datetime
    valid_until: dt.datetime
    processing: tuple[Processing, ...]
    mandate: str = ""

    def check(self) -> None:
        """Check what types cannot say; raises BadInputError naming the key."""
        check_life(_NOUN, self.valid_from, self.valid_until, LONGEST)
        for name in ("title", "text", "text_zh", "contact", "storage_place"):
            if not getattr(self, name).strip():
                raise BadInputError(f"{_NOUN} {name} is empty", hint="people read it: say it in plain words")
        purposes = [one.purpose for one in self.processing]
        if not purposes or len(set(purposes)) != len(purposes):
            raise BadInputError(
                f"{_NOUN} processing must name each purpose once", hint="one section a purpose"
            )
        for one in self.processing:
            for name in ("kinds", "sources", "legal_basis", "recipients", "ai_uses", "obtained"):
                if not getattr(one, name):
                    raise BadInputError(f"{_NOUN} {name} of {one.purpose} is empty", hint="name at least one")
            if AiUse.NONE in one.ai_uses and len(one.ai_uses) > 1:
                raise BadInputError(
                    f"{_NOUN} ai_uses of {one.purpose} names none, and others", hint="one or the other"
                )
            if one.retention_days < 1:
                raise BadInputError(
                    f"{_NOUN} retention_days of {one.purpose} must be above zero",
                    hint="say for how many days the data is kept",
                )
            for whom in one.recipients:
                recipient(whom)


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice, and the text that it was read from."""

    declaration: Declaration
    toml: str

    @classmethod
    def parse(cls, toml: str, role: Role) -> Self:
        """Read a notice of a party in a role.

        Raises:
            BadInputError: a key is unknown, missing or out of its range, or a mandate is missing.
        """
        if len(toml.encode()) > MAX_BYTES:
            raise BadInputError(f"{NOTICE_FILE} has more than {MAX_BYTES} bytes", hint="shorten its texts")
        found = config.parse(Declaration, toml, _NOUN)
        found.check()
        if role is not Role.PROVIDER and not found.mandate.strip():
            raise BadInputError(
                f"{_NOUN} mandate is empty",
                hint=f"a {role} says by what law or statute it acts; a provider leaves it out",
            )
        return cls(found, toml)

    @property
    def content(self) -> dict[str, Json]:
        """The notice as its signed document carries it, with the terms of DPV."""
        return {"toml": self.toml, "dpv": terms(self.declaration)}

    @classmethod
    def of_text(cls, toml: object, role: Role) -> Self:
        """Read the text out of a signed document; raises VerificationError."""
        if not isinstance(toml, str):
            raise VerificationError("a notice's document does not hold its text")
        try:
            return cls.parse(toml, role)
        except BadInputError as error:
            raise VerificationError(f"a signed notice is not sound: {error.message}") from error

    def in_force(self, moment: dt.datetime) -> bool:
        """Tell whether it has begun and not ended."""
        return self.declaration.valid_from <= moment < self.declaration.valid_until

    def processing(self, purpose: Purpose) -> Processing | None:
        """Give what the party does for a purpose, None where it does nothing."""
        return next((one for one in self.declaration.processing if one.purpose is purpose), None)

    @property
    def purposes(self) -> frozenset[Purpose]:
        """For what the party processes anything."""
        return frozenset(one.purpose for one in self.declaration.processing)

    @property
    def kinds(self) -> frozenset[Kind]:
        """Of what it has anything."""
        return frozenset(kind for one in self.declaration.processing for kind in one.kinds)

    @property
    def ai_uses(self) -> frozenset[AiUse]:
        """What AI does to it."""
        return frozenset(use for one in self.declaration.processing for use in one.ai_uses)


def terms(declaration: Declaration) -> list[Json]:
    """Say a declaration in terms of DPV, a purpose each."""
    return [
        {
            "hasPurpose": dpv.iri(one.purpose),
            "hasPersonalData": _iris(one.kinds),
            "hasDataSource": _iris(one.sources),
            "hasLegalBasis": _iris(one.legal_basis),
            "hasProcessing": _iris(one.ai_uses),
            "hasStorageLocation": declaration.storage_place,
            "hasStorageDuration": f"P{one.retention_days}D",
            "hasRecipient": list(one.recipients),
        }
        for one in declaration.processing
    ]


def _iris(
    words: tuple[Kind, ...] | tuple[Source, ...] | tuple[BasisName, ...] | tuple[AiUse, ...],
) -> list[Json]:
    return [found for found in dict.fromkeys(dpv.iri(word) for word in words) if found]


def describe(declaration: Declaration) -> str:
    """Say in a line what a notice is about."""
    purposes = ", ".join(one.purpose for one in declaration.processing)
    return f"{declaration.title} ({purposes}), until {to_text(declaration.valid_until)}"
