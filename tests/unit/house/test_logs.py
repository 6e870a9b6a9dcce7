"""Logs: values planted in every place a programmer may put them, and none of them in any line."""

from __future__ import annotations

import base64
import datetime as dt
import io
import json
import logging
import re
import sys
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

from trisect import clock, logs
from trisect.errors import ConflictError, TrisectError

TOKEN = bytes(range(150, 182))
PHONE = "+15550123456"
PLANTED: dict[str, Any] = {
    "phone": PHONE,
    "phone without plus": "15550123456",
    "phone in groups": "+1 555 012 3456",
    "phone with brackets": "+1 (555) 012-3456",
    "phone with dots": "555.012.3456",
    "phone with two marks": "(555) 012 - 3456",
    "phone of non-breaking parts": "+1\u00a0555\u2011012\u20113456",
    "card": "4111 1111 1111 1111",
    "token": TOKEN,
    "token as array": bytearray(TOKEN),
    "token as view": memoryview(TOKEN),
    "hex": TOKEN.hex(),
    "upper hex": TOKEN.hex().upper(),
    "base64": base64.b64encode(TOKEN).decode(),
    "url-safe base64": base64.urlsafe_b64encode(TOKEN).decode(),
    "base64 without padding": base64.b64encode(TOKEN).decode().rstrip("="),
    "repr": repr(TOKEN),
    "key": base64.b64encode(TOKEN * 3).decode(),
}


def forms(value: Any) -> set[str]:
    """Give every spelling of a planted value that a log line must not hold."""
    if isinstance(value, str) and value != repr(TOKEN):
        return {value}
    return {
        TOKEN.hex(),
        base64.b64encode(TOKEN).decode()[:-1],
        repr(TOKEN)[2:-1],
        json.dumps(repr(TOKEN)[2:-1])[1:-1],
        urllib.parse.quote_from_bytes(TOKEN),
        str(list(TOKEN)),
        TOKEN.decode("latin-1"),
    }


class ListingError(Exception):
    """A foreign exception, of which libraries like to make with their input."""


@pytest.fixture
def console(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    found = io.StringIO()
    monkeypatch.setattr(sys, "stderr", found)
    return found


@pytest.fixture
def folder(tmp_path: Path, console: io.StringIO) -> Iterator[Path]:
    root = logging.getLogger()
    level = root.level
    logs.set_up(tmp_path / "logs", "node")
    mine = root.handlers[:]
    yield tmp_path / "logs"
    for handler in mine:
        root.removeHandler(handler)
        handler.close()
    root.setLevel(level)


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "node.log").read_text(encoding="utf-8").splitlines()]


def fail(error: BaseException, cause: BaseException | None = None) -> NoReturn:
    raise error from cause


def fail_plainly(error: BaseException) -> NoReturn:
    raise error


def fail_while_handling(error: BaseException, first: BaseException) -> NoReturn:
    try:
        fail(first)
    except ListingError:
        fail_plainly(error)


def raising(error: BaseException, cause: BaseException | None = None) -> Callable[[logging.Logger], None]:
    def act(log: logging.Logger) -> None:
        try:
            fail(error, cause)
        except BaseException:
            log.exception("it failed")

    return act


def nested(value: Any) -> Callable[[logging.Logger], None]:
    def act(log: logging.Logger) -> None:
        try:
            fail_while_handling(ConflictError("a conflict"), ListingError(value))
        except ConflictError:
            log.exception("it failed")

    return act


