"""The demonstration's scan: what it finds, where, in which spelling, and that a blind one fails the demo."""

from __future__ import annotations

import base64
import contextlib
import gzip
import hashlib
import json
import sqlite3
import urllib.parse
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from trisect.cli import main
from trisect.cli.demo import scan as scanning
from trisect.cli.demo import telling
from trisect.cli.demo.samples import Match
from trisect.cli.demo.scan import BlindScanError, Scan, find, forms, places, scan, search
from trisect.cli.demo.step import STEPS, Step
from trisect.cli.demo.story import Matched
from trisect.wire.v1 import matching_pb2

PHONE = "+14255550187"
DOMAIN = "plänted-scam.example/?a=b"
TOKEN = hashlib.sha256(b"a token").digest()
NOISE = bytes(value for value in range(256) if value not in b"+14259087") * 5

ENCODINGS: dict[str, Callable[[str], bytes]] = {
    "raw": str.encode,
    "hex": lambda text: text.encode().hex().encode(),
    "upper-case hex": lambda text: text.encode().hex().upper().encode(),
    "base64": lambda text: base64.b64encode(b"abc" + text.encode() + b"xyz"),
    "base64, one byte in": lambda text: base64.b64encode(b"a" + text.encode() + b"xyz"),
    "base64, two bytes in": lambda text: base64.b64encode(b"ab" + text.encode()),
    "URL-safe base64": lambda text: base64.urlsafe_b64encode(b"abc" + text.encode() + b"\xff"),
    "URL-safe base64, one byte in": lambda text: base64.urlsafe_b64encode(b"a" + text.encode()),
    "URL-safe base64, two bytes in": lambda text: base64.urlsafe_b64encode(b"ab" + text.encode() + b"\xff"),
    "URL-encoded": lambda text: urllib.parse.quote(text, safe="").encode(),
    "JSON": lambda text: json.dumps({"value": text}).encode(),
    "UTF-16 little endian": lambda text: text.encode("utf-16-le"),
    "UTF-16 big endian": lambda text: text.encode("utf-16-be"),
}


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A coordinator's home with a database in use, logs and a relay recording; nothing is planted in it."""
    path = tmp_path / "coordinator"
    (path / "logs").mkdir(parents=True)
    (path / "logs" / "coordinator.log").write_bytes(b"a constant sentence\n" * 500)
    (path / "logs" / "stderr.log").touch()
    (path / "relay.bin").write_bytes(NOISE)
    with contextlib.closing(sqlite3.connect(path / "coordinator.db")) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("CREATE TABLE enrolled (party TEXT, number INTEGER)")
        database.execute("INSERT INTO enrolled VALUES ('telco', 7)")
        database.commit()
        yield path


def secrets(*values: str) -> dict[str, list[bytes]]:
    return {"value": [value.encode() for value in values], "token": [TOKEN]}


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("value", [PHONE, DOMAIN])
@pytest.mark.parametrize("offset", [0, 1, 7, 8, 4095])
def test_every_spelling_is_found_wherever_it_begins(encoding: str, value: str, offset: int) -> None:
    data = (NOISE * 5)[:offset] + ENCODINGS[encoding](value) + NOISE[:3]
    findings, _ = find([("a log", data)], {"value": [value.encode()]})
    assert findings
    assert {(found.sort, found.file) for found in findings} == {("value", "a log")}


def test_a_token_is_found_too_though_it_is_no_text() -> None:
    for data in (TOKEN, TOKEN.hex().encode(), base64.b64encode(b"." + TOKEN)):
        assert find([("it", NOISE + data + NOISE)], {"token": [TOKEN]})[0]


def test_what_is_not_there_is_not_found() -> None:
    near = [PHONE[:-2], PHONE[:-3] + "197", DOMAIN.replace("ä", "a"), DOMAIN[1:], TOKEN[:-1].hex()]
    data = b"\n".join([NOISE, *(spell(text) for text in near for spell in ENCODINGS.values())])
    assert find([("it", data)], secrets(PHONE, DOMAIN))[0] == ()


def test_a_finding_is_named_after_its_first_spelling() -> None:
    """A plain value is its own URL-encoded form; it is told as what it is."""
    ((found,), _) = find([("it", b"planted-host.example")], {"value": [b"planted-host.example"]})
    assert (found.sort, found.form, found.file) == ("value", "raw", "it")


def test_short_needles_are_searched_one_by_one() -> None:
    assert search(b"..12345..", [b"12345", b"54321"]) == [b"12345"]
    assert search(b"", [b"12345", b"longer than a window"]) == []


def test_all_forms_of_a_control_differ() -> None:
    """A control is planted so that no encoding can stand in for another."""
    found = forms(scanning._CONTROL_VALUE.format(place="here").encode())
    assert len(found) == len(set(found.values())) == 13


