"""pre-commit calls make targets that exist, and fetches nothing."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[3]


def test_hooks_are_local_make_targets() -> None:
    repositories = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert [repository["repo"] for repository in repositories] == ["local"]
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for hook in repositories[0]["hooks"]:
        make, target = hook["entry"].split()
        assert (make, hook["language"]) == ("make", "system")
        assert target in targets


def test_hooks_do_what_check_does() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    before_a_commit = {
        hook["entry"].removeprefix("make ") for hook in hooks if "pre-commit" in hook["stages"]
    }
    check = re.search(r"^check: ([a-z -]+)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert check
    assert before_a_commit == set(check[1].split())
