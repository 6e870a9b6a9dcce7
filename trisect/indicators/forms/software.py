"""Programs and files: package names, signing certificates, SHA-256 digests."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from trisect.indicators.forms.reasons import Reason, RejectedError
from trisect.indicators.forms.spelling import fold

if TYPE_CHECKING:
    from trisect.indicators.forms.indicator import Profile

_PACKAGE = re.compile(r"[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z0-9_][A-Za-z0-9_\-]*)+")
_MAX_PACKAGE_CHARACTERS = 223
_LABEL = re.compile(r"sha-?256(?:\s*fingerprint)?\s*[:=/]?\s*", re.IGNORECASE)
_HEX = re.compile(r"[0-9a-f]{64}")
_COLON_HEX = re.compile(r"[0-9a-fA-F]{2}(?:[: ][0-9a-fA-F]{2}){31}")
_OF_NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def app(raw: str, _profile: Profile) -> str:
    """Android package name or Apple bundle id, case kept."""
    text = fold(raw)
    if len(text) > _MAX_PACKAGE_CHARACTERS:
        raise RejectedError(Reason.TOO_LONG)
    if not _PACKAGE.fullmatch(text):
        raise RejectedError(Reason.WRONG_KIND if "://" in text else Reason.INVALID)
    return text


def sha256(raw: str, _profile: Profile) -> str:
    """64 small hex digits; colons between bytes and a `sha256:` in front are dropped."""
    text = fold(raw)
    label = _LABEL.match(text)
    bare = text[label.end() :] if label else text
    if _COLON_HEX.fullmatch(bare):
        bare = bare.replace(":", "").replace(" ", "")
    bare = bare.lower()
    if not _HEX.fullmatch(bare):
        raise RejectedError(Reason.INVALID)
    if bare == _OF_NOTHING or len(set(bare)) == 1:
        raise RejectedError(Reason.NULL_IDENTIFIER)
    return bare
