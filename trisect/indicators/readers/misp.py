"""MISP: events, lists of events as the API and feeds hand them out, and lists of attributes.

`to_ids` says "use this for detection". Where MISP's own default for a type is yes, an attribute without the
flag was put aside by a person (context, a victim's, a reference) and is no indicator of fraud. Telephone and
card-holder types default to no, so there the flag says nothing and the attribute is read. Objects named
`victim` or `person` describe people, not fraud. The manifest of a feed names events and holds none: it is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from trisect.errors import BadInputError
from trisect.indicators.entries import RawRow
from trisect.indicators.kinds import KINDS
from trisect.indicators.readers.batch import Reading, Reason, Unreadable
from trisect.indicators.readers.observables import (
    date_of,
    items_in,
    labels_of,
    objects_in,
    place_of,
    row,
    text_of,
)

_PLAIN: Final[Mapping[str, str]] = {
    "phone-number": "phone", "whois-registrant-phone": "phone", "prtn": "phone",
    "iban": "iban", "bank-account-nr": "bank_account", "cc-number": "payment_card",
    "btc": "wallet", "xmr": "wallet", "dash": "wallet",
    "email": "email", "email-src": "email", "email-dst": "email", "email-reply-to": "email",
    "whois-registrant-email": "email",
    "url": "url", "domain": "domain", "hostname": "domain", "ip-src": "ip", "ip-dst": "ip",
    "sha256": "file_sha256", "mobile-application-id": "app",
    "identity-card-number": "national_id", "passport-number": "passport",
    "x509-fingerprint-sha256": "app_certificate",
}  # fmt: skip
_COMPOSITE: Final[Mapping[str, tuple[str, str]]] = {  # kinds of the two parts; empty: no indicator
    "domain|ip": ("domain", "ip"),
    "hostname|port": ("domain", ""),
    "ip-src|port": ("ip", ""),
    "ip-dst|port": ("ip", ""),
    "filename|sha256": ("", "file_sha256"),
}
_ACCOUNTS: Final[Mapping[str, str]] = {"twitter-id": "twitter", "jabber-id": "jabber"}
_CHANGING_NAMES: Final = frozenset(("github-username",))  # a platform hands such a name on to another person
_RELATIONS: Final[Mapping[str, str]] = {  # MISP objects keep these as plain text
    "msisdn": "phone", "imei": "imei", "imsi": "imsi", "address-crypto": "wallet",
}  # fmt: skip
_CONTEXT: Final = frozenset(("link", "target-email", "target-user", "comment"))
_DEFAULT_NOT_IDS: Final = frozenset(
    (
        "phone-number", "whois-registrant-phone", "whois-registrant-email", "email-reply-to", "identity-card-number",
        "passport-number", "twitter-id", "github-username", "jabber-id", "text",
    )
)  # fmt: skip
_REFUSED: Final = frozenset(name for spec in KINDS.values() if spec.refusal for name in spec.misp)
_PEOPLE: Final = frozenset(("victim", "person"))
_UUID: Final = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def is_misp(document: object) -> bool:
    """Whether a JSON document has the outline of a MISP export, or of a feed's manifest."""
    if isinstance(document, list):
        return any(is_misp(item) for item in document[:1])
    if not isinstance(document, dict):
        return False
    return is_manifest(document) or any(key in document for key in ("Event", "response", "Attribute"))


def is_manifest(document: object) -> bool:
    """Whether a JSON document is a feed's `manifest.json`: what each event is about, under its uuid."""
    return (
        isinstance(document, dict)
        and bool(document)
        and all(_UUID.fullmatch(key) and isinstance(about, dict) for key, about in document.items())
    )


def read_misp(document: object, *, name: str) -> Reading:
    """Rows of a MISP document: attributes of its events and of their objects, in order.

    Raises:
        BadInputError: neither an event, nor a list of events, nor a list of attributes; or a feed's manifest.
    """
    if is_manifest(document):
        raise BadInputError(
            "the file is the manifest of a MISP feed, which names its events and holds none of their attributes",
            hint="import the event files that lie beside it in the feed, each named by an event's uuid: UUID.json",
        )
    if not is_misp(document):
        raise BadInputError(
            "the file is JSON, but neither a MISP event nor a MISP feed or search result",
            hint='a MISP event has the key "Event" or "Attribute" at its top',
        )
    number = 0
    for event in _events(document):
        tags = labels_of(tag.get("name") for tag in objects_in(event.get("Tag")))
        for attribute, people in _attributes(event):
            number += 1
            if isinstance(attribute, dict):
                yield from _rows(attribute, number, name=name, people=people, tags=tags)
            else:
                yield Unreadable(f"#{number}", Reason.NOT_AN_OBJECT)


