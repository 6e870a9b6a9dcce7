"""The times that a newcomer waits are those of a fresh clone, and a command that fails is no figure."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from bench import setup_times

MAKEFILE = """\
demo:
\t@test {broken} = no
\t@test ! -e uncommitted
\t@test -e made || echo first >> {log}
\t@test ! -e made || echo second >> {log}
\t@touch made
"""


def repository(folder: Path, *, broken: str) -> Path:
    folder.mkdir()
    (folder / "Makefile").write_text(MAKEFILE.format(broken=broken, log=folder.parent / "log"))
    author = ("-c", "user.name=nobody", "-c", "user.email=nobody@example.com")
    for words in (("init", "-q"), ("add", "Makefile"), (*author, "commit", "-q", "-m", "a project")):
        subprocess.run(["git", *words], cwd=folder, check=True, timeout=30)
    (folder / "uncommitted").touch()
    return folder


def test_both_demos_run_in_one_fresh_clone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = repository(tmp_path / "source", broken="no")
    for _ in range(2):
        setup_times.main(["demo"], source)
    assert (tmp_path / "log").read_text().split() == ["first", "second"] * 2
    figures = re.findall(r"^make demo, (first|second) +\d+\.\d s$", capsys.readouterr().out, re.MULTILINE)
    assert figures == ["first", "second"] * 2
    assert not (source / "made").exists()


def test_a_command_that_fails_is_no_figure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="make demo ended with exit code 2"):
        setup_times.main(["demo"], repository(tmp_path / "source", broken="yes"))
    assert "make demo, first" not in capsys.readouterr().out
    with pytest.raises(SystemExit, match="no such job: tset"):
        setup_times.main(["tset"])
