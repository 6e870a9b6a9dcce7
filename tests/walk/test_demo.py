"""`trisect demo` as a script runs it, told to a person too, and the same cluster left running for work by hand."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import psutil
import pytest
from support.cluster import run
from support.nursery import BIN

from trisect.cli.demo import samples, telling
from trisect.cli.demo.cluster import PARTIES
from trisect.cli.demo.scan import find
from trisect.cli.demo.step import STEPS
from trisect.psi.bands import band

pytestmark = pytest.mark.walk
NAMES = ["coordinator", *(party.name for party in PARTIES)]
ROLES = {party.name: party.role for party in PARTIES}
MARK = "WALK_TEST_MARK"
"""A variable of the environment that every process of a demonstration inherits."""
END_S = 150.0


@dataclass(frozen=True)
class Told:
    """One whole demonstration: what it printed for a script, and what it prints for a person of the same."""

    code: int
    json: str
    err: str
    scratch: Path
    left: list[list[str]]

    @property
    def data(self) -> dict[str, Any]:
        return json.loads(self.json)["data"]

    @cached_property
    def out(self) -> str:
        out = io.StringIO()
        with pytest.MonkeyPatch.context() as screen, contextlib.redirect_stdout(out):
            screen.setenv("COLUMNS", "200")
            telling.tell(self.data)
        return out.getvalue()

    @property
    def words(self) -> str:
        """What it printed, without the line breaks of a narrow screen."""
        return " ".join(self.out.split())


def environment(scratch: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TRISECT_")}
    kept.pop("XDG_RUNTIME_DIR", None)
    return kept | {
        "TMPDIR": str(scratch),
        MARK: str(scratch),
        "COLUMNS": "200",
        "NO_COLOR": "1",
        "TERM": "dumb",
    }


def descendants(scratch: Path) -> list[list[str]]:
    """Give the command lines of all processes that were started below a test's folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == str(scratch) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.cmdline())
        except psutil.Error:
            continue
    return found


