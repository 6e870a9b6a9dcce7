"""One indicator with every label field that there is, written in each format that carries labels.

No two fields have the same text, and no field's text is one that another field accepts.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable

LABEL = {
    "category": "romance",
    "fraud_role": "mule",
    "channel": "sms",
    "ai_technique": "voice_clone",
    "confidence": "70",
    "first_seen": "2026-01-02",
    "last_seen": "2026-02-03",
}
SUBJECT = "p-9"
MAPPED = {"subject": "person"}
"""What CSV and JSON Lines have to be told, since a subject is never guessed."""
UUID = "11111111-1111-4111-8111-111111111111"
TAGGED = [f'trisect:{name.replace("_", "-")}="{text}"' for name, text in list(LABEL.items())[:5]]
MOMENTS = [f"{LABEL[name]}T03:04:05Z" for name in ("first_seen", "last_seen")]


def as_csv(domain: str) -> str:
    """Columns by their own names, in an order that is not ours."""
    fields = {"person": SUBJECT, **dict(reversed(LABEL.items())), "ref": UUID, "value": domain}
    stream = io.StringIO()
    csv.writer(stream).writerows([fields.keys(), fields.values()])
    return stream.getvalue()


def as_json_lines(domain: str) -> str:
    """Keys by their own names, in an order that is not ours."""
    fields = {"person": SUBJECT, **dict(reversed(LABEL.items())), "ref": UUID, "value": domain}
    return json.dumps(fields | {"confidence": int(LABEL["confidence"])})


def as_stix(domain: str) -> str:
    """A domain, and the observed-data that tells about it; STIX has no place for a subject."""
    thing = {"type": "domain-name", "id": f"domain-name--{UUID}", "value": domain}
    seen = {
        "type": "observed-data",
        "id": f"observed-data--{UUID}",
        "first_observed": MOMENTS[0],
        "last_observed": MOMENTS[1],
        "confidence": int(LABEL["confidence"]),
        "labels": TAGGED[:4],
        "object_refs": [thing["id"]],
    }
    return json.dumps({"type": "bundle", "id": f"bundle--{UUID}", "objects": [seen, thing]})


def as_misp(domain: str) -> str:
    """An attribute with tags of its own and of its event; MISP has no place for a subject."""
    attribute = {
        "type": "domain",
        "uuid": UUID,
        "value": domain,
        "first_seen": MOMENTS[0],
        "last_seen": MOMENTS[1],
        "Tag": [{"name": tag} for tag in TAGGED[2:]],
    }
    return json.dumps({"Event": {"Attribute": [attribute], "Tag": [{"name": tag} for tag in TAGGED[:2]]}})


WRITERS: dict[str, Callable[[str], str]] = {
    "csv": as_csv,
    "jsonl": as_json_lines,
    "stix": as_stix,
    "misp": as_misp,
}
"""By the name of their reader."""
