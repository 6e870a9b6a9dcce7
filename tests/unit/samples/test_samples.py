"""The sample data is what it says: importable, harmless to open, and its known answer is right.

The known answer is checked twice: against the hand-written canonical values alone, and through our readers
and canonical forms. Neither the tables nor the answer were made by the code under test.
"""

import csv
import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pymisp
import pytest
import stix2

from trisect.indicators.detect import detect
from trisect.indicators.entries import RawRow, to_entry
from trisect.indicators.forms import Indicator, Profile, RejectedError, canonical, clean_cell
from trisect.indicators.kinds import Kind, parse_kind
from trisect.indicators.readers import Unreadable, open_reading
from trisect.indicators.tokens import Pepper, Tokeniser

SAMPLES = Path(__file__).parents[3] / "deploy" / "samples"
DEMO = tomllib.loads((SAMPLES / "demo.toml").read_text())
ANSWER = json.loads((SAMPLES / "known_answer.json").read_text())
DATA = [path for path in SAMPLES.rglob("*") if path.suffix in {".csv", ".json", ".jsonl", ".txt", ".toml"}]
DATA = [path for path in DATA if path.parent.name != "licenses"]
TOKENISER = Tokeniser([Pepper(b"\x01" * 32)])
FICTION = re.compile(
    r"\+1[2-9]\d\d55501\d\d|\+442079460\d{3}|\+33199\d{6}|\+61491570(?:006|156|157|158|159|110|313|737)"
)


def refang(text: str) -> str:
    return text.replace("hxxp", "http").replace("[.]", ".")


