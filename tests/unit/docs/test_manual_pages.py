"""Links lead somewhere, paths exist, decisions are numbered, the index is whole, tables are those of the code."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from docs_pages import ROOT, inline, name, pages, prose

_LINK = re.compile(r"\]\(([^)\s]+)\)")
_PATH = re.compile(
    r"(?:trisect|nodes|coordinator|proto|deploy|docs|tests|tools|bench|typings)/[\w.@/-]+"
    r"|[\w.-]+\.(?:toml|md|service|yaml)"
)
_OF_A_HOME = {"config.toml", "rulebook.toml"}
BANNED = ("/work/", "/root/", "/tmp/bash", "lorem", "fixme", "xxx", "tbd")
_WORDS_OF_SALES = ("seamless", "cutting-edge", "state-of-the-art", "world-class", "robust", "leverage", "blazing")


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
        places = (ROOT, page.parent, ROOT / "deploy/config", ROOT / "trisect/indicators", ROOT / "trisect/indicators/readers")
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
    linked = {(index.parent / target.partition("#")[0]).resolve() for target in _LINK.findall(index.read_text())}
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
    assert "CPython 3.11,\n3.12 or 3.13" in (ROOT / "README.md").read_text()
    assert f"Trisect is at {project['version'].rpartition('.')[0]}" in (ROOT / "SECURITY.md").read_text()