PLACES: dict[str, Callable[[Any], Callable[[logging.Logger], None]]] = {
    "message": lambda value: lambda log: log.warning(f"sentence with {value} inside"),  # noqa: G004
    "argument": lambda value: lambda log: log.warning("sentence with %s inside", value),
    "argument as repr": lambda value: lambda log: log.warning("sentence with %r inside", value),
    "field": lambda value: lambda log: log.warning("a sentence", extra={"value": value}),
    "field in a list": lambda value: (
        lambda log: log.warning("a sentence", extra={"value": [value, (value,)]})
    ),
    "field in a mapping": lambda value: lambda log: log.warning("a sentence", extra={"value": {"k": value}}),
    "key of a mapping": lambda value: lambda log: log.warning("s", extra={"value": {str(value): 1}}),
    "foreign exception": lambda value: raising(ListingError(value)),
    "cause": lambda value: raising(ConflictError("a conflict"), ListingError(value)),
    "context": nested,
    "group": lambda value: raising(BaseExceptionGroup("g", [ListingError(value)])),
    "own message": lambda value: raising(ConflictError(f"it holds {value}")),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("planted", PLANTED)
def test_a_planted_value_is_in_no_line(folder: Path, planted: str, place: str, console: io.StringIO) -> None:
    value = PLANTED[planted]
    PLACES[place](value)(logging.getLogger("test"))
    (line,) = lines(folder)
    written = (folder / "node.log").read_text(encoding="utf-8") + console.getvalue()
    for form in forms(value):
        assert form not in written
        assert form not in str(line)


def test_a_line_is_a_sentence_and_its_fields(folder: Path) -> None:
    log = logging.getLogger("nodes.app")
    log.info("an import has ended", extra={"rows": 123_456_789, "party": "telco", "ok": True, "data": TOKEN})
    log.info("旧", extra={"none": None, "ratio": 0.5})
    first, second = lines(folder)
    assert dt.datetime.fromisoformat(first.pop("at")).tzinfo is not None
    assert first == {
        "level": "info",
        "logger": "nodes.app",
        "message": "an import has ended",
        "rows": 123_456_789,
        "party": "telco",
        "ok": True,
        "data": "<32 bytes>",
    }
    assert (second["message"], second["none"], second["ratio"]) == ("旧", None, 0.5)


@pytest.mark.parametrize("number", [5550123, 15550123456, -15550123456, 15550123456.0, float("inf")])
def test_a_number_that_may_be_a_telephone_is_masked(folder: Path, number: float) -> None:
    log = logging.getLogger("test")
    for extra in ({"value": number}, {"subject": [number, (number,)]}, {"case": {number: {"k": number}}}):
        log.info("a sentence", extra=extra)
    written = (folder / "node.log").read_text(encoding="utf-8")
    assert written.count("<redacted>") >= 3 or number == float("inf")
    assert not {"5550123", "15550123456"} & set(re.findall(r"\d{7,}", written))


def test_counts_keep_their_numbers(folder: Path) -> None:
    counts = {
        "pid": 4_194_304,
        "bytes": 12_345_678_901,
        "rows": 2_750_000_000,
        "port": 65_535,
        "seconds": 1e7,
    }
    logging.getLogger("test").info("a sentence", extra=counts | {"small": 999_999, "ratio": 0.123456789})
    (line,) = lines(folder)
    assert {name: line[name] for name in counts} == counts
    assert (line["small"], line["ratio"]) == (999_999, 0.123456789)


def test_the_name_of_a_count_saves_no_text(folder: Path) -> None:
    logging.getLogger("test").info("a sentence", extra={"rows": PHONE, "port": [15550123456]})
    assert "5550123456" not in (folder / "node.log").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "date",
    [
        "2026-11-22",
        "1999-12-31",
        "2026-11-22T12:00Z",
        "2026-11-22T12:00:00Z",
        "2026-11-22T23:30:00.123456-05:00",
        "2026-11-22 12:00:00.123456+00:00",
    ],
)
def test_dates_stay(folder: Path, date: str) -> None:
    log = logging.getLogger("test")
    sentences = [date, f"it expired at {date}.", f"({date}), until={date}; {date}", f"from {date} to {date}"]
    for sentence in sentences:
        log.info(sentence, extra={"until": date})
    log.info("a sentence", extra={"until": dt.datetime.fromisoformat(date)})
    found = lines(folder)
    assert [line["message"] for line in found[:-1]] == sentences
    assert {line["until"] for line in found[:-1]} == {date}
    assert "redacted" not in found[-1]["until"]


