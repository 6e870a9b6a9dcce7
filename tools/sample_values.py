"""The canonical values of the sample data: picked from public lists, or made up; for `make_samples` only.

Everything here works on plain strings and imports nothing of Trisect. Hosts keep to ASCII letters, digits and
hyphens (or valid punycode), so that what is picked is its own canonical form.
"""

from __future__ import annotations

import csv
import hashlib
import json
import random
import re
import unicodedata
from pathlib import Path

import sample_spellings as spellings

_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,24}")
_WALLETS = {
    "XBT": ("bip122", re.compile(r"[13][1-9A-HJ-NP-Za-km-z]{32,33}|bc1q[02-9ac-hj-np-z]{38}(?:[02-9ac-hj-np-z]{20})?")),
    "LTC": ("ltc", re.compile(r"L[1-9A-HJ-NP-Za-km-z]{33}")),
    "DASH": ("dash", re.compile(r"X[1-9A-HJ-NP-Za-km-z]{33}")),
    "ZEC": ("zec", re.compile(r"t1[1-9A-HJ-NP-Za-km-z]{33}")),
    "XMR": ("xmr", re.compile(r"[48][1-9A-HJ-NP-Za-km-z]{94}")),
}  # fmt: skip
_AREAS = (202, 212, 213, 303, 305, 312, 404, 415, 503, 512, 602, 617, 702, 713, 808, 907)
_AUSTRALIA = ("006", "156", "157", "158", "159", "110", "313", "737")
_INFOBLOX = {
    "smishing_cta_20220408_iocs.csv": "smishing",
    "deepfake_crypto_scam_20240917_iocs.csv": "phishing",
    "pig_butchering_20250506_iocs.csv": "malicious",
    "fake_captcha_20260423_iocs.csv": "malicious",
    "apac_banking_trojan_20260410.csv": "malicious",
}


def _guarded(data: Path) -> frozenset[str]:
    """Names that a list of indicators should never hold whole, after the MISP warning lists."""
    lists = ("second-level-tlds", "tranco10k", "bank-website", "url-shortener", "disposable-email")
    found: set[str] = set()
    for name in lists:
        found.update(json.loads((data / "misp_warninglists" / f"{name}.json").read_text())["list"])
    return frozenset(name.lstrip(".").lower() for name in found)


def _is_host(text: str) -> bool:
    plain = _HOST.fullmatch(text) is not None and "http" not in text and "hxxp" not in text
    labels = text.split(".")
    return plain and not any(label[2:4] == "--" and not label.startswith("xn--") for label in labels)


def _is_stable(host: str) -> bool:
    """Whether a punycode host goes to Unicode and back whatever IDNA tables are used: small plain letters."""
    try:
        text = spellings.unicode_host(host)
        again = ".".join(
            label if label.isascii() else "xn--" + label.encode("punycode").decode()
            for label in text.split(".")
        )
    except UnicodeError:
        return False
    letters = [letter for letter in text if not letter.isascii()]
    plain = all(unicodedata.category(letter) in ("Ll", "Lo") and letter not in "ßς" for letter in letters)
    scripts = {unicodedata.name(letter).split()[0] for letter in letters}
    return (
        again == host
        and plain
        and unicodedata.normalize("NFKC", text.casefold()) == text
        and scripts in ({"LATIN"}, {"CYRILLIC"})
    )


def domains(data: Path, choice: random.Random) -> tuple[list[str], list[str]]:
    """Real scam hosts: those of Infoblox, and as many from polkadot-js/phishing, shuffled together.

    Returns:
        Domains, and other hosts to make URLs of.
    """
    guarded = _guarded(data)
    infoblox: set[str] = set()
    for name, verdict in _INFOBLOX.items():
        with (data / "infoblox" / name).open(encoding="utf-8-sig", newline="") as file:
            rows = [
                row
                for row in csv.DictReader(file)
                if (row["type"], row["classification"]) == ("domain", verdict)
            ]
        picked = (row["indicator"].replace("[.]", ".").strip().lower() for row in rows)
        infoblox.update(host for host in picked if _is_host(host) and "xn--" not in host)
    listed = json.loads((data / "polkadot_phishing" / "all.json").read_text())["deny"]
    usable = sorted({host for host in listed if _is_host(host)} - guarded - infoblox)
    plain = [host for host in usable if "xn--" not in host]
    punycode = [host for host in usable if "xn--" in host and _is_stable(host)]
    polkadot = choice.sample(plain, 900)
    found = sorted(infoblox - guarded)[:700] + polkadot[:600] + punycode[:40]
    choice.shuffle(found)
    return found, polkadot[600:]


