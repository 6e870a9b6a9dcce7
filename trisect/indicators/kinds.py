"""The registry of indicator kinds: what each is called, what law says of it, and whether it may leave the node.

`KINDS` covers every category of personal information that the paper finds missing from the definitions
(sections 3.1.2 and 4.2.1), also those that are never shared, so that rules can speak of them.

Not here: how a value of a kind is spelled (`forms`), or which rule allows it.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from trisect.errors import BadInputError

_SHOWN_CHARACTERS = 40


class Kind(enum.StrEnum):
    """A kind of indicator; the value is its name in files, on the wire and on screens."""

    PHONE = "phone"
    SHORTCODE = "shortcode"
    SMS_SENDER = "sms_sender"
    IMEI = "imei"
    IMSI = "imsi"
    IBAN = "iban"
    BANK_ACCOUNT = "bank_account"
    PAYMENT_CARD = "payment_card"
    PAYMENT_HANDLE = "payment_handle"
    WALLET = "wallet"
    EMAIL = "email"
    URL = "url"
    DOMAIN = "domain"
    IP = "ip"
    DEVICE = "device"
    NATIONAL_ID = "national_id"
    PASSPORT = "passport"
    APP = "app"
    APP_CERTIFICATE = "app_certificate"
    APK_SHA256 = "apk_sha256"
    FILE_SHA256 = "file_sha256"
    SOCIAL_ACCOUNT = "social_account"
    MERCHANT = "merchant"
    SCRIPT = "script"
    MEDIA = "media"
    VOICEPRINT = "voiceprint"
    FACE_TEMPLATE = "face_template"
    ADDRESS = "address"
    LOCATION = "location"
    BROWSING = "browsing"
    CONSUMPTION = "consumption"
    PERSON = "person"


class LawClass(enum.StrEnum):
    """How the law classes a kind; a kind with two classes is treated as the stricter one in doubt."""

    ORDINARY = "O"
    SENSITIVE = "S"
    """Sensitive personal information, PIPL article 28."""
    BIOMETRIC = "B"
    NOT_PERSONAL = "N"
    """Usually no personal information."""


class Facet(enum.StrEnum):
    """Why a kind is personal information: it identifies a person, or reflects an activity (paper, 2.2.1)."""

    IDENTITY = "identity"
    ACTIVITY = "activity"


@dataclass(frozen=True, slots=True)
class KindSpec:
    """What the registry holds on one kind.

    Attributes:
        kind: the kind.
        number: stable small integer for storage and wire, 1 to 255; never given to another kind.
        law: one or two law classes.
        facets: identity, activity or both; never empty.
        refusal: why no value of this kind is accepted, or None when values are accepted.
        stix: names of STIX 2.1 objects that carry the kind, extensions included; may be empty.
        misp: names of MISP attribute types that may carry the kind; one type can serve several kinds.
    """

    kind: Kind
    number: int
    law: tuple[LawClass, ...]
    facets: frozenset[Facet]
    refusal: str | None = None
    stix: tuple[str, ...] = ()
    misp: tuple[str, ...] = ()


_NO_BANDS = "banded matching does not exist yet"
_STAYS_HOME = "never leave the node"
_NOT_ALONE = "never shared alone"

_I = frozenset({Facet.IDENTITY})
_A = frozenset({Facet.ACTIVITY})
_IA = _I | _A
_O = (LawClass.ORDINARY,)
_S = (LawClass.SENSITIVE,)
_N = (LawClass.NOT_PERSONAL,)
_OS = (LawClass.ORDINARY, LawClass.SENSITIVE)
_SB = (LawClass.SENSITIVE, LawClass.BIOMETRIC)

_SPECS = (
    KindSpec(Kind.PHONE, 1, _O, _IA, stix=("phone-number",), misp=("phone-number", "prtn")),
    KindSpec(Kind.SHORTCODE, 2, _N, _I, misp=("text",)),
    KindSpec(Kind.SMS_SENDER, 3, _N, _I, misp=("text",)),
    KindSpec(Kind.IMEI, 4, _O, _I, misp=("text",)),
    KindSpec(Kind.IMSI, 5, _O, _I, misp=("text",)),
    KindSpec(Kind.IBAN, 6, _S, _I, stix=("bank-account",), misp=("iban",)),
    KindSpec(Kind.BANK_ACCOUNT, 7, _S, _I, stix=("bank-account",), misp=("bank-account-nr",)),
    KindSpec(Kind.PAYMENT_CARD, 8, _S, _I, stix=("payment-card",), misp=("cc-number",)),
    KindSpec(Kind.PAYMENT_HANDLE, 9, _S, _IA, misp=("text",)),
    KindSpec(Kind.WALLET, 10, _O, _I, stix=("cryptocurrency-wallet",), misp=("btc", "xmr", "dash")),
    KindSpec(Kind.EMAIL, 11, _O, _I, stix=("email-addr",), misp=("email-src", "email", "email-dst")),
    KindSpec(Kind.URL, 12, _N, _I, stix=("url",), misp=("url", "uri", "link")),
    KindSpec(Kind.DOMAIN, 13, _N, _I, stix=("domain-name",), misp=("domain", "hostname")),
    KindSpec(Kind.IP, 14, _O, _A, stix=("ipv4-addr", "ipv6-addr"), misp=("ip-src", "ip-dst")),
    KindSpec(Kind.DEVICE, 15, _O, _A),
    KindSpec(Kind.NATIONAL_ID, 16, _OS, _I, misp=("identity-card-number",)),
    KindSpec(Kind.PASSPORT, 17, _O, _I, misp=("passport-number",)),
    KindSpec(Kind.APP, 18, _N, _I, stix=("software",), misp=("mobile-application-id",)),
    KindSpec(Kind.APP_CERTIFICATE, 19, _N, _I, stix=("x509-certificate",), misp=("x509-fingerprint-sha256",)),
    KindSpec(Kind.APK_SHA256, 20, _N, _I, stix=("file",), misp=("sha256",)),
    KindSpec(Kind.FILE_SHA256, 21, _N, _I, stix=("file",), misp=("sha256",)),
    KindSpec(Kind.SOCIAL_ACCOUNT, 22, _O, _IA, stix=("user-account",), misp=("twitter-id", "jabber-id")),
    KindSpec(Kind.MERCHANT, 23, _N, _I),
    KindSpec(Kind.SCRIPT, 24, _N, _I, refusal=_NO_BANDS, stix=("note",)),
    KindSpec(Kind.MEDIA, 25, _SB, _I, refusal=_NO_BANDS, stix=("artifact",), misp=("attachment",)),
    KindSpec(Kind.VOICEPRINT, 26, _SB, _I, refusal=_STAYS_HOME),
    KindSpec(Kind.FACE_TEMPLATE, 27, _SB, _I, refusal=_STAYS_HOME),
    KindSpec(Kind.ADDRESS, 28, _OS, _I, refusal=_NOT_ALONE),
    KindSpec(Kind.LOCATION, 29, _OS, _A, refusal=_NOT_ALONE),
    KindSpec(Kind.BROWSING, 30, _OS, _A, refusal=_NOT_ALONE),
    KindSpec(Kind.CONSUMPTION, 31, _OS, _A, refusal=_NOT_ALONE),
    KindSpec(Kind.PERSON, 32, _OS, _I, refusal=_NOT_ALONE),
)

KINDS: Mapping[Kind, KindSpec] = MappingProxyType({spec.kind: spec for spec in _SPECS})
"""Every kind with its spec, in the order of the numbers."""

_BY_NUMBER: Mapping[int, Kind] = MappingProxyType({spec.number: spec.kind for spec in _SPECS})


def parse_kind(text: str) -> Kind:
    """Read the name of a kind; case and surrounding blanks do not matter, `-` counts as `_`.

    Raises:
        BadInputError: no such kind; names the known ones and at most 40 printable characters of the text.
    """
    try:
        return Kind(text.strip().lower().replace("-", "_"))
    except ValueError:
        shown = "".join(c if c.isprintable() else "?" for c in text[:_SHOWN_CHARACTERS])
        known = ", ".join(Kind)
        raise BadInputError(f"unknown kind '{shown}'", hint=f"known kinds: {known}") from None


def kind_of_number(number: int) -> Kind:
    """Find the kind that storage and wire know under a number.

    Raises:
        BadInputError: no kind has the number.
    """
    try:
        return _BY_NUMBER[number]
    except KeyError:
        raise BadInputError(
            f"no kind has the number {number}", hint="the other end may run a newer version"
        ) from None
