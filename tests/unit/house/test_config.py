"""Configuration: the file, the environment over it, flags over both, and nothing misspelt passes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from trisect import config
from trisect.errors import BadInputError


@dataclass(frozen=True, slots=True)
class Section:
    listen: str = "127.0.0.1:0"
    timeout_s: float = 1.5
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shape:
    party: str
    workers: int = 2
    verbose: bool = False
    database: str | None = None
    limit: int | None = None
    http: Section = field(default_factory=Section)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def load(
    file: Path, text: str, environment: dict[str, str] | None = None, flags: dict[str, Any] | None = None
) -> Shape:
    file.write_text(text, encoding="utf-8")
    return config.load(Shape, file, environment=environment or {}, flags=flags)


def test_defaults_stand_where_nothing_is_said(file: Path) -> None:
    assert load(file, 'party = "telco"') == Shape(party="telco")


def test_every_type_is_read(file: Path) -> None:
    text = """
        party = "telco"
        workers = 4
        verbose = true
        database = "postgresql://x"
        limit = 7
        [http]
        listen = "[::1]:80"
        timeout_s = 3
        names = ["a", "b"]
    """
    found = load(file, text)
    assert found == Shape("telco", 4, True, "postgresql://x", 7, Section("[::1]:80", 3.0, ("a", "b")))
    assert isinstance(found.http.timeout_s, float)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('party = "x"\nparti = "y"', "parti"),
        ('party = "x"\n[http]\nlisen = "y"', "http.lisen"),
        ('party = "x"\n[htp]\nlisten = "y"', "htp"),
        ('party = "x"\nworkers = "4"', "workers"),
        ('party = "x"\nworkers = 4.0', "workers"),
        ('party = "x"\nworkers = true', "workers"),
        ('party = "x"\nverbose = 1', "verbose"),
        ('party = "x"\nverbose = "true"', "verbose"),
        ('party = "x"\nlimit = "7"', "limit"),
        ('party = "x"\nlimit = true', "limit"),
        ("party = 7", "party"),
        ('party = ["x"]', "party"),
        ('party = "x"\nhttp = "y"', "http"),
        ('party = "x"\n[http]\ntimeout_s = true', "http.timeout_s"),
        ('party = "x"\n[http]\nnames = "a"', "http.names"),
        ('party = "x"\n[http]\nnames = [1]', "http.names"),
        ("workers = 4", "party"),
        ("", "party"),
    ],
)
def test_what_is_unknown_missing_or_of_another_type_is_named(file: Path, text: str, named: str) -> None:
    with pytest.raises(BadInputError) as caught:
        load(file, text)
    assert f" {named} " in f" {caught.value.message} ".replace(",", " ")


def test_an_unknown_key_is_told_with_those_there_are(file: Path) -> None:
    with pytest.raises(BadInputError) as caught:
        load(file, 'party = "x"\nworker = 4')
    assert "workers" in caught.value.hint


@pytest.mark.parametrize("text", ["party = ", "= 1", 'party = "x"\nparty = "y"', "[http"])
def test_what_is_not_toml(file: Path, text: str) -> None:
    with pytest.raises(BadInputError, match="not TOML"):
        load(file, text)


def test_what_is_not_utf8_and_what_is_not_there(file: Path, tmp_path: Path) -> None:
    file.write_bytes(b'party = "\xff"')
    with pytest.raises(BadInputError, match="not TOML"):
        config.load(Shape, file, environment={})
    for missing in (tmp_path / "none.toml", tmp_path):
        with pytest.raises(BadInputError, match="cannot read") as caught:
            config.load(Shape, missing, environment={})
        assert "--home" in caught.value.hint


TEXT = 'party = "file"\nworkers = 3\n[http]\nlisten = "file:1"'


def test_the_environment_wins_over_the_file_and_a_flag_over_both(file: Path) -> None:
    environment = {
        "TRISECT_PARTY": "env",
        "TRISECT_HTTP_LISTEN": "env:1",
        "TRISECT_OTHER": "x",
        "PARTY": "no",
    }
    found = load(file, TEXT, environment)
    assert (found.party, found.workers, found.http.listen) == ("env", 3, "env:1")
    found = load(file, TEXT, environment, {"party": "flag", "http.listen": "flag:1", "workers": None})
    assert (found.party, found.workers, found.http.listen) == ("flag", 3, "flag:1")
    found = load(file, TEXT, environment, {"party": None, "http.timeout_s": 9.0})
    assert (found.party, found.http.timeout_s) == ("env", 9.0)


def test_a_flag_fills_a_section_that_the_file_has_not(file: Path) -> None:
    assert load(file, 'party = "x"', flags={"http.listen": "flag:1"}).http.listen == "flag:1"


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("workers", "8", 8),
        ("verbose", "TRUE", True),
        ("verbose", "0", False),
        ("limit", "5", 5),
        ("database", "", ""),
    ],
)
def test_the_environment_is_read_by_type(file: Path, name: str, text: str, value: object) -> None:
    found = load(file, TEXT, {f"TRISECT_{name.upper()}": text})
    assert getattr(found, name) == value


@pytest.mark.parametrize(
    ("name", "text"), [("WORKERS", "many"), ("WORKERS", ""), ("VERBOSE", "yes"), ("WORKERS", "1.5")]
)
def test_a_wrong_variable_is_named(file: Path, name: str, text: str) -> None:
    with pytest.raises(BadInputError, match=f"TRISECT_{name} .environment."):
        load(file, TEXT, {f"TRISECT_{name}": text})


def test_a_flag_of_another_type_and_one_nobody_knows(file: Path) -> None:
    with pytest.raises(BadInputError, match="workers must be a whole number"):
        load(file, TEXT, flags={"workers": "many"})
    with pytest.raises(BadInputError, match="nothing"):
        load(file, TEXT, flags={"nothing": 1})


def test_a_flag_for_a_section_that_is_none_in_the_file(file: Path) -> None:
    with pytest.raises(BadInputError, match="http must be a section"):
        load(file, 'party = "x"\nhttp = 3', flags={"http.listen": "flag:1"})