PLACES: dict[str, Callable[[Path, bytes], object]] = {
    "logs/coordinator.log": lambda path, data: path.write_bytes(path.read_bytes() + data),
    "logs/stderr.log": lambda path, data: path.write_bytes(data),
    "logs/coordinator.log.1": lambda path, data: path.write_bytes(data),
    "logs/coordinator.log.2.gz": lambda path, data: path.write_bytes(gzip.compress(data)),
    "relay.bin": lambda path, data: path.write_bytes(NOISE + data + NOISE),
    "config.toml": lambda path, data: path.write_bytes(data),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_leak_is_found_in_every_file(home: Path, tmp_path: Path, place: str) -> None:
    PLACES[place](home / place, b'{"leaked":"' + PHONE.encode() + b'"}\n')
    found = scan(home, secrets(PHONE), tmp_path)
    assert found.findings
    assert {one.file.removesuffix(", unpacked") for one in found.findings} == {place}


@pytest.mark.parametrize(
    "cell", [PHONE, int(PHONE), PHONE.encode(), TOKEN, NOISE * 100 + PHONE.encode() * 900]
)
def test_a_leak_is_found_in_the_database(home: Path, tmp_path: Path, cell: object) -> None:
    with contextlib.closing(sqlite3.connect(home / "coordinator.db")) as database:
        database.execute("CREATE TABLE leaked (cell)")
        database.execute("INSERT INTO leaked VALUES (?)", (cell,))
        database.commit()
        found = scan(home, secrets(PHONE.removeprefix("+")), tmp_path)
    assert "coordinator.db, cell by cell" in {one.file for one in found.findings}


def test_a_cell_that_the_file_splits_over_pages_is_found(home: Path, tmp_path: Path) -> None:
    """A long cell goes on in another page, so that the file nowhere has it in one piece."""
    needle = bytes(range(256)) * 40
    with contextlib.closing(sqlite3.connect(home / "coordinator.db")) as database:
        database.execute("CREATE TABLE leaked (cell BLOB)")
        database.execute("INSERT INTO leaked VALUES (?)", (needle,))
        database.commit()
    found = scan(home, {"value": [needle]}, tmp_path)
    assert {one.file for one in found.findings} == {"coordinator.db, cell by cell"}


def test_a_row_is_found_in_the_write_ahead_log_and_after_its_deletion(home: Path, tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(home / "coordinator.db")) as database:
        database.execute("PRAGMA wal_autocheckpoint=0")
        database.execute("INSERT INTO enrolled VALUES (?, 8)", (PHONE,))
        database.commit()
        database.execute("DELETE FROM enrolled WHERE number = 8")
        database.commit()
        assert PHONE.encode() not in (home / "coordinator.db").read_bytes()
        found = scan(home, secrets(PHONE), tmp_path)
    assert {one.file for one in found.findings} == {"coordinator.db-wal"}


def test_a_clean_home_is_clean_and_its_controls_are_found_and_removed(home: Path, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    del before[home / "coordinator.db-shm"]  # readers of a database note there that they read
    found = scan(home, secrets(PHONE, DOMAIN), tmp_path)
    assert found.findings == ()
    assert found.controls == 5 * 13
    assert found.needles == len({*forms(PHONE.encode()).values(), *forms(DOMAIN.encode()).values()}) + len(
        forms(TOKEN)
    )
    assert found.bytes >= sum(map(len, before.values()))
    assert {path: path.read_bytes() for path in before} == before
    assert list(tmp_path.iterdir()) == [home]


@pytest.mark.parametrize(
    "place",
    [
        "coordinator.db",
        "logs/coordinator.log",
        "logs/coordinator.log.1",
        "logs/coordinator.log.2.gz",
        "relay.bin",
    ],
)
def test_a_scan_that_is_blind_to_a_place_fails(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    blind_to(monkeypatch, place)
    with pytest.raises(BlindScanError, match=place):
        scan(home, secrets(PHONE), tmp_path)
    assert list(tmp_path.iterdir()) == [home], "the copy with the planted controls stays behind"


@pytest.mark.parametrize("form", forms(b"any text"))
def test_a_scan_that_is_blind_to_a_spelling_fails(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    control = forms(scanning._CONTROL_VALUE.format(place="relay.bin").encode())[form]

    def half_blind(data: bytes, needles: list[bytes]) -> list[bytes]:
        return [needle for needle in search(data, needles) if needle != control]

    monkeypatch.setattr(scanning, "search", half_blind)
    with pytest.raises(BlindScanError, match=r"1 of 13 controls planted in relay\.bin"):
        scan(home, secrets(PHONE), tmp_path)


def blind_to(monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    def half_blind(folder: Path) -> list[scanning.Place]:
        names = (place, f"{place}-wal", f"{place}, cell by cell", f"{place}, unpacked")
        return [found for found in places(folder) if found[0] not in names]

    monkeypatch.setattr(scanning, "places", half_blind)


class FakeCluster:
    """Stands for the five daemons: it makes the coordinator's home, which a test may spoil."""

    home: Path
    running = False

    def __init__(self, _folder: Path) -> None:
        """Take the place of the real one."""

    async def up(self) -> list[object]:
        FakeCluster.running = True
        return []

    async def down(self) -> list[str]:
        FakeCluster.running = False
        return []


class FakeStory:
    """Stands for lists and matches; its scan is the real one."""

    found = frozenset({("phone", "r-1")})

    def __init__(self, cluster: FakeCluster, _samples: object) -> None:
        self._cluster = cluster
        self.channel = self.samples = None

    async def fill(self, say: Callable[[str], None]) -> None:
        say("one list was imported")

    async def matches(self) -> AsyncIterator[Matched]:
        plan = Match("telco", "mine", "bank", "theirs", frozenset({("phone", "r-1")}))
        exchange = matching_pb2.Exchange(engine="ecdh", state="complete", matched=1)
        yield Matched(plan, exchange, self.found, 12)

    def blindness(self, scratch: Path) -> Scan:
        return scan(self._cluster.home, secrets(PHONE, DOMAIN), scratch)


class FakeMechanism:
    """Stands for rules, consents and record, which need daemons; the walk of the demonstration shows them."""

    broken = ""
    exchanges: frozenset[str] = frozenset()

    def __init__(self, *_what: object) -> None:
        pass

    def frames(self) -> float:
        raise AssertionError("nothing passes a relay here")

    record = frames

    def _step(self, name: str) -> Step:
        return Step(name, name != self.broken, "as it was found")

    async def rulebook(self) -> Step:
        return self._step("rulebook")

    async def disclosure(self) -> Step:
        return self._step("disclosure")

    async def refused(self, *_asked: str) -> Step:
        return self._step("refused")

    async def consent(self) -> Step:
        return self._step("consent")

    async def revoked(self) -> Step:
        return self._step("revoked")

    async def red_line(self, _record: object) -> Step:
        return self._step("red_line")

    async def record_verified(self, exchanges: set[str]) -> Step:
        assert exchanges
        return self._step("record_verified")


@pytest.fixture
def demo(home: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Run `trisect demo` here, without its five daemons."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(telling, "Cluster", FakeCluster)
    monkeypatch.setattr(telling, "Story", FakeStory)
    monkeypatch.setattr(telling, "Mechanism", FakeMechanism)
    monkeypatch.setattr(telling, "Consenting", FakeMechanism)
    monkeypatch.setattr(telling, "Crossing", FakeMechanism)
    monkeypatch.setattr(FakeCluster, "home", home, raising=False)
    return lambda *arguments: main.run(["demo", *arguments])


def test_the_demo_is_well_with_a_clean_home(demo, capsys: pytest.CaptureFixture[str]) -> None:
    assert demo("--format", "json") == 0
    whole = json.loads(capsys.readouterr().out)
    assert whole["status"] == "ok"
    assert [(step["name"], step["ok"]) for step in whole["data"]["steps"]] == [(name, True) for name in STEPS]


@pytest.mark.parametrize("place", ["logs/coordinator.log", "relay.bin", "coordinator.db"])
def test_a_leak_fails_the_demo(demo, home: Path, capsys: pytest.CaptureFixture[str], place: str) -> None:
    if place == "coordinator.db":
        with contextlib.closing(sqlite3.connect(home / place)) as database:
            database.execute("INSERT INTO enrolled VALUES (?, 8)", (PHONE,))
            database.commit()
    else:
        PLACES[place](home / place, PHONE.encode())
    assert demo() == 1
    said = capsys.readouterr()
    assert "error: the demonstration failed at: blind_coordinator" in said.err
    assert "FAIL blind_coordinator" in said.out
    assert f"found: a value, raw, in {place}" in " ".join(said.out.split())
    assert PHONE not in said.out + said.err, "the finding itself gives the value away"
    assert not FakeCluster.running


def test_a_failed_demo_gives_one_object_with_its_steps(demo, home: Path, capsys) -> None:
    (home / "relay.bin").write_bytes(TOKEN)
    assert demo("--format", "json") == 1
    whole = json.loads(capsys.readouterr().out)
    assert (whole["status"], whole["error"]["code"]) == ("error", "TRI-DEMO-RESULT")
    assert [(step["name"], step["ok"]) for step in whole["data"]["steps"]] == [
        (name, name != "blind_coordinator") for name in STEPS
    ]


def test_wrong_hits_fail_the_demo(demo, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setattr(FakeStory, "found", frozenset({("phone", "r-1"), ("phone", "r-2")}))
    assert demo() == 1
    said = capsys.readouterr()
    assert "error: the demonstration failed at: match" in said.err
    assert "NOT these" in said.out


@pytest.mark.parametrize(
    "step", ["rulebook", "disclosure", "refused", "consent", "revoked", "red_line", "record_verified"]
)
def test_a_mechanism_that_is_not_shown_fails_the_demo(
    demo, monkeypatch: pytest.MonkeyPatch, capsys, step: str
) -> None:
    monkeypatch.setattr(FakeMechanism, "broken", step)
    assert demo() == 1
    said = capsys.readouterr()
    assert f"error: the demonstration failed at: {step}" in said.err
    assert f"FAIL {step}" in said.out


def test_a_blind_scan_fails_the_demo(demo, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    blind_to(monkeypatch, "relay.bin")
    assert demo() == 1
    said = capsys.readouterr()
    assert "error: the scan is blind" in said.err
    assert "relay.bin" in said.err
    assert not FakeCluster.running
