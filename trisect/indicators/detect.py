"""Find out the kind of a bare value; where two kinds fit, refuse rather than guess.

Kinds that need a name in front (`platform:id`, `CC:bank:account`) and kinds that any text fits (sms_sender,
app) are never found; name them.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

from trisect.indicators.forms import DEFAULT_PROFILE, Indicator, Profile, Reason, RejectedError, canonical
from trisect.indicators.forms.refang import refang, refang_url
from trisect.indicators.forms.spelling import MAX_URL_CHARACTERS, admit
from trisect.indicators.forms.suffixes import has_known_suffix
from trisect.indicators.kinds import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

_PHONE_MARKS = r"[0-9\uff10-\uff19 ().\-/\u00a0\u2010-\u2015\u202a-\u202e\u2066-\u2069]"
_SHAPES: Mapping[Kind, re.Pattern[str]] = MappingProxyType(
    {
        Kind.URL: re.compile(r"(?:https?|ftps?|wss?)://.+|[^\s@/:]+\.[^\s@/:]+(?::[0-9]{1,5})?[/?#].*", re.IGNORECASE | re.DOTALL),
        Kind.EMAIL: re.compile(r"(?:mailto:)?[^\s@/]+@[^\s@/]+\.[^\s@/]+(?:\?.*)?", re.IGNORECASE),
        Kind.PAYMENT_HANDLE: re.compile(r"upi://.*|[^\s@/:]+@[^\s@/.:]+", re.IGNORECASE),
        Kind.IP: re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}|\[?[0-9a-f:.]*:[0-9a-f:.]*:[0-9a-f:.]*(?:%\S+)?\]?", re.IGNORECASE),
        Kind.IBAN: re.compile(r"(?:IBAN\W*)?[A-Z]{2}[0-9]{2}[A-Z0-9 \-\u00a0]{11,42}", re.IGNORECASE),
        Kind.WALLET: re.compile(r"[0-9A-Za-z]{26,106}|[EU]Q[0-9A-Za-z_/+\-]{46}|(?:bitcoin|bitcoincash|bch|bip122|eip155|ethereum|ltc|litecoin|ss58|tron|ton|monero|xmr|dash|zec|solana|xrpl|doge):.+", re.IGNORECASE),
        Kind.IMEI: re.compile(r"[0-9]{15}|[0-9]{2}-[0-9]{6}-[0-9]{6}-[0-9]"),
        Kind.IMSI: re.compile(r"[0-9]{15}"),
        Kind.PAYMENT_CARD: re.compile(r"[0-9](?:[ \-]?[0-9]){11,18}"),
        Kind.NATIONAL_ID: re.compile(r"[0-9]{17}[0-9Xx]"),
        Kind.PHONE: re.compile(rf"(?:tel:)?[ \u202a-\u202e\u2066-\u2069]*[(+\uff0b]*{_PHONE_MARKS}{{3,40}}(?:[ ,;]*(?:ext|x)[ .:=]*[0-9]{{1,7}})?", re.IGNORECASE),
        Kind.DOMAIN: re.compile(r"[^\s@/:\\]+\.[^\s@/:\\]+\.?"),
    }
)  # fmt: skip
_BARE_HEX = re.compile(r"[0-9a-fA-F]{40}|(?:[0-9a-fA-F]{2}:){31}[0-9a-fA-F]{2}|[0-9a-fA-F]{64}")


def detect(raw: str, profile: Profile) -> Indicator:
    """Find the one kind that a value can be, and give its canonical form.

    Args:
        raw: the value as the source spells it.
        profile: how the source spells its values; without region, phones need their plus.

    Raises:
        RejectedError: `ambiguous` when two kinds fit (64 hex digits, 40 without 0x, 15 digits that may be an
            IMEI or a card), the kind's own reason when only one shape fits and the value is refused there,
            `unrecognised` when no shape fits.
    """
    text = admit(raw, max_characters=MAX_URL_CHARACTERS, inner_breaks=True)
    plain = _plain(text)
    if _BARE_HEX.fullmatch(plain):
        raise RejectedError(Reason.AMBIGUOUS)
    found: set[Indicator] = set()
    refusals: list[Reason] = []
    for kind in _candidates(plain, profile):
        try:
            found.add(canonical(kind, text, profile))
        except RejectedError as refusal:
            refusals.append(refusal.reason)
    if len(found) == 1:
        return found.pop()
    if found or Reason.AMBIGUOUS in refusals:
        raise RejectedError(Reason.AMBIGUOUS)
    raise RejectedError(refusals[0] if len(refusals) == 1 else Reason.UNRECOGNISED)


def reads_as_identifier(text: str) -> bool:
    """Tell whether a text that is meant as a name is an identifier of some kind."""
    try:
        detect(text, DEFAULT_PROFILE)
    except RejectedError as refusal:
        return refusal.reason is Reason.AMBIGUOUS
    return True


def _plain(text: str) -> str:
    """Undo defanging as far as the shapes need it."""
    return refang(refang_url(text))


def _candidates(plain: str, profile: Profile) -> list[Kind]:
    kinds = [kind for kind, shape in _SHAPES.items() if shape.fullmatch(plain)]
    if Kind.PHONE in kinds and not _can_be_phone(plain, profile):
        kinds.remove(Kind.PHONE)
    if Kind.NATIONAL_ID in kinds and profile.region is None:
        kinds.remove(Kind.NATIONAL_ID)
    if Kind.IP in kinds:
        return [Kind.IP]
    if Kind.DOMAIN in kinds and (Kind.URL in kinds or Kind.PHONE in kinds or not _can_be_domain(plain)):
        kinds.remove(Kind.DOMAIN)
    return kinds


def _can_be_phone(plain: str, profile: Profile) -> bool:
    written_out = "+" in plain or "\uff0b" in plain
    return written_out or profile.region is not None or profile.plus_optional


def _can_be_domain(plain: str) -> bool:
    """Tell whether a dotted text ends in a known top-level domain, so that a package name is no domain."""
    last = plain.rstrip(".").rpartition(".")[2].lower()
    return not last.isascii() or last.startswith("xn--") or has_known_suffix(last)
