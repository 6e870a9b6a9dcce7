"""E-mail addresses: the local part exactly as written, the domain in ASCII."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from trisect.indicators.forms.reasons import Reason, RejectedError
from trisect.indicators.forms.refang import refang
from trisect.indicators.forms.spelling import admit
from trisect.indicators.forms.web import domain

if TYPE_CHECKING:
    from trisect.indicators.forms.indicator import Profile

_PLAIN_LOCAL = re.compile(
    r"(?=.{1,64}\Z)[a-zA-Z0-9!#$%&'*+/=?^_`{|}~\-]+(?:\.[a-zA-Z0-9!#$%&'*+/=?^_`{|}~\-]+)*"
)
_PLAIN_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9\-]*[a-z0-9])?\.)+[a-z]{2,24}")
_SPECIAL_ENDINGS = (".arpa", ".example", ".internal", ".invalid", ".local", ".localhost", ".onion", ".test")
_MAX_CHARACTERS = 254
_UPI_LIKE = re.compile(r"[^@\s]+@[A-Za-z][A-Za-z0-9]+")


def email(raw: str, profile: Profile) -> str:
    """Address of RFC 5321 without quotes, comments or display name; no DNS is asked.

    The local part keeps its case, dots and tags: whether a provider ignores them is that provider's affair.

    Raises:
        RejectedError: with the reason; a local part that NFKC would change is ambiguous.
    """
    text = refang(admit(raw))
    if text[:7].lower() == "mailto:":
        text = text[7:].partition("?")[0]
    local, _, host = text.rpartition("@")
    if not local or not host:
        raise RejectedError(Reason.INVALID)
    if unicodedata.normalize("NFKC", local) != local:
        raise RejectedError(Reason.AMBIGUOUS)
    if "[" in host:
        raise RejectedError(Reason.INVALID)
    if _UPI_LIKE.fullmatch(text):
        raise RejectedError(Reason.WRONG_KIND)
    ascii_host = domain(host, profile)
    if not _is_plain(local, ascii_host):
        _ask_library(local, ascii_host)
    return f"{local}@{ascii_host}"


def _is_plain(local: str, host: str) -> bool:
    """Tell whether an address needs no library: ASCII without oddities, and no name of special use."""
    return (
        len(local) + len(host) < _MAX_CHARACTERS
        and _PLAIN_LOCAL.fullmatch(local) is not None
        and _PLAIN_HOST.fullmatch(host) is not None
        and "--" not in host
        and not host.endswith(_SPECIAL_ENDINGS)
    )


def _ask_library(local: str, ascii_host: str) -> None:
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415

    try:
        checked = validate_email(
            f"{local}@{ascii_host}", check_deliverability=False, test_environment=True, allow_smtputf8=True
        )
    except EmailNotValidError:
        raise RejectedError(Reason.INVALID) from None
    if checked.local_part != local:
        raise RejectedError(Reason.AMBIGUOUS)
