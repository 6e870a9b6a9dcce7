"""Makes deploy/samples: the fraud lists of four parties, and what they have in common, known beforehand.

    python tools/make_samples.py DATA_FOLDER [--output deploy/samples]

Canonical values come first (`sample_values`), are dealt to the lists with designed overlaps, and only then
spelled differently by each party (`sample_spellings`). So the known answer is a plain set intersection that
owes nothing to Trisect's own canonical forms, which these samples test. The same data folder and seed give
the same bytes. DATA_FOLDER holds `infoblox`, `polkadot_phishing`, `ofac` and `misp_warninglists` as their
projects publish them; deploy/samples/SOURCES.md names commits and licences.
"""

from __future__ import annotations

import argparse
import csv
import io
import random
import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import sample_values
from sample_files import SEED, WRITERS, FraudList, Row, as_json
from sample_spellings import SPELL

KINDS = ("phone", "domain", "url", "wallet", "email", "iban")
CATEGORIES = (
    "task_rebate", "fake_investment", "fake_shopping", "fake_customer_service", "fake_loan", "fake_credit_repair",
    "impersonate_boss_friend", "impersonate_authority", "romance", "game_trade", "air_ticket_refund",
)  # fmt: skip
CHANNELS = {
    "phone": ("phone", "sms"), "domain": ("sms", "web", "social"), "url": ("sms", "web", "app"),
    "wallet": ("web", "social", "app"), "email": ("email",), "iban": ("phone", "social", "web"),
}  # fmt: skip
ROLES = {
    "phone": ("suspect", "suspect", "spoofed", "unknown"),
    "iban": ("mule", "mule", "suspect", "unknown"),
}
TECHNIQUES = ("none", "none", "unknown", "voice_clone", "face_swap", "targeted_script")


LISTS = (
    FraudList("government", "scam-sites", "scam_sites.csv", "", "GOV-S-{:05}", {"domain": (0, 700), "url": (0, 160)}),
    FraudList("government", "sanctioned-wallets", "sanctioned_wallets.stix.json", "", "", {"wallet": (0, 430)}),
    FraudList("government", "hotline-numbers", "hotline_numbers.txt", "AU", "", {"phone": (0, 320)}),
    FraudList("telco", "abuse-numbers", "abuse_numbers.csv", "US", "T/{:04}", {"phone": (200, 1100)}),
    FraudList("telco", "smishing-links", "smishing_links.jsonl", "", "sms-{:04}", {"domain": (500, 1150), "url": (100, 260)}),
    FraudList("bank", "mule-accounts", "mule_accounts.csv", "", "MA-{:04}", {"iban": (0, 300)}),
    FraudList(
        "bank", "payment-threats", "payment_threats.misp.json", "GB", "",
        {"domain": (1050, 1340), "url": (240, 300), "wallet": (300, 560), "email": (0, 170), "phone": (900, 1208)},
    ),
    FraudList(
        "proxy", "complaints", "complaints.jsonl", "FR", "C{:05}",
        {"phone": (60, 460), "email": (110, 260), "iban": (220, 430), "wallet": (400, 480)},
    ),
    FraudList("proxy", "reported-sites", "reported_sites.txt", "", "", {"domain": (600, 1000), "url": (60, 200)}),
)  # fmt: skip


def defang(text: str) -> str:
    """Store a canonical value so that nothing can be clicked; undone by two plain replaces."""
    return text.replace(".", "[.]").replace("http", "hxxp")


def deal(data: Path) -> dict[str, list[Row]]:
    """Deal the canonical values to the lists, and spell them."""
    choice = random.Random(SEED)
    pool = {
        "phone": sample_values.phones(choice),
        "wallet": sample_values.wallets(data, choice),
        "email": sample_values.emails(choice),
        "iban": sample_values.ibans(choice),
    }
    pool["domain"], hosts = sample_values.domains(data, choice)
    pool["url"] = sample_values.urls(data, hosts)[:300]
    choice.shuffle(pool["url"])
    return {item.name: _rows(item, pool, choice) for item in LISTS}


def _rows(item: FraudList, pool: dict[str, list[str]], choice: random.Random) -> list[Row]:
    values = []
    for kind, (start, stop) in item.shares.items():
        if stop > len(pool[kind]):
            raise SystemExit(f"{item.name}: only {len(pool[kind])} values of kind {kind}")
        values += [(kind, value) for value in pool[kind][start:stop]]
    choice.shuffle(values)
    rows = []
    for number, (kind, value) in enumerate(values, start=1):
        spelled = SPELL[kind](choice, value, item.region)
        rows.append(Row(kind, value, spelled, item.ref.format(number), _labels(choice, kind)))
    return rows