@cache
def tables() -> dict[str, dict[str, tuple[str, str]]]:
    """`party/collection` -> ref -> (kind, canonical value), from the hand-written tables."""
    found: dict[str, dict[str, tuple[str, str]]] = {}
    for path in sorted((SAMPLES / "canonical").glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                for name in (column for column in row if "/" in column and row[column]):
                    assert row[name] not in found.get(name, {})
                    found.setdefault(name, {})[row[name]] = (row["kind"], refang(row["canonical"]))
    return found


def reading(path: Path) -> Iterator[RawRow | Unreadable]:
    with path.open("rb") as file:
        yield from open_reading(file, name=path.name)


def profile(asked: dict[str, Any]) -> Profile:
    return Profile(region=asked["region"] or None, allow_reserved=DEMO["allow_reserved"])


def indicator(row: RawRow, default: Kind | None, source: Profile) -> Indicator:
    kind = parse_kind(row.kind) if row.kind else default
    value = clean_cell(row.value)
    return canonical(kind, value, source) if kind else detect(value, source)


IMPORTS = [pytest.param(asked, id=f"{asked['party']}-{asked['collection']}") for asked in DEMO["import"]]
EXCHANGES = [pytest.param(one, id=f"{one['collection']}-{one['with']}") for one in ANSWER["exchanges"]]


@pytest.mark.parametrize("asked", IMPORTS)
def test_every_row_imports_and_means_what_was_written_by_hand(asked: dict[str, Any]) -> None:
    default = None if asked["kind"] == "auto" else parse_kind(asked["kind"])
    source = profile(asked)
    found = {}
    for row in reading(SAMPLES / asked["party"] / asked["file"]):
        assert isinstance(row, RawRow), row
        entry = to_entry(row, default_kind=default, profile=source, tokeniser=TOKENISER)
        assert entry.ref not in found
        one = indicator(row, default, source)
        found[entry.ref] = (one.kind.value, one.value)
    assert len(found) >= 300
    assert found == tables()[f"{asked['party']}/{asked['collection']}"]


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_the_known_answer_is_the_intersection_of_the_canonical_values(exchange: dict[str, Any]) -> None:
    mine = {pair: ref for ref, pair in tables()[f"{exchange['asker']}/{exchange['collection']}"].items()}
    theirs = {pair: ref for ref, pair in tables()[f"{exchange['answerer']}/{exchange['with']}"].items()}
    expected = {(pair[0], mine[pair], theirs[pair]) for pair in mine.keys() & theirs.keys()}
    hits = [(hit["kind"], hit["asker_ref"], hit["answerer_ref"]) for hit in exchange["hits"]]
    assert set(hits) == expected
    assert len(hits) == len(expected)
    assert (exchange["asked"], exchange["answered_from"]) == (len(mine), len(theirs))
    assert 0 < len(hits) < min(len(mine), len(theirs))


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_hits_are_spelled_differently_on_the_two_sides(exchange: dict[str, Any]) -> None:
    spelled = {}
    for asked in DEMO["import"]:
        for row in reading(SAMPLES / asked["party"] / asked["file"]):
            assert isinstance(row, RawRow)
            spelled[asked["party"], asked["collection"], row.ref] = row.value
    differ = sum(
        spelled[exchange["asker"], exchange["collection"], hit["asker_ref"]]
        != spelled[exchange["answerer"], exchange["with"], hit["answerer_ref"]]
        for hit in exchange["hits"]
    )
    assert differ * 2 > len(exchange["hits"])


def test_every_kind_has_hits_and_every_pair_of_roles_asks() -> None:
    roles = {party["name"]: party["role"] for party in DEMO["party"]}
    assert {hit["kind"] for one in ANSWER["exchanges"] for hit in one["hits"]} == {
        "phone", "domain", "url", "wallet", "email", "iban",
    }  # fmt: skip
    assert {(roles[one["asker"]], roles[one["answerer"]]) for one in ANSWER["exchanges"]} >= {
        ("government", "provider"),
        ("provider", "provider"),
        ("proxy", "provider"),
        ("provider", "government"),
        ("proxy", "government"),
    }


def test_demo_and_known_answer_name_the_same_exchanges_and_what_they_need() -> None:
    keys = ("asker", "collection", "answerer", "with")
    wanted = [tuple(one[key] for key in keys) for one in DEMO["exchange"]]
    assert wanted == [tuple(one[key] for key in keys) for one in ANSWER["exchanges"]]
    imported = {(asked["party"], asked["collection"]) for asked in DEMO["import"]}
    shared = {(one["party"], one["collection"], peer) for one in DEMO["share"] for peer in one["with"]}
    for asker, collection, answerer, other in wanted:
        assert {(asker, collection), (answerer, other)} <= imported
        assert (answerer, other, asker) in shared
    assert len(shared) == len({(answerer, other, asker) for asker, _, answerer, other in wanted})


def counted() -> Iterator[tuple[str, int, Counter[str]]]:
    """What the table of SOURCES.md says of each list: the list, its rows, and how many of them are of each kind."""
    table = (SAMPLES / "SOURCES.md").read_text().partition("## Counts")[2].partition("## ")[0]
    for line in table.splitlines()[4:]:
        if line.startswith("|"):
            name, rows, *origins = (cell.strip() for cell in line.strip("|").split("|"))
            kinds: Counter[str] = Counter()
            for number, kind in re.findall(r"([\d,]+) (\w+?)s?(?=,|$)", ",".join(filter(None, origins))):
                kinds[kind.casefold()] += int(number.replace(",", ""))
            yield name, int(rows.replace(",", "")), kinds


def test_the_lists_hold_what_their_sources_are_said_to_have_given() -> None:
    said = {name: (rows, kinds) for name, rows, kinds in counted()}
    whole = said.pop("distinct values")
    found, distinct = {}, set()
    for asked in DEMO["import"]:
        pairs = tables()[f"{asked['party']}/{asked['collection']}"].values()
        distinct |= set(pairs)
        found[f"{asked['party']}/{asked['file']}"] = (len(pairs), Counter(kind for kind, _ in pairs))
    assert found == said
    assert (len(distinct), Counter(kind for kind, _ in distinct)) == whole
    real = sum(whole[1][kind] for kind in ("domain", "url", "wallet"))
    assert real >= 2000, "a few thousand real domains, URLs and wallets"


def test_every_licence_named_is_here_and_every_one_here_is_named() -> None:
    named = set(re.findall(r"`licenses/([^`]+)`", (SAMPLES / "SOURCES.md").read_text()))
    assert named == {path.name for path in (SAMPLES / "licenses").iterdir()}


def test_no_number_or_mailbox_or_account_belongs_to_anybody() -> None:
    seen = set()
    for pairs in tables().values():
        for kind, value in pairs.values():
            seen.add(kind)
            if kind == "phone":
                assert FICTION.fullmatch(value)
            elif kind == "email":
                assert value.rpartition("@")[2] in {"example.com", "example.org", "example.net"}
            elif kind == "iban":
                assert (
                    value[4:8] in {"XTRS", "ZFIC", "QDEM"} if value[:2] == "GB" else value[4:11] == "9990000"
                )
    assert seen >= {"phone", "email", "iban"}


def test_nothing_is_fanged() -> None:
    hosts = {
        re.sub(r"^https?://|/.*$", "", value)
        for pairs in tables().values()
        for kind, value in pairs.values()
        if kind in ("domain", "url")
    }
    assert len(hosts) > 1500
    unicode_hosts = {host.encode().decode("idna") for host in hosts if "xn--" in host}
    for path in DATA:
        text = path.read_text(encoding="utf-8-sig").casefold()
        assert "https://" not in text, path.name
        assert "http://" not in text, path.name
        words = set(re.findall(r"[^\W_](?:[\w-]|\.(?=\w))*", text))
        assert not words & (hosts | unicode_hosts), path.name


def test_the_bundle_reads_as_stix2_reads_it() -> None:
    path = SAMPLES / "government" / "sanctioned_wallets.stix.json"
    theirs = set()
    for item in stix2.parse(path.read_text(), allow_custom=True).objects:
        if item["type"] == "cryptocurrency-wallet":
            theirs.add((item["id"], item["value"]))
        elif item["type"] == "indicator":
            pattern = stix2.pattern_visitor.create_pattern_object(item["pattern"])
            theirs.add((item["id"], pattern.operand.rhs.value))
    assert {(row.where, row.value) for row in reading(path) if isinstance(row, RawRow)} == theirs


def test_the_event_reads_as_pymisp_reads_it() -> None:
    path = SAMPLES / "bank" / "payment_threats.misp.json"
    event = pymisp.MISPEvent()
    event.load_file(path)
    everything = [*event.attributes, *(one for item in event.objects for one in item.attributes)]
    theirs = {(item.uuid, item.value.strip()) for item in everything}
    assert {(row.where, row.value.strip()) for row in reading(path) if isinstance(row, RawRow)} == theirs


def test_bad_rows_are_refused_for_the_reasons_given() -> None:
    expected = json.loads((SAMPLES / "bad_rows.expected.json").read_text())["reasons"]
    source = Profile(allow_reserved=True)
    found = {}
    for row in reading(SAMPLES / "bad_rows.csv"):
        if isinstance(row, Unreadable):
            found[row.where] = row.reason.value
            continue
        with pytest.raises(RejectedError) as caught:
            to_entry(row, default_kind=None, profile=source, tokeniser=TOKENISER)
        found[row.where] = caught.value.reason.value
    assert found == expected
