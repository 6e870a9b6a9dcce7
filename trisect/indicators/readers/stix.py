"""STIX 2.1: observables, indicators and what misp-stix wraps, from a bundle, a list of objects or one object.

Objects that describe the world around (identities, reports, relationships, markings ...) are no rows; they are
listed in `_CONTEXT`, and a type that is neither there nor read is a reject. An observable takes its first and
last day from the observed-data that refers to it. One value can come twice, as an observable and in an
indicator's pattern; the intake counts duplicates.

An indicator that has expired gives as many rejects as it would give rows: an import that goes on after a stop
finds every row at its place, whatever has expired meanwhile.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from typing import Final

from trisect.errors import BadInputError
from trisect.indicators.entries import RawRow
from trisect.indicators.forms.reasons import RejectedError
from trisect.indicators.kinds import KINDS
from trisect.indicators.labels import end_of
from trisect.indicators.readers.batch import Reading, Reason, Unreadable
from trisect.indicators.readers.misp import attribute_rows
from trisect.indicators.readers.observables import (
    date_of,
    items_in,
    labels_of,
    moment_of,
    objects_in,
    place_of,
    row,
    text_of,
)
from trisect.indicators.readers.stix_pattern import Conjunction, PatternError, parse_pattern

_VALUES: Final[Mapping[str, str]] = {  # observables with one property `value`
    "domain-name": "domain", "url": "url", "ipv4-addr": "ip", "ipv6-addr": "ip", "email-addr": "email",
    "phone-number": "phone", "payment-card": "payment_card", "cryptocurrency-wallet": "wallet",
}  # fmt: skip
_PATHS: Final[Mapping[str, str]] = {f"{name}:value": kind for name, kind in _VALUES.items()} | {
    "bank-account:iban": "iban",
    "bank-account:account_number": "bank_account",
    "file:hashes.SHA-256": "file_sha256",
    "file:hashes.SHA256": "file_sha256",
    "email-message:from_ref.value": "email",
    "email-message:sender_ref.value": "email",
}
_CONTEXT: Final = frozenset(
    (
        # STIX 2.1, 4: domain objects, without indicator, note and observed-data
        "attack-pattern", "campaign", "course-of-action", "grouping", "identity", "incident", "infrastructure",
        "intrusion-set", "location", "malware", "malware-analysis", "opinion", "report", "threat-actor", "tool",
        "vulnerability",
        "relationship", "sighting",  # 5
        "extension-definition", "language-content", "marking-definition",  # 7
    )
)  # fmt: skip
_REFUSED: Final = frozenset(name for spec in KINDS.values() if spec.refusal for name in spec.stix)
_HARMLESS_TYPES: Final = "benign"  # STIX 2.1, indicator-type-ov
_PACKAGE: Final = re.compile(r"[A-Za-z]\w*(\.[A-Za-z]\w*)+")
_Object = dict[str, object]
_Found = tuple[str | Reason, object]


def is_stix(document: object) -> bool:
    """Whether a JSON document has the outline of STIX."""
    if isinstance(document, list):
        return any(is_stix(item) for item in document[:1])
    if not isinstance(document, dict) or not text_of(document.get("type")):
        return False
    return document["type"] == "bundle" or "--" in text_of(document.get("id"))


def read_stix(document: object, *, name: str, now: dt.datetime) -> Reading:
    """Rows of a STIX document, in the order of its objects.

    Args:
        document: parsed JSON.
        name: base name of the file.
        now: an indicator whose `valid_until` is not after it has expired.

    Raises:
        BadInputError: neither a bundle, nor a list of STIX objects, nor one.
    """
    if not is_stix(document):
        raise BadInputError(
            "the file is JSON, but neither a STIX bundle nor a STIX object",
            hint='a bundle has "type": "bundle" and a list "objects"',
        )
    if isinstance(document, dict):
        found: object = document.get("objects", []) if document["type"] == "bundle" else [document]
    else:
        found = document
    if not isinstance(found, list):
        raise BadInputError("the STIX bundle's objects are no list", hint="export the bundle again")
    found = list(_unwrapped(found))
    observed = _observed(objects_in(found))
    for number, item in enumerate(found, start=1):
        if not isinstance(item, dict):
            yield Unreadable(f"#{number}", Reason.NOT_AN_OBJECT)
            continue
        where = place_of(item.get("id"), number)
        labels = observed.get(text_of(item.get("id")), {}) | _labels(item)
        yield from _rows(item, where, name=name, labels=labels, now=now)


def _unwrapped(items: list[object]) -> Iterator[object]:
    """The items, with those of bundles inside in the place of these."""
    for item in items:
        if isinstance(item, dict) and item.get("type") == "bundle":
            yield from _unwrapped(items_in(item.get("objects")))
        else:
            yield item


def _observed(objects: list[_Object]) -> dict[str, dict[str, str]]:
    """For each object that an observed-data refers to: first and last day, and tags."""
    found: dict[str, dict[str, str]] = {}
    for item in objects:
        refs = item.get("object_refs")
        if item.get("type") == "observed-data" and isinstance(refs, list):
            days = {
                "first_seen": date_of(item.get("first_observed")),
                "last_seen": date_of(item.get("last_observed")),
            }
            for ref in refs:
                found[text_of(ref)] = _labels(item) | days
    return found


def _labels(item: _Object) -> dict[str, str]:
    tags = item.get("labels")
    labels = labels_of(tags) if isinstance(tags, list) else {}
    if text_of(item.get("confidence")):
        labels["confidence"] = text_of(item["confidence"])
    return labels


def _rows(
    item: _Object, where: str, *, name: str, labels: Mapping[str, str], now: dt.datetime
) -> Iterator[RawRow | Unreadable]:
    type_name = text_of(item.get("type"))
    if type_name in _CONTEXT or (type_name == "observed-data" and "objects" not in item):
        return
    if item.get("revoked") is True:
        yield Unreadable(where, Reason.WITHDRAWN)
    elif type_name in _VALUES:
        yield row(where, name=name, kind=_VALUES[type_name], value=item.get("value"), labels=labels)
    elif type_name in _READERS:
        kind, value = _READERS[type_name](item)
        yield _row_of(kind, value, where, name=name, labels=labels)
    elif type_name == "indicator":
        yield from _indicator(item, where, name=name, labels=labels, now=now)
    elif type_name in ("x-misp-attribute", "x-misp-object"):
        yield from _wrapped(item, where, name=name, labels=labels)
    elif type_name in _REFUSED:
        yield Unreadable(where, Reason.REFUSED_KIND)
    else:
        yield Unreadable(where, Reason.UNSUPPORTED_TYPE)


def _row_of(
    kind: str | Reason, value: object, where: str, *, name: str, labels: Mapping[str, str]
) -> RawRow | Unreadable:
    if isinstance(kind, Reason):
        return Unreadable(where, kind)
    return row(where, name=name, kind=kind, value=value, labels=labels)


def _bank_account(item: _Object) -> _Found:
    return ("iban", item["iban"]) if item.get("iban") else ("bank_account", item.get("account_number"))


def _file(item: _Object) -> _Found:
    hashes = item.get("hashes")
    digest = hashes.get("SHA-256") if isinstance(hashes, dict) else None
    return ("file_sha256", digest) if digest else (Reason.UNSUPPORTED_TYPE, None)


def _user_account(item: _Object) -> _Found:
    platform, user = text_of(item.get("account_type")), text_of(item.get("user_id"))
    if not user and (item.get("account_login") or item.get("display_name")):
        return Reason.CHANGING_NAME, None
    return ("social_account", f"{platform}:{user}") if platform and user else (Reason.UNSUPPORTED_TYPE, None)


def _software(item: _Object) -> _Found:
    name = text_of(item.get("name"))  # a display name points at nothing; a package name does
    return ("app", name) if _PACKAGE.fullmatch(name) else (Reason.UNSUPPORTED_TYPE, None)


_READERS: Final = {
    "bank-account": _bank_account,
    "file": _file,
    "user-account": _user_account,
    "software": _software,
}


def _indicator(
    item: _Object, where: str, *, name: str, labels: Mapping[str, str], now: dt.datetime
) -> Iterator[RawRow | Unreadable]:
    types = item.get("indicator_types")
    if isinstance(types, list) and types == [_HARMLESS_TYPES]:
        yield Unreadable(where, Reason.NOT_FRAUD)
        return
    if text_of(item.get("pattern_type")) not in ("stix", ""):  # STIX 2.0 has no pattern_type
        yield Unreadable(where, Reason.UNSUPPORTED_PATTERN)
        return
    try:
        alternatives = parse_pattern(text_of(item.get("pattern")))
    except PatternError as error:
        yield Unreadable(where, error.reason)
        return
    dated = {**labels, "first_seen": date_of(item.get("valid_from"))}
    ended = _ended(moment_of(item.get("valid_until")), now)
    for conjunction in alternatives:
        kind, value = _one_observable(conjunction)
        yield _row_of(ended or kind, value, where, name=name, labels=dated)


def _ended(valid_until: str, now: dt.datetime) -> Reason | None:
    """Why an indicator with that end is not to be taken, if so."""
    try:
        end = end_of(valid_until)
    except RejectedError:
        return Reason.BAD_DATE
    return Reason.EXPIRED if end is not None and end <= now else None


def _one_observable(conjunction: Conjunction) -> _Found:
    """Kind and value where all comparisons describe one thing that we have a kind for."""
    if len(conjunction) == 1 and conjunction[0].path in _PATHS:
        return _PATHS[conjunction[0].path], conjunction[0].value
    properties = dict(conjunction)
    types = {path.partition(":")[0] for path in properties}
    if types == {"file"}:  # a digest decides alone; name and size beside it add nothing
        digests = [value for path, value in properties.items() if _PATHS.get(path) == "file_sha256"]
        return ("file_sha256", digests[0]) if len(digests) == 1 else (Reason.UNSUPPORTED_TYPE, "")
    if types == {"user-account"}:
        account = {path.partition(":")[2]: value for path, value in properties.items()}
        return _user_account({**account})
    if len(conjunction) > 1:
        return Reason.SEVERAL_OBSERVABLES, ""
    return Reason.UNSUPPORTED_TYPE, ""


def _wrapped(
    item: _Object, where: str, *, name: str, labels: Mapping[str, str]
) -> Iterator[RawRow | Unreadable]:
    """What misp-stix has no STIX object for: the MISP attribute as it was."""
    tags = item.get("labels")
    if isinstance(tags, list) and 'misp:to_ids="False"' in tags:
        yield Unreadable(where, Reason.NOT_FRAUD)
        return
    if text_of(item.get("type")) == "x-misp-attribute":
        type_name = text_of(item.get("x_misp_type"))
        yield from attribute_rows(where, type_name, item.get("x_misp_value"), name=name, labels=labels)
        return
    for attribute in items_in(item.get("x_misp_attributes")):
        if not isinstance(attribute, dict):
            yield Unreadable(where, Reason.NOT_AN_OBJECT)
            continue
        relation = text_of(attribute.get("object_relation"))
        yield from attribute_rows(
            where,
            text_of(attribute.get("type")),
            attribute.get("value"),
            relation=relation,
            name=name,
            labels=labels,
        )
