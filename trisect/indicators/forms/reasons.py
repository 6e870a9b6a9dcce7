"""Why a value is refused: a stable vocabulary for programs, with one English sentence each for people.

Not here: the refusal of whole files or requests; those are other errors of the family in `trisect.errors`.
"""

from __future__ import annotations

import enum
from types import MappingProxyType
from typing import TYPE_CHECKING

from trisect.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Mapping


class Reason(enum.StrEnum):
    """A machine reason for a refusal; names are stable, new ones may be added."""

    EMPTY = "empty"
    TOO_LONG = "too_long"
    CONTROL_CHARACTERS = "control_characters"
    NOT_UNICODE = "not_unicode"
    FORMULA = "formula"
    MASKED = "masked"
    LETTERS = "letters"
    INVALID = "invalid"
    CHECKSUM = "checksum"
    AMBIGUOUS = "ambiguous"
    NEEDS_REGION = "needs_region"
    UNSUPPORTED_COUNTRY = "unsupported_country"
    UNSUPPORTED_SCHEME = "unsupported_scheme"
    FEATURE_CODE = "feature_code"
    RESERVED = "reserved"
    PRIVATE = "private"
    SCOPED = "scoped"
    PUBLIC_SUFFIX = "public_suffix"
    NULL_IDENTIFIER = "null_identifier"
    LEGACY_FORM = "legacy_form"
    CARD_EXTRAS = "card_extras"
    CHANGING_NAME = "changing_name"
    WRONG_KIND = "wrong_kind"
    REFUSED_KIND = "refused_kind"
    UNKNOWN_KIND = "unknown_kind"
    UNRECOGNISED = "unrecognised"
    REF_IS_IDENTIFIER = "ref_is_identifier"
    BAD_CATEGORY = "bad_category"
    BAD_FRAUD_ROLE = "bad_fraud_role"
    BAD_CHANNEL = "bad_channel"
    BAD_AI_TECHNIQUE = "bad_ai_technique"
    BAD_CONFIDENCE = "bad_confidence"
    BAD_DATE = "bad_date"
    DATES_REVERSED = "dates_reversed"


TEXTS: Mapping[Reason, str] = MappingProxyType(
    {
        Reason.EMPTY: "the value is empty; leave the row out or fill it in",
        Reason.TOO_LONG: "the value is longer than any of its kind; check for joined columns",
        Reason.CONTROL_CHARACTERS: "the value holds control characters; export the source again as plain text",
        Reason.NOT_UNICODE: "the value holds bytes that are no text; name the file's true encoding",
        Reason.FORMULA: "the cell is a spreadsheet formula; export values instead of formulas",
        Reason.MASKED: "digits are masked or left out; ask the source for the whole value",
        Reason.LETTERS: "letters stand where digits belong; ask the source for the digits",
        Reason.INVALID: "the value is not well formed for its kind; check the kind, the region and the spelling",
        Reason.CHECKSUM: "the check digits or the letter case do not fit; a character is wrong, so ask the source",
        Reason.AMBIGUOUS: "the value can be read in more than one way; name the kind, or write it in full",
        Reason.NEEDS_REGION: "the value has no country; give the source's region or write it with its country",
        Reason.UNSUPPORTED_COUNTRY: "numbers of this country cannot be checked yet; leave the row out",
        Reason.UNSUPPORTED_SCHEME: "only http, https, ftp, ws and wss addresses are indicators; leave the row out",
        Reason.FEATURE_CODE: "the value starts with a dialling code such as *67; give the number alone",
        Reason.RESERVED: "the value is reserved for fiction or documentation; allow reserved values only in tests",
        Reason.PRIVATE: "the value means something only inside one network; leave the row out",
        Reason.SCOPED: "the address is bound to one network interface; leave the row out",
        Reason.PUBLIC_SUFFIX: "the name is a public suffix that many people share; give the whole host name",
        Reason.NULL_IDENTIFIER: "the value is a placeholder that thousands share; leave the row out",
        Reason.LEGACY_FORM: "the value is an outdated form; give the present one, or import with --upgrade-legacy",
        Reason.CARD_EXTRAS: "something stands beside the card number; give the number alone, never a security code",
        Reason.CHANGING_NAME: "an @name can change its owner; give the platform's stable account id",
        Reason.WRONG_KIND: "the value belongs to another kind; name that kind",
        Reason.REFUSED_KIND: "values of this kind are never accepted; see the list of kinds for why",
        Reason.UNKNOWN_KIND: "the row names a kind that does not exist; see the list of kinds",
        Reason.UNRECOGNISED: "no kind fits the value; name the kind",
        Reason.REF_IS_IDENTIFIER: "the reference gives the identifier away; use your own record number instead",
        Reason.BAD_CATEGORY: "the category is not in the fraud-type vocabulary; see the list of categories",
        Reason.BAD_FRAUD_ROLE: "the role is none of suspect, mule, spoofed, victim, unknown",
        Reason.BAD_CHANNEL: "the channel is not in the vocabulary; see the list of channels",
        Reason.BAD_AI_TECHNIQUE: "the technique is none of face_swap, voice_clone, targeted_script, none, unknown",
        Reason.BAD_CONFIDENCE: "the confidence is no whole number from 0 to 100",
        Reason.BAD_DATE: "the date is not in ISO 8601 form; write it like 2026-11-22",
        Reason.DATES_REVERSED: "the value was last seen before it was first seen; check the two dates",
    }
)
"""One sentence with the cure for every reason; never holds a value."""


class RejectedError(BadInputError):
    """One value or row is refused; the message comes from the reason and never holds the value.

    Args:
        reason: the machine reason.
        column: the column at fault (`value`, `ref`, `confidence`, ...), or empty.
    """

    def __init__(self, reason: Reason, *, column: str = "") -> None:
        text = TEXTS[reason]
        super().__init__(f"{column}: {text}" if column else text)
        self.reason = reason
        self.column = column
