"""The files of the sample data, each in the format its party would send; for `make_samples` only."""

from __future__ import annotations

import csv
import io
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass

SEED = 20261122
NAMESPACE = uuid.UUID("6f2c8f0e-4a56-5d0c-9a6e-8f1d2b7c3a41")
LABELS = ("category", "fraud_role", "channel", "ai_technique", "confidence", "first_seen", "last_seen")


@dataclass(frozen=True)
class FraudList:
    """One file of one party.

    Attributes:
        party: who owns it.
        collection: the collection it is imported into.
        file: its name in the party's folder.
        region: country whose national spellings it uses, or empty.
        ref: how its refs are written; empty where a format brings its own.
        shares: kind -> (from, to) within the shuffled canonical values of the kind.
    """

    party: str
    collection: str
    file: str
    region: str
    ref: str
    shares: dict[str, tuple[int, int]]

    @property
    def name(self) -> str:
        """Party and collection, as the known answer names them."""
        return f"{self.party}/{self.collection}"


@dataclass
class Row:
    """One row of a list: what it means, how it is spelled, and what is said about it."""

    kind: str
    canonical: str
    value: str
    ref: str
    labels: dict[str, str]


def write_csv_comma(rows: list[Row], item: FraudList) -> bytes:
    """Comma, LF, UTF-8; one kind needs no kind column; a note with line breaks now and then."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    mixed = len(item.shares) > 1
    writer.writerow([*(["kind", "value"] if mixed else list(item.shares)), "ref", *LABELS, "note"])
    for number, row in enumerate(rows):
        note = 'made up:\n"see file"' if (number + 84) % 97 == 0 else ""
        cells = [row.kind, row.value] if mixed else [row.value]
        writer.writerow([*cells, row.ref, *(row.labels[name] for name in LABELS), note])
    return out.getvalue().encode()


def write_csv_excel(rows: list[Row], _item: FraudList) -> bytes:
    """Semicolon, CR LF, UTF-8 with byte order mark; an apostrophe keeps some numbers text."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow(["Case ID", "MSISDN", *LABELS])
    for number, row in enumerate(rows):
        value = f"'{row.value}" if (number + 6) % 11 == 0 else row.value
        writer.writerow([row.ref, value, *(row.labels[name] for name in LABELS)])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def write_jsonl(rows: list[Row], _item: FraudList) -> bytes:
    """One object a line; keys in two orders."""
    lines = []
    for number, row in enumerate(rows):
        record: dict[str, object] = {"type": row.kind, "indicator": row.value, "ref": row.ref, **row.labels}
        record["confidence"] = int(row.labels["confidence"])
        if (number + 1) % 3 == 0:
            record = dict(reversed(record.items()))
        lines.append(json.dumps(record, ensure_ascii=number % 2 == 0))
    return ("\n".join(lines) + "\n").encode()


def write_lines(rows: list[Row], item: FraudList) -> bytes:
    """One value a line with comments and blanks between; the line is the ref."""
    lines = [f"# {item.party}: {item.collection} (sample data, see SOURCES.md)", ""]
    for number, row in enumerate(rows):
        if number and number % 50 == 0:
            lines += ["", f"# page {number // 50}"]
        lines.append(row.value)
        row.ref = f"{item.file}:{len(lines)}"
    return ("\n".join(lines) + "\n").encode()