@pytest.mark.parametrize(
    "number",
    [
        "2026-11-2233",
        "+2026-11-22",
        "+81 2026-11-22",
        "2026-11-22 33",
        "2026-11-22-33",
        "2026-13-22",
        "5550-12-31",
        "20261122",
        "2026-11-22T" + "ab" * 32,
    ],
)
def test_a_number_is_no_date_by_its_dashes(folder: Path, number: str) -> None:
    logging.getLogger("test").info(f"it is {number} here")  # noqa: G004
    assert lines(folder)[0]["message"] == "it is <redacted> here"


def test_ordinary_words_stay(folder: Path) -> None:
    sentence = "party first-bank's node b'nothing is at 127.0.0.1:7443, exchange 12 of 34"
    logging.getLogger("test").info(sentence)
    assert lines(folder)[0]["message"] == sentence


def test_an_error_keeps_place_and_kind_and_our_own_words(folder: Path) -> None:
    raising(ConflictError("the list is locked"), ListingError("secret"))(logging.getLogger("test"))
    (line,) = lines(folder)
    described = line["error"]
    assert "ConflictError: the list is locked" in described
    assert "ListingError" in described
    assert any(entry.startswith("test_logs.py:") for entry in described)
    assert "secret" not in str(line)


def test_a_chain_that_bites_its_tail_ends() -> None:
    one, two = TrisectError("one"), TrisectError("two")
    one.__cause__, two.__cause__ = two, one
    assert logs.describe(one) == ["TrisectError: one", "TrisectError: two"]


def test_only_warnings_go_to_the_console(folder: Path, console: io.StringIO) -> None:
    logging.getLogger("test").info("quiet")
    logging.getLogger("test").warning("loud")
    logging.getLogger("sqlalchemy.engine").info("SELECT")
    shown = console.getvalue()
    assert "loud" in shown
    assert "quiet" not in shown
    assert [line["message"] for line in lines(folder)] == ["quiet", "loud"]


def test_a_log_folder_is_private(folder: Path) -> None:
    assert folder.stat().st_mode & 0o077 == 0


def test_moments_are_written_and_read_in_utc() -> None:
    east = dt.timezone(dt.timedelta(hours=8))
    moment = dt.datetime(2026, 11, 1, 8, 0, 0, 999_999, tzinfo=east)
    assert clock.to_text(moment) == "2026-11-01T00:00:00Z"
    assert clock.from_text("2026-11-01T00:00:00Z") == dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
    assert clock.from_text(clock.to_text(clock.system_clock())).tzinfo is dt.UTC
    for text in (
        "",
        "2026-11-01",
        "2026-11-01T00:00:00",
        "2026-11-01T00:00:00+00:00",
        "2026-13-01T00:00:00Z",
        " 2026-11-01T00:00:00Z",
    ):
        with pytest.raises(ValueError, match=r"match|remains"):
            clock.from_text(text)


def test_randomness_gives_what_was_asked() -> None:
    assert [len(clock.system_randomness(size)) for size in (0, 1, 32)] == [0, 1, 32]
    assert clock.system_randomness(32) != clock.system_randomness(32)


def test_random_ids_are_kept_whole_in_their_own_fields_only(folder: Path) -> None:
    """One exchange id in five holds eight digits in a row; masked, two nodes' logs cannot be read together."""
    exchange, correlation = "4420794601234567890abcdef0123456", "0442079460123456"
    log = logging.getLogger("x")
    log.info("ended", extra={"exchange_id": exchange, "correlation_id": correlation})
    for field, text in (
        ("peer", exchange),
        ("exchange_id", "+442079460123"),
        ("exchange_id", exchange + "0"),
    ):
        log.info("ended", extra={field: text})
    kept, *masked = lines(folder)
    assert (kept["exchange_id"], kept["correlation_id"]) == (exchange, correlation)
    assert len(masked) == 3
    assert all(logs._MASK in json.dumps(line) for line in masked)
