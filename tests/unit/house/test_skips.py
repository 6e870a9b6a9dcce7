"""Continuous integration does not skip: a test, a class or a whole file that would be skipped fails."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PLANTED = {
    "a mark": "import pytest\n@pytest.mark.skip\ndef test_planted(): pass\n",
    "a call": "import pytest\ndef test_planted(): pytest.skip('no')\n",
    "a fixture": "import pytest\n@pytest.fixture\ndef no(): pytest.skip('no')\ndef test_planted(no): pass\n",
    "a file": "import pytest\npytest.skip('no', allow_module_level=True)\ndef test_planted(): pass\n",
    "an import": "import pytest\npytest.importorskip('no_such_module')\ndef test_planted(): pass\n",
    "unittest": "import unittest\nraise unittest.SkipTest('no')\n",
    "a condition": "import pytest\npytestmark = pytest.mark.skipif(True, reason='no')\ndef test_planted(): pass\n",
}


def outcome(folder: Path, text: str, *options: str, ci: bool) -> tuple[int, str]:
    """Run pytest on a folder that has our conftest and one test file; gives its exit code and output."""
    shutil.copy(ROOT / "tests" / "conftest.py", folder)
    (folder / "test_planted.py").write_text(text)
    (folder / "test_good.py").write_text("def test_good(): pass\n")
    (folder / "pytest.ini").write_text("[pytest]\n")
    environment = {name: value for name, value in os.environ.items() if name != "CI" and "PYTEST" not in name}
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "xdist", *options, folder],
        env=environment | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"} | ({"CI": "1"} if ci else {}),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return ended.returncode, ended.stdout + ended.stderr


@pytest.mark.parametrize("how", PLANTED)
def test_a_planted_skip_fails(how: str, tmp_path: Path) -> None:
    code, said = outcome(tmp_path, PLANTED[how], ci=True)
    assert code in {1, 2}, said
    assert "no skip is allowed here" in said
    assert "test_planted.py" in said


def test_also_where_tests_run_in_several_processes(tmp_path: Path) -> None:
    code, said = outcome(tmp_path, PLANTED["a file"], "--numprocesses=2", ci=True)
    assert code in {1, 2}, said
    assert "no skip is allowed here" in said


@pytest.mark.parametrize("how", ["a mark", "a file"])
def test_people_may_skip(how: str, tmp_path: Path) -> None:
    code, said = outcome(tmp_path, PLANTED[how], ci=False)
    assert code == 0, said


def test_a_postgresql_that_does_not_start_is_a_failure_for_people_too(tmp_path: Path) -> None:
    """It is part of what is promised, and comes with the packages."""
    support = tmp_path / "support"
    support.mkdir()
    (support / "postgres.py").write_text(
        "from contextlib import contextmanager\n"
        "class Server: ...\n"
        "@contextmanager\n"
        "def running():\n"
        "    raise RuntimeError('PostgreSQL does not start')\n"
        "    yield\n"
    )
    code, said = outcome(tmp_path, "def test_planted(postgresql_server): pass\n", ci=False)
    assert code == 1, said
    assert "PostgreSQL does not start" in said


def test_continuous_integration_says_that_it_is_one() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    assert "export CI=1" in script.partition("make ")[0]