def write_stix(rows: list[Row], item: FraudList) -> bytes:
    """Wallet objects of stix2extensions, each with its observed-data; every fifth an indicator instead."""
    objects: list[dict[str, object]] = []
    for number, row in enumerate(rows):
        seen = {end: f"{row.labels[end]}T00:00:00Z" for end in ("first_seen", "last_seen")}
        tags = [f'trisect:{name}="{row.labels[name]}"' for name in LABELS[:4]]
        base = {"spec_version": "2.1", "created": seen["first_seen"], "modified": seen["first_seen"]}
        if (number + 1) % 5 == 0:
            row.ref = f"indicator--{_id(item, number)}"
            pattern = f"[cryptocurrency-wallet:value = '{row.value}']"
            objects.append(
                {"type": "indicator", **base, "id": row.ref, "pattern": pattern, "pattern_type": "stix",
                 "valid_from": seen["first_seen"], "confidence": int(row.labels["confidence"]), "labels": tags}
            )  # fmt: skip
            continue
        row.ref = f"cryptocurrency-wallet--{_id(item, number)}"
        objects.append(
            {"type": "cryptocurrency-wallet", "spec_version": "2.1", "id": row.ref, "value": row.value,
             "extensions": {"extension-definition--be78509e-6958-51b1-8b26-d17ee0eba2d7": {"extension_type": "new-sco"}}}
        )  # fmt: skip
        objects.append(
            {"type": "observed-data", **base, "id": f"observed-data--{_id(item, number)}", "number_observed": 1,
             "first_observed": seen["first_seen"], "last_observed": seen["last_seen"], "object_refs": [row.ref],
             "labels": tags}
        )  # fmt: skip
    return as_json({"type": "bundle", "id": f"bundle--{_id(item, -1)}", "objects": objects})


# MISP type, and the object and relation that it has within one; coins without a type go as text
MISP_TYPES = {
    "phone": ("phone-number", "phone", "msisdn"),
    "domain": ("hostname", "phishing", "hostname"),
    "url": ("url", "phishing", "url"),
    "email": ("email-src", "", ""),
    "bip122": ("btc", "coin-address", "address"),
    "xmr": ("xmr", "coin-address", "address-xmr"),
    "dash": ("dash", "", ""),
}
OTHER_COIN = ("text", "coin-address", "address-crypto")


def write_misp(rows: list[Row], item: FraudList) -> bytes:
    """One event; labels as tags; every seventh attribute, and coins without a type, within an object."""
    attributes, objects = [], []
    for number, row in enumerate(rows):
        key = row.canonical.partition(":")[0] if row.kind == "wallet" else row.kind
        type_name, within, relation = MISP_TYPES.get(key, OTHER_COIN)
        row.ref = _id(item, number)
        attribute = {
            "uuid": row.ref, "type": type_name, "category": "Financial fraud", "value": row.value,
            "to_ids": row.kind != "phone", "first_seen": f"{row.labels['first_seen']}T00:00:00+00:00",
            "last_seen": f"{row.labels['last_seen']}T12:00:00+00:00", "comment": "",
            "Tag": [{"name": f'trisect:{name}="{row.labels[name]}"'} for name in LABELS[:5]],
        }  # fmt: skip
        if type_name == "text" or (within and number % 7 == 0):
            attribute["object_relation"] = relation
            objects.append({"name": within, "uuid": _id(item, -2 - number), "Attribute": [attribute]})
        else:
            attributes.append(attribute)
    event = {
        "info": "Payment threats (sample data)", "date": "2026-11-20", "uuid": _id(item, -1), "published": True,
        "analysis": "2", "threat_level_id": "2", "Attribute": attributes, "Object": objects,
    }  # fmt: skip
    return as_json({"Event": event})


def _id(item: FraudList, number: int) -> str:
    return str(uuid.uuid5(NAMESPACE, f"{SEED}/{item.name}/{number}"))


def as_json(document: object) -> bytes:
    """Indented JSON with a line end."""
    return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode()


WRITERS: dict[str, Callable[[list[Row], FraudList], bytes]] = {
    "scam_sites.csv": write_csv_comma,
    "sanctioned_wallets.stix.json": write_stix,
    "hotline_numbers.txt": write_lines,
    "abuse_numbers.csv": write_csv_excel,
    "smishing_links.jsonl": write_jsonl,
    "mule_accounts.csv": write_csv_comma,
    "payment_threats.misp.json": write_misp,
    "complaints.jsonl": write_jsonl,
    "reported_sites.txt": write_lines,
}
