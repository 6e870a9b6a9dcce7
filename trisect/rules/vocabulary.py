"""Purposes, modes, recipients and names of collections: the words of every sharing and every exchange."""

from __future__ import annotations

import enum
import re
from contextlib import suppress

from trisect.errors import BadInputError
from trisect.trust.statements import Role, party_name


class Purpose(enum.StrEnum):
    """Why somebody asks."""

    SCAM_PREVENTION = "scam-prevention"
    PAYMENT_CHECK = "payment-check"
    CALL_SCREENING = "call-screening"
    LEAK_TRACING = "leak-tracing"
    RIGHTS = "rights"
    SUPERVISION = "supervision"


class Mode(enum.StrEnum):
    """What an asker learns: the common entries, how many there are, or the labels of a few items."""

    MATCH = "match"
    COUNT = "count"
    LOOKUP = "lookup"


class BasisName(enum.StrEnum):
    """On what legal basis a collection is kept; `unspecified` is none, and nothing is exchanged on it."""

    STATUTORY_DUTY = "statutory-duty"
    PUBLIC_INTEREST = "public-interest"
    CONTRACT = "contract"
    CONSENT = "consent"
    LEGITIMATE_INTEREST = "legitimate-interest"
    VITAL_INTEREST = "vital-interest"
    UNSPECIFIED = "unspecified"


class Source(enum.StrEnum):
    """From whom a party has personal information, as its notice declares."""

    PERSON = "person"
    OWN_OPERATION = "own-operation"
    OTHER_PARTY = "other-party"
    PUBLIC = "public"


class AiUse(enum.StrEnum):
    """What a party does to personal information with AI, as its notice declares (paper, 4.3.2)."""

    NONE = "none"
    DETECTION = "detection"
    SCORING = "scoring"
    PROFILING = "profiling"
    AUTOMATED_DECISION = "automated-decision"


class Sanction(enum.StrEnum):
    """What a breach may bring, mildest first (paper, 4.4)."""

    WARN = "warn"
    THROTTLE = "throttle"
    SUSPEND_PURPOSE = "suspend-purpose"
    SUSPEND = "suspend"
    EXPEL = "expel"


NO_RULE = "no-rule"
UNDECIDED = "undecided"
NOT_SHARED = "not-shared"
RESERVED_RULES = frozenset({NO_RULE, UNDECIDED, NOT_SHARED})
"""What denials name that no policy may be called."""


class EngineName(enum.StrEnum):
    """What a rulebook may permit to run; which of them this version has is the planner's to say."""

    ECDH = "ecdh"
    OPRF = "oprf"
    OT = "ot"


def purpose(text: str) -> Purpose:
    """Read a purpose; raises BadInputError naming those there are."""
    try:
        return Purpose(text)
    except ValueError:
        raise BadInputError(
            "there is no such purpose", hint=f"purposes: {', '.join(known.value for known in Purpose)}"
        ) from None


def on_consent(legal_basis: str) -> bool:
    """Tell whether a collection is kept on the consent of the persons in it."""
    return legal_basis.partition(":")[0].strip() == BasisName.CONSENT


def basis(text: str) -> tuple[BasisName, str]:
    """Read a legal basis, `NAME` or `NAME: CITATION`; gives its name and the clause cited, which may be empty.

    Raises:
        BadInputError: there is no such basis, naming those there are.
    """
    name, _, citation = (part.strip() for part in text.partition(":"))
    try:
        return BasisName(name), citation
    except ValueError:
        raise BadInputError(
            "there is no such legal basis",
            hint=f"known: {', '.join(BasisName)}; a clause may follow, as in 'statutory-duty: ATOFL 16'",
        ) from None


def checked_basis(text: str) -> str:
    """Bring a legal basis into its one form.

    Raises:
        BadInputError: there is none of that name, or a statutory duty is claimed without its clause.
    """
    name, citation = basis(text)
    if name is BasisName.STATUTORY_DUTY and not citation:
        raise BadInputError(
            "a statutory duty is named with the clause that lays it down",
            hint="such as 'statutory-duty: ATOFL 16'",
        )
    return f"{name}: {citation}" if citation else name.value


def modes(text: str) -> tuple[Mode, ...]:
    """Read a comma-separated list of modes; raises BadInputError naming those there are."""
    try:
        found = tuple(dict.fromkeys(Mode(part.strip()) for part in text.split(",")))
    except ValueError:
        raise BadInputError(
            "there is no such mode", hint=f"modes: {', '.join(known.value for known in Mode)}"
        ) from None
    return found


ALL = "all"
_ROLE_PREFIX = "role:"


def recipient(text: str) -> str:
    """Check whom a collection is shared with: a party's name, `role:ROLE` or `all`."""
    if text == ALL:
        return text
    if text.startswith(_ROLE_PREFIX):
        if text.removeprefix(_ROLE_PREFIX) in {role.value for role in Role}:
            return text
    else:
        with suppress(BadInputError):
            return party_name(text)
    raise BadInputError(
        "this names nobody to share with",
        hint=f"give a party's name, {', '.join(_ROLE_PREFIX + role.value for role in Role)}, or {ALL}",
    )


MAX_COLLECTION_NAME = 64
_COLLECTION = re.compile(r"(?=.*[a-z])(?!.*[0-9]{9})[a-z0-9][a-z0-9._-]{0,63}")


def collection_name(text: str) -> str:
    """Check a collection's name, which is kept and logged as it stands.

    Raises:
        BadInputError: of other characters, or it reads as an identifier: a domain, an address, a long number.
    """
    if not _COLLECTION.fullmatch(text) or ("." in text and _reads_as_identifier(text)):
        raise BadInputError(
            f"a collection's name has 1 to {MAX_COLLECTION_NAME} characters of a-z, 0-9, '.', '_' and '-', a letter "
            "among them, and is no domain, address or long number",
            hint="choose a name such as scam-numbers",
        )
    return text


def _reads_as_identifier(text: str) -> bool:
    from trisect.indicators.detect import reads_as_identifier  # noqa: PLC0415  (half of a command's start)

    return reads_as_identifier(text)
