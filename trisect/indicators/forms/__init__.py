"""Canonical forms: one spelling for every value, so that equal things meet and others never do.

`canonical` is the door; each module beside it knows some kinds. The rules are written down for people in
docs/spec/canonical-forms.md. Not here: tokens, and whether a value may be shared.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from trisect.indicators.forms import accounts, mail, money, phone, software, telecom, wallet, web
from trisect.indicators.forms.cells import clean_cell
from trisect.indicators.forms.indicator import DEFAULT_PROFILE, Indicator, Profile
from trisect.indicators.forms.reasons import TEXTS, Reason, RejectedError
from trisect.indicators.forms.spelling import MAX_CHARACTERS, MAX_URL_CHARACTERS
from trisect.indicators.forms.web import registrable_domain
from trisect.indicators.kinds import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = [
    "DEFAULT_PROFILE",
    "TEXTS",
    "Indicator",
    "Profile",
    "Reason",
    "RejectedError",
    "canonical",
    "clean_cell",
    "registrable_domain",
]

_FORMS: Mapping[Kind, Callable[[str, Profile], str]] = MappingProxyType(
    {
        Kind.SHORTCODE: telecom.shortcode,
        Kind.SMS_SENDER: telecom.sms_sender,
        Kind.IMEI: telecom.imei,
        Kind.IMSI: telecom.imsi,
        Kind.IBAN: money.iban,
        Kind.BANK_ACCOUNT: money.bank_account,
        Kind.PAYMENT_CARD: money.payment_card,
        Kind.PAYMENT_HANDLE: money.payment_handle,
        Kind.WALLET: wallet.wallet,
        Kind.EMAIL: mail.email,
        Kind.URL: web.url,
        Kind.DOMAIN: web.domain,
        Kind.IP: web.ip,
        Kind.DEVICE: accounts.device,
        Kind.NATIONAL_ID: accounts.national_id,
        Kind.PASSPORT: accounts.passport,
        Kind.APP: software.app,
        Kind.APP_CERTIFICATE: software.sha256,
        Kind.APK_SHA256: software.sha256,
        Kind.FILE_SHA256: software.sha256,
        Kind.SOCIAL_ACCOUNT: accounts.social_account,
        Kind.MERCHANT: money.merchant,
    }
)


def canonical(kind: Kind, raw: str, profile: Profile = DEFAULT_PROFILE) -> Indicator:
    """Bring a value into the one spelling of its kind.

    Making the result canonical again, under the same profile, gives the same result. A short code given as a
    phone comes back as a shortcode; every other value keeps its kind.

    Args:
        kind: what the value is.
        raw: the value as the source spells it; at most 4,096 characters for URLs, 256 for others.
        profile: how the source spells its values.

    Raises:
        RejectedError: with the reason; nothing in the error holds the value.
    """
    if kind is Kind.PHONE:
        return phone.phone(raw, profile)
    form = _FORMS.get(kind)
    if form is None:
        raise RejectedError(Reason.REFUSED_KIND)
    value = form(raw, profile)
    if len(value) > (MAX_URL_CHARACTERS if kind is Kind.URL else MAX_CHARACTERS):
        raise RejectedError(Reason.TOO_LONG)
    return Indicator(kind, value)
