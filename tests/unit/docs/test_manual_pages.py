"""Links lead somewhere, paths exist, decisions are numbered, the index is whole, tables are those of the code."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import prometheus_client
import pytest
from unit.docs.pages import ROOT, inline, name, pages, prose

import coordinator.app  # noqa: F401
import nodes.app  # noqa: F401  (imports register every metric)
from trisect.indicators.forms.reasons import TEXTS
from trisect.indicators.readers.batch import Reason as UnreadableReason

_LINK = re.compile(r"\]\(([^)\s]+)\)")
_PATH = re.compile(
    r"(?:trisect|nodes|coordinator|proto|deploy|docs|tests|tools|bench|typings)/[\w.@/-]+"
    r"|[\w.-]+\.(?:toml|md|service|yaml)"
)
_OF_A_HOME = {"config.toml", "rulebook.toml"}
BANNED = ("/work/", "/root/", "/tmp/bash", "lorem", "fixme", "tbd")
_WORDS_OF_SALES = (
    "seamless",
    "cutting-edge",
    "state-of-the-art",
    "world-class",
    "robust",
    "leverage",
    "blazing",
)


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", prose(page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", pages(), ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in _LINK.findall(prose(page.read_text())):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        assert found.exists(), target
        assert found.is_relative_to(ROOT), target
        if anchor:
            assert anchor in anchors(found), target


@pytest.mark.parametrize("page", pages(), ids=name)
def test_paths_exist(page: Path) -> None:
    for code in inline(page.read_text()):
        if not _PATH.fullmatch(code) or code in _OF_A_HOME:
            continue
        places = (
            ROOT,
            page.parent,
            ROOT / "deploy/config",
            ROOT / "trisect/indicators",
            ROOT / "trisect/indicators/readers",
        )
        assert any((place / code).exists() for place in places) or code.startswith("v0002"), code


@pytest.mark.parametrize("page", pages(), ids=name)
def test_words(page: Path) -> None:
    text = page.read_text().lower()
    assert not [word for word in (*BANNED, *_WORDS_OF_SALES) if word in text]


def test_decisions_are_numbered_without_gaps_and_have_their_parts() -> None:
    found = sorted((ROOT / "docs/adr").glob("*.md"))
    assert [int(path.name[:4]) for path in found] == list(range(1, len(found) + 1))
    for path in found:
        text = path.read_text()
        assert text.startswith(f"# {path.name[:4]}: ")
        assert re.search(r"^Status: (accepted|replaced by)", text, re.MULTILINE)
        parts = re.findall(r"^## (.+)$", text, re.MULTILINE)
        assert parts == ["Context", "Decision", "Consequences"], path.name


def test_the_index_names_every_page() -> None:
    index = ROOT / "docs/index.md"
    linked = {
        (index.parent / target.partition("#")[0]).resolve() for target in _LINK.findall(index.read_text())
    }
    missing = [name(page) for page in (ROOT / "docs").rglob("*.md") if page != index and page not in linked]
    assert not missing


def test_make_targets_that_are_named_exist() -> None:
    known = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in pages():
        for code in inline(page.read_text()):
            if match := re.fullmatch(r"make ([a-z-]+)", code):
                assert match[1] in known, f"{name(page)}: {code}"


def test_the_readme_names_the_python_versions_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == ">=3.11,<3.14"
    assert "CPython 3.11, 3.12 or 3.13" in " ".join((ROOT / "README.md").read_text().split())
    assert f"Trisect is at {project['version'].rpartition('.')[0]}" in (ROOT / "SECURITY.md").read_text()


def table(page: str, column: int = 0) -> set[str]:
    """What stands in backticks in one column of a page's tables."""
    rows = re.findall(r"^\|(.+)\|$", (ROOT / page).read_text(), re.MULTILINE)
    cells = [re.split(r"(?<!\\)\|", row)[column] for row in rows if len(re.split(r"(?<!\\)\|", row)) > column]
    return {code for cell in cells for code in re.findall(r"`([^`]+)`", cell)}


def test_every_reason_for_a_reject_is_explained() -> None:
    explained = table("docs/importing.md")
    assert {reason.value for reason in UnreadableReason} <= explained
    text = (ROOT / "docs/importing.md").read_text()
    for reason, sentence in TEXTS.items():
        assert f"| `{reason.value}` | {sentence} |" in text


def test_every_metric_is_listed() -> None:
    collected = {
        metric.name + ("_total" if metric.type == "counter" else "")
        for metric in prometheus_client.REGISTRY.collect()
        if metric.name.startswith("trisect_")
    }
    assert collected == {code for code in table("docs/operation.md") if code.startswith("trisect_")}


def test_every_reason_of_ready_is_listed() -> None:
    checks = {
        match
        for path in ("nodes/readiness.py", "coordinator/app.py")
        for match in re.findall(
            r'(?:yield |^            \()"([a-z]+)", ', (ROOT / path).read_text(), re.MULTILINE
        )
    }
    assert len(checks) > 5
    assert checks == {code for code in table("docs/operation.md", 1) if code.isalpha() and code.islower()} - {
        "method",
        "side",
        "state",
        "outcome",
    }