def _events(document: object) -> Iterator[dict[str, object]]:
    """Events within the wrappers that MISP puts around them; `{"Attribute": [...]}` counts as one.

    What stands in an event's place and is none is handed on as the only attribute of an event.
    """
    waiting = [document]
    while waiting:
        item = waiting.pop()
        if isinstance(item, list):
            waiting += reversed(item)
        elif isinstance(item, dict) and "Attribute" not in item and "Object" not in item:
            inside = [item[key] for key in ("response", "Event") if key in item]
            waiting += inside
            if not inside and "type" in item and "value" in item:
                yield {"Attribute": [item]}
        elif isinstance(item, dict):
            yield item
        elif item is not None:
            yield {"Attribute": [item]}


def _attributes(event: dict[str, object]) -> Iterator[tuple[object, bool]]:
    """Every attribute, and whether it belongs to an object that describes a person.

    Attributes and objects that are no JSON objects come as they are.
    """
    for attribute in items_in(event.get("Attribute")):
        yield attribute, False
    for found in items_in(event.get("Object")):
        if not isinstance(found, dict):
            yield found, False
            continue
        for attribute in items_in(found.get("Attribute")):
            if isinstance(attribute, dict) and found.get("deleted") is True:
                yield attribute | {"deleted": True}, False
            else:
                yield attribute, text_of(found.get("name")) in _PEOPLE


def _rows(
    attribute: dict[str, object], number: int, *, name: str, people: bool, tags: Mapping[str, str]
) -> Iterator[RawRow | Unreadable]:
    where = place_of(attribute.get("uuid"), number)
    type_name = text_of(attribute.get("type"))
    if attribute.get("deleted") is True:
        yield Unreadable(where, Reason.WITHDRAWN)
        return
    put_aside = attribute.get("to_ids") in (False, "0") and type_name not in _DEFAULT_NOT_IDS
    if people or put_aside or type_name in _CONTEXT:
        yield Unreadable(where, Reason.NOT_FRAUD)
        return
    labels = dict(tags) | labels_of(tag.get("name") for tag in objects_in(attribute.get("Tag")))
    for seen in ("first_seen", "last_seen"):
        labels[seen] = date_of(attribute.get(seen))
    relation = text_of(attribute.get("object_relation"))
    yield from attribute_rows(
        where, type_name, attribute.get("value"), relation=relation, name=name, labels=labels
    )


def attribute_rows(
    where: str, type_name: str, value: object, *, relation: str = "", name: str, labels: Mapping[str, str]
) -> Iterator[RawRow | Unreadable]:
    """One or two rows from a MISP type and its value.

    Args:
        where: uuid or STIX id of the attribute.
        type_name: MISP attribute type.
        value: must be text.
        relation: what the attribute is to its object; tells kinds that MISP keeps as plain text.
        name: base name of the file.
        labels: label fields that are known.
    """
    text = text_of(value)
    kind = _PLAIN.get(type_name) or (_RELATIONS.get(relation) if type_name == "text" else None)
    if kind is not None:
        yield row(where, name=name, kind=kind, value=value, labels=labels)
    elif type_name in _ACCOUNTS and text:
        account = f"{_ACCOUNTS[type_name]}:{text}"
        yield row(where, name=name, kind="social_account", value=account, labels=labels)
    elif type_name in _CHANGING_NAMES:
        yield Unreadable(where, Reason.CHANGING_NAME)
    elif type_name in _REFUSED:
        yield Unreadable(where, Reason.REFUSED_KIND)
    elif type_name not in _COMPOSITE:
        yield Unreadable(where, Reason.UNSUPPORTED_TYPE)
    elif text.count("|") != 1:
        yield Unreadable(where, Reason.BAD_COMPOSITE)
    else:
        for part, part_kind in zip(text.split("|"), _COMPOSITE[type_name], strict=True):
            if part_kind:
                yield row(where, name=name, kind=part_kind, value=part, labels=labels)