def _labels(choice: random.Random, kind: str) -> dict[str, str]:
    first = date(2025, 6, 1) + timedelta(days=choice.randrange(480))
    last = first + timedelta(days=choice.randrange(30))
    return {
        "category": choice.choice(CATEGORIES),
        "fraud_role": choice.choice(ROLES.get(kind, ("suspect", "unknown"))),
        "channel": choice.choice(CHANNELS[kind]),
        "ai_technique": choice.choice(TECHNIQUES),
        "confidence": str(choice.randrange(30, 100, 5)),
        "first_seen": first.isoformat(),
        "last_seen": last.isoformat(),
    }


EXCHANGES = (
    ("government", "scam-sites", "telco", "smishing-links"),
    ("government", "hotline-numbers", "telco", "abuse-numbers"),
    ("telco", "abuse-numbers", "bank", "payment-threats"),
    ("telco", "smishing-links", "bank", "payment-threats"),
    ("bank", "payment-threats", "government", "sanctioned-wallets"),
    ("telco", "abuse-numbers", "proxy", "complaints"),
    ("proxy", "complaints", "telco", "abuse-numbers"),
    ("proxy", "complaints", "bank", "mule-accounts"),
    ("proxy", "complaints", "bank", "payment-threats"),
    ("proxy", "reported-sites", "government", "scam-sites"),
)


def known_answer(lists: dict[str, list[Row]]) -> dict[str, object]:
    """For each exchange the common canonical values, as pairs of refs."""
    exchanges = []
    for asker, collection, answerer, other in EXCHANGES:
        mine = {(row.kind, row.canonical): row.ref for row in lists[f"{asker}/{collection}"]}
        theirs = {(row.kind, row.canonical): row.ref for row in lists[f"{answerer}/{other}"]}
        hits = [
            {"kind": kind, "asker_ref": mine[kind, value], "answerer_ref": theirs[kind, value]}
            for kind, value in sorted(mine.keys() & theirs.keys())
        ]
        exchanges.append(
            {"asker": asker, "collection": collection, "answerer": answerer, "with": other, "asked": len(mine),
             "answered_from": len(theirs), "hits": hits}
        )  # fmt: skip
    return {"schema": 1, "exchanges": exchanges}


def canonical_tables(lists: dict[str, list[Row]]) -> Iterator[tuple[str, bytes]]:
    """For each kind a table of the canonical values and the ref that each list has for them."""
    for kind in KINDS:
        names = [item.name for item in LISTS if kind in item.shares]
        refs: dict[str, dict[str, str]] = {}
        for name in names:
            for row in lists[name]:
                if row.kind == kind:
                    refs.setdefault(row.canonical, {})[name] = row.ref
        out = io.StringIO(newline="")
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["kind", "canonical", *names])
        for value in sorted(refs):
            writer.writerow([kind, defang(value), *(refs[value].get(name, "") for name in names)])
        yield f"{kind}.csv", out.getvalue().encode()


def main() -> None:
    """Write the samples; files that are written by hand in the output folder stay."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, help="folder with the public lists")
    parser.add_argument("--output", type=Path, default=Path("deploy/samples"))
    asked = parser.parse_args()
    lists = deal(asked.data)
    for item in LISTS:
        folder = asked.output / item.party
        folder.mkdir(parents=True, exist_ok=True)
        (folder / item.file).write_bytes(WRITERS[item.file](lists[item.name], item))
    (asked.output / "canonical").mkdir(exist_ok=True)
    for name, content in canonical_tables(lists):
        (asked.output / "canonical" / name).write_bytes(content)
    answer = known_answer(lists)
    (asked.output / "known_answer.json").write_bytes(as_json(answer))
    licences = asked.output / "licenses"
    licences.mkdir(exist_ok=True)
    for source, name in (
        ("infoblox", "CC-BY-4.0"),
        ("polkadot_phishing", "Apache-2.0"),
        ("ofac", "MIT-0xB10C"),
    ):
        shutil.copyfile(asked.data / source / "LICENSE.txt", licences / f"{name}.txt")
    for item in LISTS:
        counts = {kind: sum(row.kind == kind for row in lists[item.name]) for kind in item.shares}
        print(f"{item.party}/{item.file}: {len(lists[item.name])} rows {counts}")
    exchanges = answer["exchanges"]
    for exchange in exchanges if isinstance(exchanges, list) else []:
        print(
            exchange["asker"],
            exchange["collection"],
            exchange["answerer"],
            exchange["with"],
            len(exchange["hits"]),
        )


if __name__ == "__main__":
    main()
