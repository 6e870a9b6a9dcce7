"""People and their accounts and devices: national ids, passports, platform accounts, device ids."""

from __future__ import annotations

import importlib
import re
from types import MappingProxyType
from typing import TYPE_CHECKING

from trisect.indicators.forms.countries import split_country
from trisect.indicators.forms.reasons import Reason, RejectedError
from trisect.indicators.forms.spelling import admit, fold

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

    from trisect.indicators.forms.indicator import Profile

_GAPS = dict.fromkeys(map(ord, " -.\u00a0\u2010\u2011\u2012\u2013\u2014"), None)
_PASSPORT = re.compile(r"(?=.*[0-9])[A-Z0-9]{5,12}")
_NAMESPACED = re.compile(r"([A-Za-z0-9][A-Za-z0-9._\-]{0,63})\s*:\s*(\S.{0,190})", re.DOTALL)
_ACCOUNT_ID = re.compile(r"[!-~]{1,128}")
_CHINESE_LEGACY = re.compile(r"[0-9]{15}")
_CHINESE_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_PLACEHOLDER = re.compile(r"[0.:\-]+|[fF:\-]{12,}|null|none|unknown|undefined", re.IGNORECASE)

_NATIONAL_IDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "BE": ("stdnum.be.nn",),
        "BR": ("stdnum.br.cpf",),
        "CL": ("stdnum.cl.rut",),
        "CN": ("stdnum.cn.ric",),
        "CZ": ("stdnum.cz.rc",),
        "DE": ("stdnum.de.idnr",),
        "DK": ("stdnum.dk.cpr",),
        "EE": ("stdnum.ee.ik",),
        "ES": ("stdnum.es.dni", "stdnum.es.nie"),
        "FI": ("stdnum.fi.hetu",),
        "FR": ("stdnum.fr.nir",),
        "HR": ("stdnum.hr.oib",),
        "IL": ("stdnum.il.idnr",),
        "IN": ("stdnum.in_.aadhaar", "stdnum.in_.pan"),
        "IT": ("stdnum.it.codicefiscale",),
        "KR": ("stdnum.kr.rrn",),
        "LT": ("stdnum.lt.asmens",),
        "MX": ("stdnum.mx.curp",),
        "MY": ("stdnum.my.nric",),
        "NL": ("stdnum.nl.bsn",),
        "NO": ("stdnum.no.fodselsnummer",),
        "PK": ("stdnum.pk.cnic",),
        "PL": ("stdnum.pl.pesel",),
        "RO": ("stdnum.ro.cnp",),
        "TH": ("stdnum.th.pin",),
        "TR": ("stdnum.tr.tckimlik",),
        "US": ("stdnum.us.ssn",),
        "ZA": ("stdnum.za.idnr",),
    }
)


def national_id(raw: str, profile: Profile) -> str:
    """`CC:number` with the country's own check; Chinese 15-digit ids only when the profile upgrades them."""
    country, rest = split_country(fold(raw), profile)
    if country not in _NATIONAL_IDS:
        raise RejectedError(Reason.UNSUPPORTED_COUNTRY)
    number = rest.translate(_GAPS).upper() if country != "FI" else rest.strip().upper()
    if not number.isascii() or re.search(r"[*_]|XX", number):
        raise RejectedError(Reason.MASKED if number.isascii() else Reason.INVALID)
    if not number.strip("0"):
        raise RejectedError(Reason.NULL_IDENTIFIER)
    if country == "CN" and _CHINESE_LEGACY.fullmatch(number):
        if not profile.upgrade_legacy:
            raise RejectedError(Reason.LEGACY_FORM)
        number = _upgraded(number)
    return f"{country}:{_validated(country, number)}"


def _upgraded(number: str) -> str:
    """Complete a Chinese 15-digit id (GB 11643-1989) to 18 digits (GB 11643-1999): century 19, check digit."""
    body = f"{number[:6]}19{number[6:]}"
    total = sum(int(digit) * weight for digit, weight in zip(body, _CHINESE_WEIGHTS, strict=True))
    return body + "10X98765432"[total % 11]


def _validated(country: str, number: str) -> str:
    from stdnum.exceptions import InvalidChecksum, ValidationError  # noqa: PLC0415

    reason = Reason.INVALID
    for name in _NATIONAL_IDS[country]:
        module: ModuleType = importlib.import_module(name)
        try:
            return str(module.validate(number))
        except InvalidChecksum:
            reason = Reason.CHECKSUM
        except ValidationError:
            continue
    raise RejectedError(reason)


def passport(raw: str, profile: Profile) -> str:
    """`CC:NUMBER`: capitals and digits without gaps; the country is the issuing one."""
    country, rest = split_country(fold(raw), profile)
    number = rest.translate(_GAPS).upper()
    if not _PASSPORT.fullmatch(number):
        raise RejectedError(Reason.MASKED if re.search(r"[*_]|XX", number) else Reason.INVALID)
    if len(set(number)) == 1:
        raise RejectedError(Reason.NULL_IDENTIFIER)
    return f"{country}:{number}"


def social_account(raw: str, _profile: Profile) -> str:
    """`platform:id`: the platform in small letters, its stable account id exactly."""
    platform, account = _split_namespace(fold(raw))
    if account.startswith("@"):
        raise RejectedError(Reason.CHANGING_NAME)
    if not _ACCOUNT_ID.fullmatch(account) or account.startswith("//"):
        raise RejectedError(Reason.INVALID)
    return f"{platform}:{account}"


def device(raw: str, _profile: Profile) -> str:
    """`namespace:id`: the vendor's namespace in small letters, the id exactly, whatever its case."""
    namespace, identifier = _split_namespace(admit(raw))
    if not identifier.isprintable() or identifier.startswith("//"):
        raise RejectedError(Reason.INVALID)
    return f"{namespace}:{identifier}"


def _split_namespace(text: str) -> tuple[str, str]:
    match = _NAMESPACED.fullmatch(text)
    if match is None:
        raise RejectedError(Reason.INVALID)
    if _PLACEHOLDER.fullmatch(match[2]):
        raise RejectedError(Reason.NULL_IDENTIFIER)
    return match[1].lower(), match[2]
