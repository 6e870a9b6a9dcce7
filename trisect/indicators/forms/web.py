"""Domains, URLs and IP addresses, as a browser reads them (WHATWG URL, UTS 46 non-transitional)."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING

import ada_url

from trisect.indicators.forms.reasons import Reason, RejectedError
from trisect.indicators.forms.refang import refang, refang_url
from trisect.indicators.forms.spelling import MAX_URL_CHARACTERS, admit, fold
from trisect.indicators.forms.suffixes import is_public_suffix, registrable

if TYPE_CHECKING:
    from trisect.indicators.forms.indicator import Profile

_LABEL = r"[a-z0-9_](?:[a-z0-9_\-]{0,61}[a-z0-9_])?"
_HOST = re.compile(
    rf"(?:{_LABEL}\.)+(?!0x[0-9a-f]*\Z)(?=[a-z0-9\-]*[a-z])[a-z0-9](?:[a-z0-9\-]{{0,61}}[a-z0-9])?"
)
_MAX_HOST_CHARACTERS = 253
_ADDRESS_LIKE = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)\.?", re.IGNORECASE)
_LOCAL_NAMES = (".local", ".localhost", ".internal", ".invalid", ".lan", ".home.arpa", ".localdomain")
_REVERSE_NAMES = (".ip6.arpa", ".in-addr.arpa")

_SCHEME = re.compile(r"([a-z][a-z0-9+.\-]*):", re.IGNORECASE)
_PORT_AFTER_HOST = re.compile(r"[^:/?#\s]*\.[^:/?#\s]*:[0-9]{1,5}(?:[/?#]|\Z)")
_HREF = re.compile(
    r"((?:https?|ftp|wss?)://)(?:[^/?#@]*@)?(\[[0-9a-f:.]+\]|[^/?#@:\[\]]+)(:[0-9]+)?(/[^?#]*)(\?[^#]*)?(?:#.*)?",
    re.DOTALL,
)
_DOTTED_DECIMAL = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}")
_SCHEMES = frozenset({"http:", "https:", "ftp:", "ws:", "wss:"})

_PRIVATE_NETWORKS = tuple(
    ipaddress.ip_network(network)
    for network in [
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "::/127",
        "100::/64",
        "fc00::/7",
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
    ]
)


def domain(raw: str, _profile: Profile) -> str:
    """Host name in ASCII: refanged, UTS 46, no root dot, underscores kept, at least two labels.

    Raises:
        RejectedError: `wrong_kind` for addresses and URLs, `public_suffix` for bare suffixes, `private` for
            names that mean something in one network only.
    """
    host = raw if _is_plain_host(raw) else _ascii_host(_host_text(raw))
    if "." not in host or f".{host}".endswith(_LOCAL_NAMES):
        raise RejectedError(Reason.PUBLIC_SUFFIX if is_public_suffix(host) else Reason.PRIVATE)
    if is_public_suffix(host):
        raise RejectedError(Reason.PUBLIC_SUFFIX)
    return host


def _is_plain_host(text: str) -> bool:
    """Tell whether a text is already in canonical form as far as spelling goes."""
    return len(text) <= _MAX_HOST_CHARACTERS and "xn--" not in text and _HOST.fullmatch(text) is not None


def _host_text(raw: str) -> str:
    text = refang(admit(raw))
    if "/" in text or "\\" in text or "@" in text:
        raise RejectedError(Reason.WRONG_KIND)
    return text


def _ascii_host(text: str) -> str:
    """Bring a host name into ASCII (UTS 46 non-transitional, as browsers do) and check its labels."""
    ascii_name = ada_url.idna_to_ascii(text).decode("ascii", "replace").lower()
    ascii_name = ascii_name.removesuffix(".")
    if not ascii_name or len(ascii_name) > _MAX_HOST_CHARACTERS:
        raise RejectedError(Reason.TOO_LONG if ascii_name else Reason.INVALID)
    if _ADDRESS_LIKE.fullmatch(ascii_name) or ":" in ascii_name:
        raise RejectedError(Reason.WRONG_KIND if _reads_as_address(ascii_name) else Reason.INVALID)
    if "." not in ascii_name and re.fullmatch(_LABEL, ascii_name):
        return ascii_name
    if not _HOST.fullmatch(ascii_name) or not _punycode_is_sound(ascii_name):
        raise RejectedError(Reason.INVALID)
    return ascii_name


def _reads_as_address(text: str) -> bool:
    try:
        ada_url.URL(f"http://[{text}]/" if text.count(":") > 1 else f"http://{text}/")
    except ValueError:
        return False
    return True


def _punycode_is_sound(host: str) -> bool:
    """Tell whether every `xn--` label decodes to something that encodes to it again."""
    if "xn--" not in host:
        return True
    for label in host.split("."):
        if not label.startswith("xn--"):
            continue
        try:
            shown = label[4:].encode("ascii").decode("punycode")
            again = ada_url.idna_to_ascii(shown).decode("ascii", "replace")
        except (UnicodeError, ValueError):
            return False
        if shown.isascii() or again != label:
            return False
    return True


def registrable_domain(raw: str) -> str:
    """Cut a host name down to what one registrant holds: public suffix, private ones included, and a label.

    Names under ip6.arpa and in-addr.arpa stay whole: their parents belong to address registries.

    Raises:
        RejectedError: as `domain`.
    """
    from trisect.indicators.forms.indicator import DEFAULT_PROFILE  # noqa: PLC0415

    host = domain(raw, DEFAULT_PROFILE)
    return host if host.endswith(_REVERSE_NAMES) else registrable(host)


def url(raw: str, _profile: Profile) -> str:
    """WHATWG serialisation without user, password, fragment, root dot, empty query and trailing slashes.

    Trailing slashes go only from a path that is longer than `/` and that no query follows; a text without a
    scheme is read as http. Schemes: http, https, ftp, ws, wss.

    Raises:
        RejectedError: with the reason; hosts must be addresses, or names of at least two labels.
    """
    text = admit(raw, max_characters=MAX_URL_CHARACTERS, inner_breaks=True)
    text = re.sub(r"[\t\r\n]", "", text)
    text = refang_url(f"http:{text}" if text.startswith("//") else text)
    scheme = _SCHEME.match(text)
    if scheme is None or _PORT_AFTER_HOST.match(text):
        text = f"http://{text}"
    elif f"{scheme[1].lower()}:" not in _SCHEMES:
        raise RejectedError(Reason.UNSUPPORTED_SCHEME)
    value, is_href = _serialised(text)
    if len(value) > MAX_URL_CHARACTERS:
        raise RejectedError(Reason.TOO_LONG)
    if not is_href and _serialised(value) != (value, True):
        raise RejectedError(Reason.INVALID)
    return value


def _serialised(text: str) -> tuple[str, bool]:
    """Serialise a URL; also tell whether that is what WHATWG does, and so would not change again."""
    try:
        href = ada_url.normalize_url(text)
    except (ValueError, UnicodeError):
        raise RejectedError(Reason.INVALID) from None
    parts = _HREF.fullmatch(href)
    if parts is None:
        raise RejectedError(Reason.INVALID)
    scheme, host, port, path, query = parts.groups(default="")
    if not _is_plain_host(host):
        host = _checked_host(host)
    if len(query) <= 1:
        path, query = path.rstrip("/") or "/", ""
    value = f"{scheme}{host}{port}{path}{query}"
    return value, value == href


def _checked_host(host: str) -> str:
    if host.startswith("[") or _DOTTED_DECIMAL.fullmatch(host):
        return host
    host = _ascii_host(host)
    if "." not in host:
        raise RejectedError(Reason.PRIVATE if host == "localhost" else Reason.INVALID)
    return host


def ip(raw: str, _profile: Profile) -> str:
    """IPv4 in dotted decimal or IPv6 as in RFC 5952; an IPv4-mapped address becomes IPv4.

    Raises:
        RejectedError: `scoped` with a zone, `private` outside the public internet, `ambiguous` with leading
            zeros, which some programs read as octal.
    """
    text = refang(fold(raw))
    if text.startswith("[") and text.endswith("]"):
        text = text[1:-1]
    if "%" in text:
        raise RejectedError(Reason.SCOPED)
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        padded = re.fullmatch(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}", text)
        raise RejectedError(
            Reason.AMBIGUOUS if padded and re.search(r"\b0[0-9]", text) else Reason.INVALID
        ) from None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if any(address in network for network in _PRIVATE_NETWORKS if network.version == address.version):
        raise RejectedError(Reason.PRIVATE)
    return str(address)