def urls(data: Path, hosts: list[str]) -> list[str]:
    """Infoblox's URLs as they are, and the front pages of further listed hosts."""
    with (data / "infoblox" / "vigorish_viper_20240722_iocs.csv").open(
        encoding="utf-8-sig", newline=""
    ) as file:
        texts = [
            row["indicator"].replace("[.]", ".").replace("hxxp", "http")
            for row in csv.DictReader(file)
            if row["type"] == "url"
        ]
    whole = [(scheme, host.rstrip("/")) for scheme, _, host in (text.partition("://") for text in texts)]
    real = {f"{scheme}://{host}/" for scheme, host in whole if _is_host(host) and scheme in ("http", "https")}
    return sorted(real) + [f"https://{host}/" for host in hosts]


def wallets(data: Path, choice: random.Random) -> list[str]:
    """Sanctioned and scam wallets, and made-up Ethereum addresses (the hash of a sentence, no key known)."""
    found: list[str] = []
    for symbol, (chain, shape) in _WALLETS.items():
        lines = (data / "ofac" / f"{symbol}.txt").read_text().split()
        found += sorted({f"{chain}:{line}" for line in lines if shape.fullmatch(line)})
    listed = json.loads((data / "polkadot_phishing" / "address.json").read_text())
    keys = {spellings.ss58_key(address) for addresses in listed.values() for address in addresses}
    found += sorted(f"ss58:{key.hex()}" for key in keys if key)
    for number in range(60):
        made_up = hashlib.sha256(f"Trisect sample wallet {number}, made up".encode()).hexdigest()[:40]
        found.append(f"eip155:0x{made_up}")
    choice.shuffle(found)
    return found


def phones(choice: random.Random) -> list[str]:
    """Numbers that regulators keep for fiction (NANPA, Ofcom, Arcep, ACMA); none belongs to anybody."""
    america = [f"+1{area}55501{line:02}" for area in _AREAS for line in range(100)]
    britain = [f"+4420794601{line:02}" for line in range(100)] + [
        f"+4420794607{line:02}" for line in range(100)
    ]
    france = [f"+33199005{line:03}" for line in range(0, 1000, 5)]
    found = choice.sample(america, 800) + britain + france + [f"+61491570{end}" for end in _AUSTRALIA]
    choice.shuffle(found)
    return found


def emails(choice: random.Random) -> list[str]:
    """Mailboxes at the domains of RFC 2606."""
    desks = (
        "refund",
        "claims",
        "Support",
        "loan.desk",
        "prize-office",
        "Customs",
        "account_check",
        "trade.vip",
    )
    found = [
        f"{desk}{number}@example.{end}"
        for desk in desks
        for number in range(1, 16)
        for end in ("com", "org", "net")
    ]
    choice.shuffle(found)
    return found[:260]


def ibans(choice: random.Random) -> list[str]:
    """Accounts at banks that do not exist, with right check digits (ISO 13616, ISO 7064 mod 97-10)."""
    found = []
    for number in range(220):
        account = choice.randrange(10**8)
        found.append(_with_check_digits("GB", f"{('XTRS', 'ZFIC', 'QDEM')[number % 3]}000000{account:08}"))
        found.append(_with_check_digits("DE", f"9990000{number % 10}{choice.randrange(10**10):010}"))
    found = sorted(set(found))
    choice.shuffle(found)
    return found


def _with_check_digits(country: str, account: str) -> str:
    number = int("".join(str(int(letter, 36)) for letter in f"{account}{country}00"))
    return f"{country}{98 - number % 97:02}{account}"
