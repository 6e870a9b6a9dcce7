"""From a row of a file to an entry: the place where the raw value dies.

A `RawRow` holds untreated personal data; an `Entry` holds a token and no way back. Not here: reading files
(`readers`) and storing entries (`trisect.store`).
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, NamedTuple

from trisect.errors import BadInputError
from trisect.indicators.detect import detect
from trisect.indicators.forms import Indicator, Profile, Reason, RejectedError, canonical, clean_cell
from trisect.indicators.forms.refang import refang
from trisect.indicators.kinds import Kind, parse_kind
from trisect.indicators.labels import Label, read_label

if TYPE_CHECKING:
    from trisect.indicators.tokens import Token, Tokeniser

_NO_ALNUM = re.compile(r"[\W_]+")
_LOWER = bytes(range(256)).lower()
_MARKS = bytes(code for code in range(128) if not chr(code).isalnum())
_NO_DIGITS = bytes(code for code in range(256) if not chr(code).isdecimal())
_VANITY_LETTERS = re.compile(r"(?:[A-Za-z][ ./()-]*){7}")
_SPELLING_MARKS = frozenset(".:@[({/")
_LONGEST_PLAIN_NAME = 14
_SHORTEST_CORE, _SHORTEST_WIDE_CORE = 5, 3
_PHONE_TAIL_DIGITS = 7
_MAX_REF_CHARACTERS = 256


class RawRow(NamedTuple):
    """One row as a reader found it; every field is text, empty where the source has none.

    Attributes:
        where: line number of the file as text, or the id of the STIX or MISP object.
        kind: name of a kind, or empty for the collection's own.
        value: untreated identifier.
        ref: what leads the owner back to its own record.
        category: code of a fraud type.
        fraud_role: suspect, mule, spoofed, victim or unknown.
        confidence: whole number 0 to 100.
        first_seen: ISO 8601 date or moment.
        last_seen: ISO 8601 date or moment.
        channel: how the fraud reached its victim.
        ai_technique: what AI was used for.
        subject: the owner's pseudonym of the person concerned.
    """

    where: str
    kind: str
    value: str
    ref: str
    category: str
    fraud_role: str
    confidence: str
    first_seen: str
    last_seen: str
    channel: str
    ai_technique: str
    subject: str

    def __repr__(self) -> str:
        return f"<RawRow {self.where[:40]!r}>"


class Entry(NamedTuple):
    """One row of a collection, without the value.

    Attributes:
        token: 32 bytes of the present pepper epoch.
        kind: kind of the indicator; a short code given as a phone is a shortcode.
        ref: what leads the owner back to its own record, or empty.
        subject: the owner's pseudonym of the person concerned, or empty.
        label: what the owner says about it.
    """

    token: Token
    kind: Kind
    ref: str
    subject: str
    label: Label

    def __repr__(self) -> str:
        return f"<Entry {self.kind.value}>"


def to_entry(row: RawRow, *, default_kind: Kind | None, profile: Profile, tokeniser: Tokeniser) -> Entry:
    """Turn a row into an entry; afterwards nothing here refers to the raw value.

    Args:
        row: as a reader found it.
        default_kind: kind of rows that name none; None finds it out for each value.
        profile: how the source spells its values.
        tokeniser: of the present pepper epoch.

    Raises:
        RejectedError: with the reason, and the column at fault unless that is the value.
    """
    indicator = _indicator(row, default_kind, profile)
    label = read_label(
        row.category,
        row.fraud_role,
        row.channel,
        row.ai_technique,
        row.confidence,
        row.first_seen,
        row.last_seen,
    )
    ref = _own_name(row.ref, "ref", row.value, indicator, profile) if row.ref else ""
    subject = _own_name(row.subject, "subject", row.value, indicator, profile) if row.subject else ""
    return Entry(tokeniser.token(indicator), indicator.kind, ref, subject, label)


def _indicator(row: RawRow, default_kind: Kind | None, profile: Profile) -> Indicator:
    kind = default_kind
    if row.kind and not row.kind.isspace():
        try:
            kind = parse_kind(row.kind)
        except BadInputError:
            raise RejectedError(Reason.UNKNOWN_KIND, column="kind") from None
    value = clean_cell(row.value)
    return detect(value, profile) if kind is None else canonical(kind, value, profile)


def _own_name(text: str, column: str, raw: str, indicator: Indicator, profile: Profile) -> str:
    """Let a ref or subject through unless it gives the identifier away."""
    name = text.strip()
    if len(name) > _MAX_REF_CHARACTERS:
        raise RejectedError(Reason.TOO_LONG, column=column)
    if not name.isprintable():
        raise RejectedError(Reason.CONTROL_CHARACTERS, column=column)
    if name and (_holds_spelling(name, raw, indicator) or _is_same(name, indicator, profile)):
        raise RejectedError(Reason.REF_IS_IDENTIFIER, column=column)
    return name


def _holds_spelling(name: str, raw: str, indicator: Indicator) -> bool:
    """Tell whether a text holds the value's letters and digits, whatever marks stand between them."""
    held = _core(refang(name))
    value = indicator.value
    if indicator.kind is Kind.PHONE:
        digits = value[1:].partition(";")[0]
        return digits[-_PHONE_TAIL_DIGITS:] in held.encode().translate(None, _NO_DIGITS).decode()
    parts = {value, value.rpartition(":")[2].removeprefix("0x"), raw}
    return any(_is_telling(core := _core(part)) and core in held for part in parts)


def _is_telling(core: str) -> bool:
    return len(core) >= (_SHORTEST_CORE if core.isascii() else _SHORTEST_WIDE_CORE)


def _core(text: str) -> str:
    if text.isascii():
        return text.encode().translate(_LOWER, _MARKS).decode()  # a fifth of the time of str.translate
    folded = "".join(str(unicodedata.decimal(c, c)) for c in unicodedata.normalize("NFKC", text))
    return _NO_ALNUM.sub("", folded).casefold()


def _is_same(name: str, indicator: Indicator, profile: Profile) -> bool:
    """Tell whether a text is another spelling of the indicator; plain record numbers are not even tried."""
    if name.isascii():
        if indicator.kind is Kind.PHONE:
            if not _VANITY_LETTERS.search(name):
                return False
        elif (
            indicator.kind is not Kind.SHORTCODE
            and len(name) <= _LONGEST_PLAIN_NAME
            and _SPELLING_MARKS.isdisjoint(name)
        ):
            return False
    try:
        return canonical(indicator.kind, name, profile) == indicator
    except RejectedError:
        return False
