"""What an owner says about an entry: fraud type, role, channel, AI technique, confidence, and when.

Not here: the entry's state over time (`store`), and who may see which field (`rules`).
"""

from __future__ import annotations

import datetime as dt
import enum
import functools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from trisect.errors import BadInputError
from trisect.indicators.categories import FRAUD_TYPES
from trisect.indicators.forms.reasons import Reason, RejectedError

if TYPE_CHECKING:
    from collections.abc import Mapping

_MAX_CONFIDENCE = 100
_WHOLE_NUMBER = re.compile(r"[0-9]{1,3}")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_MOMENT = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?\s*(?:Z|[+-]\d\d:?\d\d)?", re.IGNORECASE
)
_REMEMBERED_LABELS = 4096


class FraudRole(enum.StrEnum):
    """What the person behind an indicator is in the fraud; an innocent must never look like a criminal."""

    SUSPECT = "suspect"
    MULE = "mule"
    SPOOFED = "spoofed"
    VICTIM = "victim"
    UNKNOWN = "unknown"


class State(enum.StrEnum):
    """Where an entry stands; what was lifted after a contest, no import lists again."""

    ACTIVE = "active"
    CONTESTED = "contested"
    EXPIRED = "expired"
    RETRACTED = "retracted"
    LIFTED = "lifted"


class Channel(enum.StrEnum):
    """How the fraud reached its victim (paper, 2.1.2)."""

    PHONE = "phone"
    SMS = "sms"
    VIDEO = "video"
    SOCIAL = "social"
    EMAIL = "email"
    WEB = "web"
    APP = "app"
    IN_PERSON = "in_person"
    UNKNOWN = "unknown"


def channel(text: str) -> Channel:
    """Read a channel; raises BadInputError naming those there are."""
    try:
        return Channel(_word(text))
    except ValueError:
        raise BadInputError(
            "there is no such channel", hint=f"channels: {', '.join(known.value for known in Channel)}"
        ) from None


class AiTechnique(enum.StrEnum):
    """What AI was used for (paper, 2.3.1)."""

    FACE_SWAP = "face_swap"
    VOICE_CLONE = "voice_clone"
    TARGETED_SCRIPT = "targeted_script"
    NONE = "none"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Label:
    """What is said about one entry.

    Attributes:
        category: code of a fraud type, or empty.
        fraud_role: what the person is in the fraud.
        channel: how the fraud reached its victim.
        ai_technique: what AI was used for.
        confidence: 0 to 100, or None.
        first_seen: UTC day, or None.
        last_seen: UTC day, not before the first, or None.
    """

    category: str = ""
    fraud_role: FraudRole = FraudRole.UNKNOWN
    channel: Channel = Channel.UNKNOWN
    ai_technique: AiTechnique = AiTechnique.UNKNOWN
    confidence: int | None = None
    first_seen: dt.date | None = None
    last_seen: dt.date | None = None


COLUMNS = ("category", "fraud_role", "channel", "ai_technique", "confidence", "first_seen", "last_seen")
"""The columns a label is read from, in the order of `read_label`'s arguments."""


def parse_label(fields: Mapping[str, str]) -> Label:
    """Read a label from text fields; absent and empty ones take their defaults, other fields are ignored.

    Args:
        fields: column name to text. Dates and moments in ISO 8601; a moment with an offset is moved to UTC,
            and only its day is kept.

    Raises:
        RejectedError: with the reason and the column at fault.
    """
    return read_label(*(fields.get(column, "") for column in COLUMNS))


@functools.lru_cache(maxsize=_REMEMBERED_LABELS)
def read_label(
    category: str,
    fraud_role: str,
    channel: str,
    ai_technique: str,
    confidence: str,
    first_seen: str,
    last_seen: str,
) -> Label:
    """Read a label from its seven texts; equal texts give the same object.

    Raises:
        RejectedError: with the reason and the column at fault.
    """
    first = _day(first_seen, "first_seen")
    last = _day(last_seen, "last_seen")
    if first is not None and last is not None and last < first:
        raise RejectedError(Reason.DATES_REVERSED, column="last_seen")
    return Label(
        category=_category(category),
        fraud_role=_member(FraudRole, fraud_role, FraudRole.UNKNOWN, Reason.BAD_FRAUD_ROLE, "fraud_role"),
        channel=_member(Channel, channel, Channel.UNKNOWN, Reason.BAD_CHANNEL, "channel"),
        ai_technique=_member(
            AiTechnique, ai_technique, AiTechnique.UNKNOWN, Reason.BAD_AI_TECHNIQUE, "ai_technique"
        ),
        confidence=_confidence(confidence),
        first_seen=first,
        last_seen=last,
    )


def end_of(text: str) -> dt.datetime | None:
    """Read until when something holds: a moment, UTC where it has no offset; a day holds to its end.

    Raises:
        RejectedError: neither an ISO 8601 date nor a moment.
    """
    stamp = text.strip()
    if not stamp:
        return None
    try:
        if _DATE.fullmatch(stamp):
            return _moment(stamp) + dt.timedelta(days=1)
        if _MOMENT.fullmatch(stamp):
            return _moment(stamp)
    except (ValueError, OverflowError):
        pass
    raise RejectedError(Reason.BAD_DATE)


_Member = TypeVar("_Member", bound=enum.StrEnum)


def _word(text: str) -> str:
    return text.strip().lower().replace("-", "_").replace(" ", "_")


def _member(vocabulary: type[_Member], text: str, default: _Member, reason: Reason, column: str) -> _Member:
    word = _word(text)
    if not word:
        return default
    try:
        return vocabulary(word)
    except ValueError:
        raise RejectedError(reason, column=column) from None


def _category(text: str) -> str:
    code = _word(text)
    if code and (code not in FRAUD_TYPES or FRAUD_TYPES[code].retired):
        raise RejectedError(Reason.BAD_CATEGORY, column="category")
    return code


def _confidence(text: str) -> int | None:
    digits = text.strip()
    if not digits:
        return None
    if not (_WHOLE_NUMBER.fullmatch(digits) and int(digits) <= _MAX_CONFIDENCE):
        raise RejectedError(Reason.BAD_CONFIDENCE, column="confidence")
    return int(digits)


def _day(text: str, column: str) -> dt.date | None:
    """Read an ISO 8601 date or moment as a UTC day; a moment without offset keeps its day."""
    stamp = text.strip()
    if not stamp:
        return None
    try:
        if _DATE.fullmatch(stamp):
            return dt.date.fromisoformat(stamp)
        if _MOMENT.fullmatch(stamp):
            return _moment(stamp).date()
    except (ValueError, OverflowError):
        pass
    raise RejectedError(Reason.BAD_DATE, column=column)


def _moment(stamp: str) -> dt.datetime:
    moment = dt.datetime.fromisoformat(_six_digits(stamp))
    return moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment.astimezone(dt.UTC)


def _six_digits(stamp: str) -> str:
    """Cut fractions of a second down to what Python reads, and take blanks before the offset out."""
    compact = re.sub(r"\s+(?=Z|[+-]\d\d:?\d\d\Z)", "", stamp.upper())
    return re.sub(r"[.,](\d{1,6})\d*", lambda match: f".{match[1].ljust(6, '0')}", compact)