def runs(pid: int) -> bool:
    """Tell whether a process runs; one whose parent has not asked for its exit code does not."""
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """One run of `trisect demo --format json`, for all tests that look at what it said and left."""
    scratch = tmp_path_factory.mktemp("demo")
    done = subprocess.run(
        [BIN / "trisect", "demo", "--format", "json"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=END_S,
        check=False,
        env=environment(scratch),
    )
    return Told(done.returncode, done.stdout, done.stderr, scratch, descendants(scratch))


def test_the_demo_succeeds(told: Told):
    assert told.code == 0, told.json + told.err
    (line,) = told.json.splitlines()
    found = json.loads(line)
    assert (found["schema"], found["status"]) == (1, "ok")
    assert [(step["name"], step["ok"]) for step in found["data"]["steps"]] == [(name, True) for name in STEPS]
    assert all(step["detail"] for step in found["data"]["steps"])
    assert [daemon["name"] for daemon in found["data"]["daemons"]] == NAMES
    assert "FAIL" not in told.out
    assert "NOT" not in told.out
    for name in NAMES:
        assert re.search(rf"\b{name} \(pid \d+\)", told.words), name


@pytest.mark.parametrize(
    ("step", "detail"),
    [
        (
            "rulebook",
            r"rulebook 1, signed by government, is in force at 4 of 4 nodes: 1 rule and 6 red lines",
        ),
        ("disclosure", r"bank, government, proxy, telco"),
        ("refused", r"\(rule notice-declares\).+; 0 frames passed"),
        ("consent", r"20 of 21 members have consented .+ asked about as 20 entries, and 20 are among"),
        ("revoked", r"acknowledged by proxy, telco within .+ it had 19 entries, 19 of them found"),
        ("record_verified", r"\d+ entries checked .+ the permits of 12 of 12 exchanges .+ is refused"),
    ],
)
def test_the_mechanism_is_shown_step_by_step(told: Told, step: str, detail: str):
    assert re.search(rf"ok +{step}: [^:]*.*?{detail}", told.words), told.words


def test_every_exchange_of_the_known_answer_is_shown_with_its_figures(told: Told):
    plans = samples.load().matches
    pairs = {(ROLES[plan.asker], ROLES[plan.answerer]) for plan in plans}
    assert len(pairs) >= 4, "too few pairs of roles"
    answer = json.loads((samples.load().folder / "known_answer.json").read_text())["exchanges"]
    for plan, known_sizes in zip(plans, answer, strict=True):
        asked, answered = f"{plan.asker}/{plan.collection}", f"{plan.answerer}/{plan.theirs}"
        (row,) = [line for line in told.out.splitlines() if line.split()[:2] == [asked, answered]]
        expected = len(plan.expected)
        figures = re.search(
            r"  ([\d,]+) x ([\d,]+) +([\d,]+) x ([\d,]+) +([\d,]+) +([\d,]+), exactly these"
            r" +([\d,]+) +(\d+\.\d\d)$",
            row.rstrip(),
        )
        assert figures, row
        ours, theirs, ours_seen, theirs_seen, hits, known, size, seconds = (
            float(text.replace(",", "")) for text in figures.groups()
        )
        assert (ours, theirs) == (known_sizes["asked"], known_sizes["answered_from"])
        assert (ours_seen, theirs_seen) == (band(int(ours)), band(int(theirs)))
        assert hits == known == expected > 0
        assert size > 10_000
        assert 0 < seconds < END_S
    total = sum(len(plan.expected) for plan in plans)
    assert (
        f"ok match: {len(plans)} of {len(plans)} exchanges gave exactly the known answer, {total:,} hits"
        in told.words
    )


def test_what_each_learned_is_shown(told: Told):
    learned = told.words.partition("What each learned")[2]
    places = [learned.index(f" {who} ") for who in ("the asker", "the answerer", "the coordinator")]
    assert all(0 < one < other for one, other in pairwise(places))
    assert "not what was asked, not what matched" in learned
    assert "no entry, no token, no collection's name, no result" in learned


def test_the_scan_found_its_controls_and_nothing_else(told: Told):
    found = re.search(
        r"ok blind_coordinator: (\d+) of ([\d,]+) forms of values, canonical forms, tokens and peppers found in "
        r"([\d,]+) bytes of .* all (\d+) planted controls were found",
        told.words,
    )
    assert found, told.out
    findings, needles, size, controls = (int(text.replace(",", "")) for text in found.groups())
    assert findings == 0
    assert needles > 10_000
    assert size > 100_000
    assert controls > 50


def test_no_value_of_the_lists_is_printed(told: Told):
    shipped = samples.load()
    secrets = {
        "value": [value.encode() for value in shipped.raw_values()],
        "canonical form": [value.removeprefix("+").encode() for _, value in shipped.canonical_values()],
    }
    findings, needles = find(
        [("stdout", (told.json + told.out).encode()), ("stderr", told.err.encode())], secrets
    )
    assert needles > 10_000
    assert findings == ()


def test_nothing_is_left_behind(told: Told):
    assert told.left == []
    assert list(told.scratch.iterdir()) == []


@dataclass(frozen=True)
class Hand:
    """A cluster left running by `demo up`, and the command by hand."""

    folder: Path
    scratch: Path

    def trisect(self, *words: object, code: int = 0) -> dict:
        done = run("trisect", *words, "--format", "json", environment=environment(self.scratch))
        assert done.returncode == code, done.stdout + done.stderr
        return json.loads(done.stdout)

    def home(self, name: str) -> tuple[str, Path]:
        return ("--home", self.folder / name)


@pytest.fixture
def hand(tmp_path: Path) -> Iterator[Hand]:
    """A folder for a cluster, which is down when the test has ended, whatever the test did."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    found = Hand(tmp_path / "cluster", scratch)
    yield found
    run("trisect", "demo", "down", "--dir", found.folder, environment=environment(scratch))


def by_hand(hand: Hand) -> None:
    """Import lists into a cluster without data, share one, and match: what an import leaves open has its default."""
    scam = ("--purpose", "scam-prevention")
    words = ("--collection", "numbers", "--peer", "bank", "--with", "numbers", *scam)
    for name, first in (("telco", 100), ("bank", 105)):
        path = hand.scratch / f"{name}.csv"
        path.write_text("phone\n" + "".join(f"202-555-0{at}\n" for at in range(first, first + 20)))
        hand.trisect("import", path, *hand.home(name), "--collection", "numbers")
        made = hand.trisect("collection", "show", "numbers", *hand.home(name))["data"]
        (party,) = [party for party in PARTIES if party.name == name]
        assert (made["source"], made["legal_basis"], made["retention_days"]) == (
            party.source,
            "statutory-duty: ATOFL 16",
            365,
        )
        assert made["sharings"] == []
    hand.trisect("match", *hand.home("telco"), *words, code=6)
    hand.trisect("collection", "share", "numbers", *hand.home("bank"), "--with", "telco", *scam)
    assert hand.trisect("match", *hand.home("telco"), *words)["data"]["matched"] == 15


def test_up_work_by_hand_and_down(hand: Hand):
    first = hand.trisect("demo", "up", "--dir", hand.folder, "--no-data")["data"]["daemons"]
    assert [daemon["name"] for daemon in first] == NAMES
    assert {daemon["name"]: daemon["role"] for daemon in first} == {"coordinator": "coordinator"} | ROLES
    assert hand.trisect("demo", "up", "--dir", hand.folder)["data"]["daemons"] == first, (
        "up twice is not the same"
    )
    told = run("trisect", "demo", "up", "--dir", hand.folder, environment=environment(hand.scratch))
    assert (told.returncode, [name for name in NAMES if name not in told.stdout]) == (0, []), (
        "in words, for a person"
    )
    for daemon in first:
        assert str(hand.folder / daemon["name"]) in psutil.Process(daemon["pid"]).cmdline()
    for name in ROLES:
        assert hand.trisect("collection", "list", *hand.home(name))["data"]["collections"] == []

    proxy = hand.trisect("status", *hand.home("proxy"))["data"]
    assert (proxy["party"], proxy["role"], proxy["admitted"]) == ("proxy", "proxy", True)
    assert [link["connected"] for link in proxy["links"]] == [True]
    assert hand.trisect("status", *hand.home("coordinator"))["status"] == "ok"
    by_hand(hand)

    assert hand.trisect("demo", "down", "--dir", hand.folder)["data"]["stopped"] == NAMES
    assert not any(runs(daemon["pid"]) for daemon in first)
    assert descendants(hand.scratch) == []
    for daemon in first:
        assert not (hand.folder / daemon["name"] / "daemon.json").exists()
        assert not Path(daemon["addresses"]["socket"]).exists()
    assert hand.trisect("demo", "down", "--dir", hand.folder)["data"]["stopped"] == []
    assert hand.trisect("status", *hand.home("telco"), code=2)["status"] == "error"

    # The homes have stayed, and come up with the sample lists.
    hand.trisect("demo", "up", "--dir", hand.folder)
    plan = samples.load().matches[0]
    words = ("--collection", plan.collection, "--peer", plan.answerer, "--with", plan.theirs)
    purpose = ("--purpose", "scam-prevention")
    matched = hand.trisect("match", *hand.home(plan.asker), *words, *purpose)["data"]
    assert matched["matched"] == len(plan.expected)
    hits = hand.trisect("hits", *hand.home(plan.asker), "--exchange", matched["exchange_id"])["data"]["hits"]
    assert {(hit["kind"], hit["ref"]) for hit in hits} == plan.expected
    hand.trisect("demo", "down", "--dir", hand.folder)

    # With one that cannot start, none is left running, and its log is named.
    with (hand.folder / "government" / "config.toml").open("a") as config:
        config.write("[no_such_part]\n")
    error = hand.trisect("demo", "up", "--dir", hand.folder, code=1)["error"]
    assert "the daemon government ended" in error["message"]
    assert str(hand.folder / "government" / "logs") in error["hint"]
    assert descendants(hand.scratch) == []


@pytest.mark.parametrize("command", ["check-config", "run"])
def test_no_coordinator_but_the_demos_records_its_relay(tmp_path: Path, command: str):
    home = tmp_path / "coordinator"
    assert run("trisect-coordinator", "init", "--home", home).returncode == 0
    with (home / "config.toml").open("a") as config:
        config.write('[relay]\nrecord_to = "relay.bin"\n')
    done = run("trisect-coordinator", command, "--home", home)
    assert done.returncode == 4, done.stdout + done.stderr
    assert "the relay recorder exists under the demo only" in done.stderr
    assert not (home / "relay.bin").exists()
